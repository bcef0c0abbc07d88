"""What a promotion is asked for, what it tells meanwhile, and what comes of it."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from turnout.rollout import Rollout
from turnout.settings import Settings

Object = Mapping[str, Any]
STEPS = 6


@dataclass(frozen=True, slots=True)
class Progress:
    """What is done, or waited for. `number`: of STEPS; 0: it is taken back."""

    number: int
    text: str

    def __str__(self) -> str:
        return f"{self.number}/{STEPS} {self.text}" if self.number else f"back: {self.text}"


@dataclass(frozen=True, slots=True)
class Terms:
    """How a promotion is to be made. Times are in seconds.

    `timeout`: of each wait, for the routes, for the primary, for the candidate's end. `settle`: how long the
    primary has to stay ready where nothing tells since when it is. `poll`: between two looks.
    """

    timeout: float = 600.0
    settle: float = 10.0
    poll: float = 1.0
    settings: Settings = field(default_factory=Settings)
    told: Callable[[Progress], None] = lambda _: None
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    now: Callable[[], datetime] = lambda: datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Change:
    """One of the primary's objects, as it is and as it is to be; both whole."""

    before: Object
    after: Object


@dataclass(frozen=True, slots=True)
class Prospect:
    """What a promotion would do. `changes`: of objects that differ.

    `weights`: the spec of the traffic weights that hold in the end; None: the policy's own.
    """

    rollout: Rollout
    candidate: str
    changes: tuple[Change, ...]
    weights: Object | None
    steps: tuple[Progress, ...]


@dataclass(frozen=True, slots=True)
class Promoted:
    """A promotion that is done. `rollout`: how it is then."""

    rollout: Rollout
    candidate: str
    app_version: str
    weights: Object | None

    def data(self) -> dict[str, Any]:
        """The same as JSON has it. Fields may be added in later versions, and none is taken away."""
        return {
            "candidate": self.candidate,
            "primary": self.rollout.primary,
            "appVersion": self.app_version,
            "trafficWeights": dict(self.weights) if self.weights is not None else None,
            "after": self.rollout.data(),
        }
