"""What a strategy may decide: the rest is its error, and no route comes of it."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from tests.decision.scripted import everything, world
from turnout.calling import PluginError
from turnout.plugin import Decision, Inputs, Match, Mirror, Rule, Share, Version
from turnout.testing.builders import spec, version

POST = (Match(method="POST"),)


def share(inputs: Inputs, name: str, weight: Any = 100) -> Share:
    return Share(inputs.version(name), weight)


def primary(inputs: Inputs) -> tuple[Share, ...]:
    return (share(inputs, "wisdom-0"),)


def rules(*made: Any) -> Decision:
    return Decision(tuple(made), {})


@pytest.mark.parametrize(
    ("decide", "message"),
    [
        pytest.param(
            lambda inputs: rules(Rule("default", primary(inputs), POST)),
            "the last rule has matches; it has to take every call that is left",
            id="last rule with matches",
        ),
        pytest.param(
            lambda inputs: rules(),
            "the last rule has matches; it has to take every call that is left",
            id="no rule",
        ),
        pytest.param(
            lambda inputs: rules(Rule("a", primary(inputs)), Rule("b", primary(inputs))),
            "a rule before the last has no matches; nothing would reach those behind it",
            id="rule without matches before the last",
        ),
        pytest.param(
            lambda inputs: rules(Rule("default", (Share(version("other"), 1),))),
            "routes to other, which is no version of the policy",
            id="unknown version",
        ),
        pytest.param(
            lambda inputs: rules(Rule("default", primary(inputs), mirrors=(Mirror(version("other")),))),
            "routes to other, which is no version of the policy",
            id="unknown version to mirror to",
        ),
        pytest.param(
            lambda inputs: rules(Rule("default", (share(inputs, "wisdom-0"), share(inputs, "wisdom-0", 1)))),
            "rule default: names a version twice",
            id="version twice",
        ),
        pytest.param(
            lambda inputs: rules(
                Rule("default", primary(inputs), mirrors=(Mirror(inputs.version("wisdom-1")),) * 2)
            ),
            "rule default: names a version twice",
            id="mirror twice",
        ),
        *(
            pytest.param(
                lambda inputs, weight=weight: rules(Rule("default", (share(inputs, "wisdom-0", weight),))),
                f"rule default: weight {told} of wisdom-0, expected an integer 0..1000000",
                id=f"weight {told}",
            )
            for weight, told in (
                (-1, "-1"),
                (True, "true"),
                (0.5, "0.5"),
                ("50", '"50"'),
                (None, "null"),
                (1_000_001, "1000001"),
            )
        ),
        *(
            pytest.param(
                lambda inputs, percentage=percentage: rules(
                    Rule(
                        "default",
                        primary(inputs),
                        mirrors=(Mirror(inputs.version("wisdom-1"), percentage),),
                    )
                ),
                f"rule default: mirrors {told}% to wisdom-1, expected 0..100",
                id=f"mirrors {told}%",
            )
            for percentage, told in (
                (-1, "-1"),
                (101, "101"),
                (True, "true"),
                ("10", '"10"'),
                (float("nan"), "NaN"),
                (float("inf"), "Infinity"),
            )
        ),
        pytest.param(
            lambda inputs: everything(inputs, state={"at": object()}),
            "the state is no JSON: Type is not JSON serializable: object",
            id="state that is no JSON",
        ),
        pytest.param(
            lambda inputs: everything(inputs, state={"log": "x" * 16 * 1024}),
            "the state has 16394 bytes, expected at most 16384",
            id="state that is too large",
        ),
    ],
)
def test_a_decision_that_breaks_a_rule_is_the_strategys_error(decide: Any, message: str) -> None:
    with pytest.raises(PluginError) as caught:
        world(decide).ask()

    assert (caught.value.plugin, caught.value.message) == ("scripted", f"plugin scripted: decide: {message}")


def test_a_version_that_is_not_ready_in_a_rule_is_the_strategys_error() -> None:
    made = world(lambda inputs: rules(Rule("default", (share(inputs, "wisdom-1"),))))

    with pytest.raises(PluginError, match="rule default: routes to wisdom-1, which is not ready"):
        made.down("wisdom-1").ask()


def test_an_excluded_version_in_a_rule_is_the_strategys_error() -> None:
    made = world(
        lambda inputs: rules(Rule("default", (share(inputs, "wisdom-1"),))), "wisdom-0", spec("wisdom-1", 0)
    )

    with pytest.raises(PluginError, match="rule default: routes to wisdom-1, which has weight 0"):
        made.ask()


@pytest.mark.parametrize("field", ["matched", "mirrored"])
def test_a_primary_that_is_not_ready_may_only_have_the_default_rule(field: str) -> None:
    def decide(inputs: Inputs) -> Decision:
        candidate = (share(inputs, "wisdom-1"),)
        if field == "mirrored":
            return rules(Rule("default", candidate, mirrors=(Mirror(inputs.version("wisdom-0")),)))
        return rules(Rule("to-primary", primary(inputs), POST), Rule("default", candidate))

    with pytest.raises(PluginError, match="routes to wisdom-0, which is not ready"):
        world(decide).down("wisdom-0").ask()


def test_a_primary_that_is_not_ready_may_have_the_default_rule() -> None:
    assert world(everything).down("wisdom-0").split() == {"wisdom-0": 100}


@pytest.mark.parametrize("weight", [0, None], ids=["of weight 0", "not ready"])
def test_a_primary_that_may_carry_nothing_shares_with_nobody(weight: int | None) -> None:
    def decide(inputs: Inputs) -> Decision:
        return rules(Rule("default", (*primary(inputs), share(inputs, "wisdom-1"))))

    made = world(decide, spec("wisdom-0", weight), "wisdom-1")

    with pytest.raises(PluginError, match="rule default: routes to wisdom-0, which"):
        (made if weight == 0 else made.down("wisdom-0")).ask()


def test_zero_weights_and_empty_rules_are_dropped() -> None:
    def decide(inputs: Inputs) -> Decision:
        none = (share(inputs, "wisdom-1", 0),)
        mirrors = (Mirror(inputs.version("wisdom-1"), 0),)
        return rules(
            Rule("nothing", none, POST),
            Rule("default", (*primary(inputs), *none), mirrors=mirrors),
        )

    outcome = world(decide).ask()

    assert outcome.plan is not None
    (rule,) = outcome.plan.rules
    assert ([one.version.name for one in rule.shares], rule.mirrors) == (["wisdom-0"], ())


def test_the_plan_is_of_cores_versions_whatever_the_strategy_returns() -> None:
    """A strategy cannot make up a backend."""

    def decide(inputs: Inputs) -> Decision:
        forged: Version = version("wisdom-0", backends={}, uid="forged")
        return rules(Rule("default", (Share(forged, 1),)))

    outcome = world(decide).ask()

    assert outcome.plan is not None
    assert outcome.plan.rules[0].shares[0].version == outcome.versions[0]


def test_reasons_of_versions_that_there_are_not_are_dropped() -> None:
    said: Mapping[Any, Any] = {"wisdom-0": "all of it", "wisdom-1": "", "other": "?", 5: None}

    assert world(lambda inputs: everything(inputs, reasons=said)).ask().reasons == {
        "wisdom-0": "all of it",
        "wisdom-1": "Ready",
    }


@pytest.mark.parametrize(
    ("asked", "granted"),
    [
        pytest.param(None, None, id="never"),
        pytest.param(timedelta(), timedelta(seconds=1), id="at once"),
        pytest.param(timedelta(seconds=-5), timedelta(seconds=1), id="in the past"),
        pytest.param(timedelta(milliseconds=999), timedelta(seconds=1), id="too soon"),
        pytest.param(timedelta(seconds=90), timedelta(seconds=90), id="later"),
    ],
)
def test_a_strategy_is_asked_again_after_a_second_at_the_earliest(
    asked: timedelta | None, granted: timedelta | None
) -> None:
    assert world(lambda inputs: everything(inputs, requeue_after=asked)).ask().requeue_after == granted


def test_a_strategy_that_leaves_nothing_to_route_is_asked_again_as_well() -> None:
    made = world(lambda inputs: Decision((Rule("default", ()),), {}, requeue_after=timedelta(seconds=9)))

    assert made.ask().requeue_after == timedelta(seconds=9)
