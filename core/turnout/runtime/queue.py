"""A work queue of keys: deduplicating, delayed, with backoff for each key.

The contract is that of client-go's workqueue: a key that is being processed is not handed out a
second time, and one that is added meanwhile runs again afterwards. What a key stands for, and what
is done about it, is left to the workers.
"""

import asyncio
import heapq
import itertools
import random
from collections import OrderedDict, deque
from collections.abc import Hashable
from contextlib import suppress
from typing import Generic, TypeVar

from turnout.runtime.backoff import Backoff

K = TypeVar("K", bound=Hashable)

RETRIES = Backoff(first=0.05, cap=60.0)
PATIENCE = 5.0
"""Seconds in which a key that can wait is passed over for any other."""


class QueueClosed(Exception):  # noqa: N818 - reads as what happened; a worker ends on it
    """The queue is closed: the worker's work is done."""


class WorkQueue(Generic[K]):
    """Keys to work on, for any number of workers on one event loop, whose clock it goes by.

    Each worker repeats: `get`, work, then `forget` or `retry`, and always `done`. Delays are in
    seconds. Every operation is O(log n) or better in the number of keys.
    """

    def __init__(self, *, rng: random.Random | None = None) -> None:
        self._rng = rng or random.Random()  # noqa: S311 - jitter
        # When each became ready. A plain dict takes O(n) to pop its first.
        self._ready: OrderedDict[K, float] = OrderedDict()
        self._last: OrderedDict[K, float] = OrderedDict()  # likewise, of keys that can wait
        self._processing: set[K] = set()
        self._turn = False  # the key handed out before was one that can wait
        self._later: set[K] = set()  # added to be last while processing
        self._again: set[K] = set()  # added while processing
        self._failures: dict[K, int] = {}
        self._getters: deque[asyncio.Future[None]] = deque()
        self._due: dict[K, float] = {}
        # May hold entries that `_due` no longer agrees with: an earlier one took their place.
        self._heap: list[tuple[float, int, K]] = []
        self._order = itertools.count()  # so that keys themselves are never compared
        self._timer: asyncio.TimerHandle | None = None
        self._closed = False

    def add(self, key: K) -> None:
        """Run a key now. A delay that was asked for it stays: it may be about something else."""
        if self._closed or key in self._ready:
            return
        if key in self._processing:
            self._again.add(key)
            return
        self._last.pop(key, None)
        self._ready[key] = asyncio.get_running_loop().time()
        self._wake()

    def add_last(self, key: K) -> None:
        """Run a key when no other waits; after PATIENCE seconds in turn with others. `add` calls it up."""
        if self._closed or key in self._ready or key in self._last:
            return
        if key in self._processing:
            self._later.add(key)
            return
        self._last[key] = asyncio.get_running_loop().time()
        self._wake()

    def add_after(self, key: K, seconds: float) -> None:
        """Run a key in so many seconds. Of several such wishes the earliest holds, and stands for all."""
        if self._closed:
            return
        if seconds <= 0:
            self.add(key)
            return
        when = asyncio.get_running_loop().time() + seconds
        if when >= self._due.get(key, float("inf")):
            return
        self._due[key] = when
        heapq.heappush(self._heap, (when, next(self._order), key))
        if len(self._heap) > 2 * len(self._due) + 16:  # a key that is called forward again and again
            self._heap = [entry for entry in self._heap if self._due.get(entry[2]) == entry[0]]
            heapq.heapify(self._heap)
        self._arm()

    def retry(self, key: K) -> float:
        """Run a key that failed again, later after each failure (0.05 s to 60 s). Return the delay."""
        failures = self._failures.get(key, 0)
        self._failures[key] = failures + 1
        delay = RETRIES.delay(failures, self._rng)
        self.add_after(key, delay)
        return delay

    def forget(self, key: K) -> None:
        """Take a key's failures off the record: it worked, or it is gone."""
        self._failures.pop(key, None)

    async def get(self) -> K:
        """Wait for a key, and mark it as being processed. Raises QueueClosed."""
        while not self._closed and not self._ready and not self._last:
            getter = asyncio.get_running_loop().create_future()
            self._getters.append(getter)
            try:
                await getter
            except asyncio.CancelledError:
                if getter.done() and not getter.cancelled():
                    self._wake()  # it was this one's turn: another has to take it
                else:
                    with suppress(ValueError):  # a wake-up may have passed over it already
                        self._getters.remove(getter)
                raise
        if self._closed:
            raise QueueClosed
        key = self._pop()
        self._processing.add(key)
        return key

    def _pop(self) -> K:
        """The first key; of those that can wait where there is no other, or in turn once it waits long."""
        since = next(iter(self._last.values()), None)
        overdue = since is not None and asyncio.get_running_loop().time() - since >= PATIENCE
        self._turn = not self._ready or (overdue and not self._turn)
        return (self._last if self._turn else self._ready).popitem(last=False)[0]

    def done(self, key: K) -> None:
        """Say that a key is no longer being processed."""
        self._processing.discard(key)
        later = key in self._later
        self._later.discard(key)
        if key in self._again:
            self._again.discard(key)
            self.add(key)
        elif later:
            self.add_last(key)

    def close(self) -> None:
        """End every `get`, now and later, drop all keys, and ignore what is added."""
        self._closed = True
        self._ready.clear()
        self._last.clear()
        self._again.clear()
        self._later.clear()
        self._due.clear()
        self._heap.clear()
        self._arm()
        while self._getters:
            self._wake()

    def __len__(self) -> int:
        """How many keys wait for a worker, those aside that can wait."""
        return len(self._ready)

    @property
    def delayed(self) -> int:
        """How many keys wait for their time."""
        return len(self._due)

    def oldest_age(self) -> float:
        """For how many seconds the first key in line has been waiting for a worker; 0 if there is none."""
        for since in self._ready.values():
            return asyncio.get_running_loop().time() - since
        return 0.0

    def _wake(self) -> None:
        while self._getters:
            getter = self._getters.popleft()
            if not getter.done():
                getter.set_result(None)
                return

    def _arm(self) -> None:
        """Have the one timer go off for the first entry of the heap."""
        when = self._heap[0][0] if self._heap else None
        if self._timer is not None:
            if self._timer.when() == when:
                return
            self._timer.cancel()
        self._timer = None if when is None else asyncio.get_running_loop().call_at(when, self._mature)

    def _mature(self) -> None:
        self._timer = None
        now = asyncio.get_running_loop().time()
        # The loop may call a timer early, by no more than its clock's resolution: `<` on the very
        # time that was asked for would leave the entry behind, so what is due next counts as due.
        limit = max(now, self._heap[0][0]) if self._heap else now
        while self._heap and self._heap[0][0] <= limit:
            when, _, key = heapq.heappop(self._heap)
            if self._due.get(key) == when:
                del self._due[key]
                self.add(key)
        self._arm()
