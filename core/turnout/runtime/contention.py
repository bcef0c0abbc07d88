"""Keeps two controllers that undo each other's work from doing it as fast as they can."""

from collections.abc import Hashable

FREE = 3
"""So many corrections of one object are made at once."""
LONGEST = 300.0
"""Seconds: the longest wait between corrections, and the quiet after which counting begins anew."""


class Contention:
    """Counts corrections by object. Each one beyond the free ones waits twice as long as the one before."""

    def __init__(self) -> None:
        self._made: dict[Hashable, tuple[int, float]] = {}

    def wait(self, key: Hashable, now: float) -> float:
        """Seconds to wait before the next correction; 0 to go on."""
        count, last = self._made.get(key, (0, now))
        if count < FREE:
            return 0.0
        return max(0.0, last + min(LONGEST, 2.0 ** (count - FREE + 1)) - now)

    def corrected(self, key: Hashable, now: float) -> None:
        """Note that an object was put right."""
        count, last = self._made.get(key, (0, now))
        self._made[key] = (1 if now - last > LONGEST else count + 1, now)

    def forget(self, key: Hashable) -> None:
        """The object is nobody's any more."""
        self._made.pop(key, None)
