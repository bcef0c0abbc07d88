"""Options of the strategy steps, and what is wrong with a list of steps as a whole."""

import re
from collections.abc import Iterator
from datetime import timedelta
from enum import StrEnum
from itertools import pairwise

from pydantic import Field, field_validator

from turnout.plugin import Fault, Options

PATH = "spec.config.steps.steps"
_DURATION = re.compile(
    r"(?:(?P<hours>\d{1,4})h)?(?:(?P<minutes>\d{1,6})m)?(?:(?P<seconds>\d{1,8})s)?", re.ASCII
)


def duration(text: str | None) -> timedelta | None:
    """How long a pause is; None for what is no duration, or takes no time."""
    parts = _DURATION.fullmatch(text) if text else None
    given = {unit: int(count) for unit, count in parts.groupdict().items() if count} if parts else {}
    return timedelta(**given) or None


class WhenLost(StrEnum):
    """What becomes of a candidate that was not ready for a while."""

    RESTART = "restart"
    RESUME = "resume"


class Step(Options):
    """One step: the candidate's share, and how long it stays at that."""

    weight: int = Field(ge=1, le=100)
    """Percent of the calls that go to the candidate."""

    pause: str | None = None
    """How long until the next step, such as 90s, 5m or 1h30m. The last step has none."""

    @field_validator("pause")
    @classmethod
    def _is_duration(cls, pause: str | None) -> str | None:
        if pause is not None and not duration(pause):
            raise ValueError("expected a duration above 0 such as 90s, 5m or 1h30m")
        return pause


class StepsOptions(Options):
    """How the candidate gains traffic."""

    steps: tuple[Step, ...] = Field(
        default=(Step(weight=10, pause="5m"), Step(weight=50, pause="5m"), Step(weight=100)),
        min_length=1,
        max_length=50,
    )
    """Each with a weight, percent, and a pause before the next. Weights rise; at the last step it stays."""

    when_lost: WhenLost = WhenLost.RESTART
    """A candidate that was not ready for a while: restart at the first step, or resume where it was."""

    def faults(self) -> Iterator[Fault]:
        """What is wrong with the steps as a whole."""
        for index, (before, after) in enumerate(pairwise(self.steps), start=1):
            if after.weight <= before.weight:
                told = (
                    f"found {after.weight}, expected more than {before.weight}, the weight of the step before"
                )
                yield Fault(f"{PATH}[{index}].weight", told)
        for index, step in enumerate(self.steps[:-1]):
            if step.pause is None:
                yield Fault(
                    f"{PATH}[{index}].pause", "missing, expected a duration: only the last step has none"
                )
        last = self.steps[-1]
        if last.pause is not None:
            told = f'found "{last.pause}", expected none: nothing follows the last step'
            yield Fault(f"{PATH}[{len(self.steps) - 1}].pause", told)

    def reached(self, weight: int) -> int:
        """The index of the last step that gives no more than a weight; the first where all give more."""
        return max((index for index, step in enumerate(self.steps) if step.weight <= weight), default=0)
