"""What a policy may say of steps, and what is refused by its path."""

from datetime import timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from turnout.testing.builders import policy
from turnout_steps.options import StepsOptions, duration
from turnout_steps.strategy import Steps


@pytest.mark.parametrize(
    ("text", "seconds"), [("90s", 90), ("5m", 300), ("1h30m", 5400), ("0s", None), ("5 m", None), ("", None)]
)
def test_a_duration_has_hours_minutes_and_seconds(text: str, seconds: int | None) -> None:
    assert duration(text) == (seconds and timedelta(seconds=seconds))


@pytest.mark.parametrize(
    ("steps", "fault"),
    [
        (
            [{"weight": 10, "pause": "1m"}, {"weight": 10}],
            "spec.config.steps.steps[1].weight: found 10, expected more than 10, the weight of the step before",
        ),
        (
            [{"weight": 10}, {"weight": 100}],
            "spec.config.steps.steps[0].pause: missing, expected a duration: only the last step has none",
        ),
        (
            [{"weight": 10, "pause": "1m"}],
            'spec.config.steps.steps[0].pause: found "1m", expected none: nothing follows the last step',
        ),
    ],
    ids=["weights that do not rise", "a step that never ends", "a pause at the end"],
)
def test_steps_that_make_no_sense_are_refused(steps: list[dict[str, Any]], fault: str) -> None:
    options = StepsOptions.model_validate({"steps": steps})

    assert list(map(str, Steps().check(policy(), options))) == [fault]


@pytest.mark.parametrize("step", [{"weight": 0}, {"weight": 101}, {"weight": 5, "pause": "soon"}])
def test_a_step_that_cannot_be_is_refused(step: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        StepsOptions.model_validate({"steps": [step]})
