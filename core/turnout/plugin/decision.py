"""What a strategy is asked, and what it answers."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from turnout.plugin.plan import Rule, Version


@dataclass(frozen=True, slots=True)
class Inputs:
    """All that a strategy may know.

    `versions` in the policy's order; `in_force`: shares (0..100) by version name that the last rule
    of the plan in force gives; `state`: what the last Decision kept, perhaps of another release of the
    strategy, empty again once any candidate is another one; `now` is timezone-aware.
    """

    primary: str
    versions: tuple[Version, ...]
    now: datetime
    in_force: Mapping[str, float] = field(default_factory=dict)
    state: Mapping[str, Any] = field(default_factory=dict)
    mirror_percentage: float | None = None

    def version(self, name: str) -> Version:
        return next(version for version in self.versions if version.name == name)

    @property
    def candidates(self) -> tuple[Version, ...]:
        """The versions that are not the primary, in the policy's order."""
        return tuple(version for version in self.versions if version.name != self.primary)


@dataclass(frozen=True, slots=True)
class Decision:
    """What a strategy decided.

    `reasons`: one sentence by version name, for people. `state`: JSON of at most 16 KiB, stored in
    the policy's status before the routes move. `requeue_after`: when to ask again at the latest;
    core raises it to at least one second. No shares in the last rule: nothing can carry traffic,
    and core holds the routes in force.
    """

    rules: tuple[Rule, ...]
    reasons: Mapping[str, str]
    state: Mapping[str, Any] = field(default_factory=dict)
    requeue_after: timedelta | None = None
