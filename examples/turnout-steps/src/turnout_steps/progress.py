"""How far a candidate has come: what the strategy steps remembers between decisions."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from turnout_steps.options import StepsOptions, duration


@dataclass(frozen=True, slots=True)
class Progress:
    """The candidate that is on its way, its weight in percent, and since when its pause counts.

    `since` None: the pause does not count, and begins anew once all that carry traffic are ready. The
    weight is kept rather than the number of its step, so that other steps go on from where it is.
    """

    candidate: str
    weight: int = 0
    since: datetime | None = None

    @classmethod
    def of(cls, state: Mapping[str, Any]) -> "Progress | None":
        """From the state of a decision; None where nobody is on the way, or another release has kept it."""
        match state:
            case {"candidate": str(candidate), "weight": int(weight)} if 0 <= weight <= 100:
                return cls(candidate, weight, _time(state.get("since")))
        return None

    @property
    def state(self) -> Mapping[str, Any]:
        """As state of a decision."""
        told: dict[str, Any] = {"candidate": self.candidate, "weight": self.weight}
        return told if self.since is None else {**told, "since": self.since.isoformat()}

    def standing(self) -> "Progress":
        """The same, while its pause does not count."""
        return replace(self, since=None)

    def at(self, now: datetime, options: StepsOptions) -> "Progress":
        """Where it is now: a step further if the pause is over.

        One step and no more, however long nobody asked: the next one has its whole pause.
        """
        index = options.reached(self.weight)
        since = self.since or now
        pause = duration(options.steps[index].pause)
        if self.weight and pause and now - since >= pause:
            index, since = index + 1, now
        return replace(self, weight=options.steps[index].weight, since=since)

    def remaining(self, now: datetime, options: StepsOptions) -> timedelta | None:
        """How long until the next step; None after the last one, and while the pause does not count."""
        pause = duration(options.steps[options.reached(self.weight)].pause)
        return None if pause is None or self.since is None else self.since + pause - now


def _time(text: object) -> datetime | None:
    try:
        found = datetime.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        return None
    return found if found and found.tzinfo else None
