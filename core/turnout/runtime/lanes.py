"""A work queue with a second lane, for keys that have a time limit and must not wait for slow ones.

Workers of the first lane may all be busy with writes that hang; those of the second then go on.
"""

import random
from collections.abc import Callable
from typing import TypeVar

from turnout.runtime.queue import WorkQueue

K = TypeVar("K")


class Lanes(WorkQueue[K]):
    """The first lane, through which keys of both are added and reported.

    `own_lane` says which keys go to the second one, `second`, which has workers of its own. What is
    counted here are the keys of the first.
    """

    def __init__(self, own_lane: Callable[[K], bool], *, rng: random.Random | None = None) -> None:
        super().__init__(rng=rng)
        self._own_lane = own_lane
        self.second: WorkQueue[K] = WorkQueue(rng=rng)

    def add(self, key: K) -> None:
        if self._own_lane(key):
            self.second.add(key)
        else:
            super().add(key)

    def add_last(self, key: K) -> None:
        if self._own_lane(key):
            self.second.add_last(key)
        else:
            super().add_last(key)

    def add_after(self, key: K, seconds: float) -> None:
        if self._own_lane(key):
            self.second.add_after(key, seconds)
        else:
            super().add_after(key, seconds)

    def close(self) -> None:
        self.second.close()
        super().close()
