"""The two times that the runtime reads, passed in so that tests can set them."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Clock:
    """`now`: the wall clock, timezone-aware, for stamps. `monotonic`: seconds, for everything that waits."""

    now: Callable[[], datetime] = _now
    monotonic: Callable[[], float] = time.monotonic
