"""Which candidate gains what, and when."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

from turnout.plugin import Decision, Version
from turnout.testing.builders import NOW, inputs, version
from turnout_steps.options import StepsOptions
from turnout_steps.strategy import Steps

TWO = {"steps": [{"weight": 10, "pause": "1m"}, {"weight": 40, "pause": "2m"}, {"weight": 100}]}
PRIMARY, CANDIDATE, OTHER = version("wisdom-0"), version("wisdom-1"), version("wisdom-2")
LOST = version("wisdom-1", ready=False)
UNKNOWN = version("wisdom-1", ready=None, available=True)


class Play:
    """Asks again and again, with the state of the decision before."""

    def __init__(self, options: Mapping[str, Any] = TWO) -> None:
        self.seconds = 0.0
        self.decision = Decision((), {})
        self.options = StepsOptions.model_validate(options)

    def ask(self, *versions: Version, after: float = 0) -> Mapping[str, int]:
        """The weights of the last rule."""
        self.seconds += after
        now = NOW + timedelta(seconds=self.seconds)
        self.decision = Steps().decide(inputs(*versions, now=now, state=self.decision.state), self.options)
        return {share.version.name: share.weight for share in self.decision.rules[-1].shares}

    @property
    def again(self) -> float | None:
        """In how many seconds it wants to be asked again."""
        later = self.decision.requeue_after
        return None if later is None else later.total_seconds()


def test_the_candidate_goes_from_step_to_step() -> None:
    play = Play()

    assert (play.ask(PRIMARY, CANDIDATE), play.again) == ({"wisdom-0": 90, "wisdom-1": 10}, 60)
    assert (play.ask(PRIMARY, CANDIDATE, after=59), play.again) == ({"wisdom-0": 90, "wisdom-1": 10}, 1)
    assert (play.ask(PRIMARY, CANDIDATE, after=1), play.again) == ({"wisdom-0": 60, "wisdom-1": 40}, 120)
    assert (play.ask(PRIMARY, CANDIDATE, after=120), play.again) == ({"wisdom-1": 100}, None)
    assert (play.ask(PRIMARY, CANDIDATE, after=9999), play.again) == ({"wisdom-1": 100}, None)


def test_no_step_is_left_out_where_nobody_asked_for_long() -> None:
    play = Play()
    play.ask(PRIMARY, CANDIDATE)

    assert play.ask(PRIMARY, CANDIDATE, after=9999) == {"wisdom-0": 60, "wisdom-1": 40}
    assert play.again == 120


def test_a_candidate_that_was_lost_begins_again() -> None:
    play = Play()
    play.ask(PRIMARY, CANDIDATE)
    play.ask(PRIMARY, CANDIDATE, after=60)

    assert play.ask(PRIMARY, LOST, after=1) == {"wisdom-0": 100}
    assert play.ask(PRIMARY, CANDIDATE, after=9999) == {"wisdom-0": 90, "wisdom-1": 10}


def test_a_candidate_that_was_lost_may_resume_with_a_whole_pause() -> None:
    play = Play({**TWO, "whenLost": "resume"})
    play.ask(PRIMARY, CANDIDATE)
    play.ask(PRIMARY, CANDIDATE, after=60)

    assert play.ask(PRIMARY, LOST, after=1) == {"wisdom-0": 100}
    assert (play.ask(PRIMARY, CANDIDATE, after=9999), play.again) == ({"wisdom-0": 60, "wisdom-1": 40}, 120)


def test_a_candidate_that_the_policy_excludes_begins_again_in_any_case() -> None:
    play = Play({**TWO, "whenLost": "resume"})
    play.ask(PRIMARY, CANDIDATE)
    play.ask(PRIMARY, CANDIDATE, after=60)

    assert play.ask(PRIMARY, version("wisdom-1", weight=0)) == {"wisdom-0": 100}
    assert play.ask(PRIMARY, CANDIDATE) == {"wisdom-0": 90, "wisdom-1": 10}


def test_nobody_gains_while_readiness_is_unknown() -> None:
    play = Play()
    play.ask(PRIMARY, CANDIDATE)

    assert (play.ask(PRIMARY, UNKNOWN, after=9999), play.again) == ({"wisdom-0": 90, "wisdom-1": 10}, None)
    assert (play.ask(PRIMARY, CANDIDATE, after=1), play.again) == ({"wisdom-0": 90, "wisdom-1": 10}, 60)


def test_a_candidate_takes_over_from_a_primary_that_is_out_and_gives_back() -> None:
    play = Play()
    play.ask(PRIMARY, CANDIDATE)
    out = replace(PRIMARY, ready=False, available=False)

    assert (play.ask(out, CANDIDATE, after=30), play.again) == ({"wisdom-1": 100}, None)
    assert (play.ask(PRIMARY, CANDIDATE, after=9999), play.again) == ({"wisdom-0": 90, "wisdom-1": 10}, 60)


def test_other_steps_go_on_from_the_weight_that_is_reached() -> None:
    play = Play()
    play.ask(PRIMARY, CANDIDATE)
    play.ask(PRIMARY, CANDIDATE, after=60)
    others = [{"weight": w, "pause": "3m"} for w in (5, 20, 40, 60)]
    play.options = StepsOptions.model_validate({"steps": [*others, {"weight": 80}]})

    assert (play.ask(PRIMARY, CANDIDATE, after=60), play.again) == ({"wisdom-0": 60, "wisdom-1": 40}, 120)
    assert play.ask(PRIMARY, CANDIDATE, after=120) == {"wisdom-0": 40, "wisdom-1": 60}


def test_one_candidate_at_a_time() -> None:
    play = Play()

    assert play.ask(PRIMARY, LOST, OTHER) == {"wisdom-0": 90, "wisdom-2": 10}
    assert play.ask(PRIMARY, CANDIDATE, OTHER, after=60) == {"wisdom-0": 60, "wisdom-2": 40}
    assert play.decision.reasons["wisdom-1"] == "waits until wisdom-2 is done"


def test_without_anybody_the_routes_in_force_stay() -> None:
    assert Play().ask(version("wisdom-0", weight=0), LOST) == {}
