"""How long to wait before trying again."""

import random
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Backoff:
    """Exponential, and jittered so that clients which failed together do not come back together.

    Seconds. A delay is never below `first` and never above `cap`.
    """

    first: float
    cap: float

    def delay(self, failures: int, rng: random.Random) -> float:
        """The wait after `failures` earlier failures in a row (0: this is the first one)."""
        longest = min(self.cap, self.first * 2.0 ** (min(failures, 64) + 1))
        return rng.uniform(max(self.first, longest / 2), longest)
