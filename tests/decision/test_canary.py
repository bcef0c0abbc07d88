"""canary: calls that match go to a candidate, all others to the primary."""

from typing import Any

import pytest

from tests.decision.world import World
from turnout.plugin import Match
from turnout.testing.builders import policy, spec

GOLD = Match(headers=(("tier", "exact", "gold"),))
BETA = Match(path=("prefix", "/beta"), method="POST")
TAKE_OVER = {"canary": {"fallback": "candidate"}}


def canary(*candidates: Any, config: Any = None, primary: int | None = None) -> World:
    """A ready primary with these ready candidates."""
    world = World("canary", policy(spec("wisdom-0", primary), *candidates), config=config)
    return world.ready(*world.accepted.refs)


def test_the_primary_has_everything_until_a_candidate_is_ready() -> None:
    world = canary("wisdom-1").unknown("wisdom-1", uid="new")

    assert (world.split(), world.matched()) == ({"wisdom-0": 100}, {})


def test_the_default_match_is_the_header_traffic_test() -> None:
    world = canary("wisdom-1")

    assert (world.split(), world.matched()) == ({"wisdom-0": 100}, {"wisdom-1": "wisdom-1"})
    plan = world.ask().plan
    assert plan is not None
    assert plan.rules[0].matches == (Match(headers=(("traffic", "exact", "test"),)),)


def test_candidates_come_in_the_policys_order() -> None:
    world = canary(spec("wisdom-2", None, GOLD), spec("wisdom-1", None, BETA))
    world.decide()

    assert list(world.matched()) == ["wisdom-2", "wisdom-1"]


def test_a_candidate_that_is_lost_leaves_its_calls_to_the_primary() -> None:
    world = canary("wisdom-1")
    world.decide()

    assert (world.down("wisdom-1").split(), world.matched()) == ({"wisdom-0": 100}, {})


def test_of_identical_matches_the_earlier_ready_version_wins_and_the_other_says_so() -> None:
    world = canary(spec("wisdom-1", None, GOLD), spec("wisdom-2", None, GOLD))

    outcome = world.decide()

    assert world.matched() == {"wisdom-1": "wisdom-1"}
    assert outcome.reasons["wisdom-2"] == "its matches belong to wisdom-1, which comes first"


def test_a_match_passes_to_the_next_version_when_the_earlier_is_lost() -> None:
    world = canary(spec("wisdom-1", None, GOLD), spec("wisdom-2", None, GOLD)).down("wisdom-1")
    world.decide()

    assert world.matched() == {"wisdom-2": "wisdom-2"}


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(
            Match(headers=(("a", "exact", "1"), ("B", "exact", "2"))), id="header names have no case"
        ),
        pytest.param(
            Match(headers=(("b", "exact", "2"), ("a", "exact", "1"))), id="conditions have no order"
        ),
    ],
)
def test_matches_are_identical_that_match_the_same(other: Match) -> None:
    one = Match(headers=(("a", "exact", "1"), ("b", "exact", "2")))
    world = canary(spec("wisdom-1", None, one), spec("wisdom-2", None, other))
    world.decide()

    assert world.matched() == {"wisdom-1": "wisdom-1"}


def test_a_version_keeps_the_matches_that_are_its_own() -> None:
    world = canary(spec("wisdom-1", None, GOLD), spec("wisdom-2", None, GOLD, BETA))

    outcome = world.decide()

    assert outcome.plan is not None
    assert outcome.plan.rules[1].matches == (BETA,)
    assert outcome.reasons["wisdom-2"] == (
        "gets the calls that match; some of its matches belong to wisdom-1, which comes first"
    )


@pytest.mark.parametrize("lost", [World.down, World.gone, World.deleting], ids=["down", "gone", "deleting"])
def test_the_primary_keeps_what_no_rule_gives_away_ready_or_not(lost: Any) -> None:
    """A candidate gets only what the policy gives it."""
    world = canary("wisdom-1")
    world.decide()

    assert lost(world, "wisdom-0").split() == {"wisdom-0": 100}
    assert world.matched() == {"wisdom-1": "wisdom-1"}
    assert (
        world.ask()
        .reasons["wisdom-0"]
        .startswith("the primary takes the calls that no candidate is given (not ready: ")
    )


def test_the_primary_keeps_its_calls_where_its_object_told_the_backend() -> None:
    """Its backend is then the one in force."""
    world = World("canary", environment="toy-hosts").ready("wisdom-0", "wisdom-1")
    world.decide()

    assert world.gone("wisdom-0").split() == {"wisdom-0": 100}
    assert world.matched() == {"wisdom-1": "wisdom-1"}
    plan = world.ask().plan
    assert plan is not None
    assert plan.rules[-1].shares[0].version.backends["http"].authority == "wisdom-0.example.com"


def test_candidates_take_over_where_the_options_say_so() -> None:
    world = canary(spec("wisdom-1", 10), spec("wisdom-2", 30, GOLD), config=TAKE_OVER)
    assert world.split() == {"wisdom-0": 100}

    outcome = world.down("wisdom-0").ask()

    assert world.split() == {"wisdom-1": 25, "wisdom-2": 75}
    assert world.matched() == {"wisdom-1": "wisdom-1", "wisdom-2": "wisdom-2"}
    assert outcome.reasons["wisdom-1"] == "gets the calls that match; takes over, as wisdom-0 is out"
    assert outcome.reasons["wisdom-0"] == "not ready: it crashed"


def test_candidates_take_over_from_a_primary_of_weight_0() -> None:
    assert canary("wisdom-1", config=TAKE_OVER, primary=0).split() == {"wisdom-1": 100}


def test_a_candidate_of_weight_0_gets_neither_matches_nor_the_primarys_calls() -> None:
    world = canary(spec("wisdom-1", 0), config=TAKE_OVER).down("wisdom-0")
    world.decide()

    assert world.matched() == {}
    assert world.ask().reasons["wisdom-1"] == "weight 0 keeps it out"


def test_the_primary_keeps_its_calls_where_nobody_can_take_over() -> None:
    outcome = canary("wisdom-1", config=TAKE_OVER, primary=0).down("wisdom-1").ask()

    assert outcome.held is None
    assert outcome.plan is not None
    assert [share.version.name for share in outcome.plan.rules[-1].shares] == ["wisdom-0"]
