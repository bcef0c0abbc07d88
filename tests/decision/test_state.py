"""A strategy's memory: kept for the candidates it is about, and for no others."""

from datetime import UTC, datetime
from typing import Any

import pytest

from tests.decision.scripted import Scripted, everything
from tests.decision.world import World
from turnout.plugin import Decision, Inputs
from turnout.testing.builders import policy


def count(inputs: Inputs) -> Decision:
    """Counts its decisions."""
    return everything(inputs, state={"count": inputs.state.get("count", 0) + 1})


def counted(world: World) -> int:
    """Decide, and return how many decisions the strategy remembers."""
    found: int = world.decide().strategy_state["data"]["count"]
    return found


@pytest.fixture
def world() -> World:
    made = World(Scripted(count)).ready("wisdom-0", "wisdom-1")
    assert [counted(made), counted(made)] == [1, 2]
    return made


def test_a_strategy_remembers(world: World) -> None:
    assert counted(world) == 3


def test_it_forgets_when_the_candidate_is_another_object(world: World) -> None:
    assert counted(world.ready("wisdom-1", uid="another")) == 1


def test_it_forgets_when_the_candidate_serves_something_else(world: World) -> None:
    ref = world.accepted.refs["wisdom-1"][0]
    seen = world.objects[ref].observations["kserve-modelmesh"]
    object.__setattr__(seen, "revision", "2")

    assert counted(world) == 1


def test_it_forgets_when_the_candidate_is_gone(world: World) -> None:
    assert counted(world.gone("wisdom-1")) == 1


def test_it_remembers_when_only_the_primary_is_another(world: World) -> None:
    assert counted(world.ready("wisdom-0", uid="another")) == 3


def test_it_forgets_when_the_roles_change(world: World) -> None:
    assert counted(world.change(policy("wisdom-0", "wisdom-1", primary="wisdom-1"))) == 1


def test_it_remembers_while_a_candidate_stumbles(world: World) -> None:
    """What to make of that is the strategy's to say."""
    assert counted(world.down("wisdom-1")) == 3


def test_another_strategy_does_not_see_it(world: World) -> None:
    other = World("blue-green").ready("wisdom-0", "wisdom-1")
    other.state = world.state

    assert other.decide().strategy_state == {}


def test_the_state_stays_while_no_version_is_ready_and_the_strategy_is_not_asked(world: World) -> None:
    before = world.state

    assert world.down("wisdom-0", "wisdom-1").decide().strategy_state == before
    assert counted(world.ready("wisdom-0", "wisdom-1")) == 3


@pytest.mark.parametrize(
    "stored",
    [
        pytest.param({}, id="nothing"),
        pytest.param({"strategy": "scripted"}, id="no candidates"),
        pytest.param({"strategy": ["scripted"], "candidates": 1, "data": {"count": 9}}, id="odd types"),
        pytest.param("data is text", id="data that is no mapping"),
    ],
)
def test_a_state_that_someone_has_spoilt_is_forgotten(world: World, stored: Any) -> None:
    world.state = stored if isinstance(stored, dict) else {**world.state, "data": stored}

    assert counted(world) == 1


def test_a_state_is_what_json_makes_of_it() -> None:
    """So that it equals what the status gives back, and is not written again for ever."""
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    made = World(Scripted(lambda inputs: everything(inputs, state={"steps": (1, 2), "at": moment})))

    state = made.ready("wisdom-0").decide().strategy_state

    assert state["data"] == {"steps": [1, 2], "at": "2026-01-01T00:00:00+00:00"}


def test_a_state_may_fill_its_16_kib() -> None:
    made = World(Scripted(lambda inputs: everything(inputs, state={"log": "x" * (16 * 1024 - 10)})))

    assert len(made.ready("wisdom-0").decide().strategy_state["data"]["log"]) == 16374


def test_a_strategy_is_told_all_that_there_is_to_know() -> None:
    strategy = Scripted(everything)
    world = World(strategy, policy(mirror_percentage=30)).ready("wisdom-0", "wisdom-1")
    world.decide()
    world.later(60).decide()

    asked = strategy.asked[-1]

    assert (asked.primary, asked.in_force, asked.mirror_percentage) == ("wisdom-0", {"wisdom-0": 100}, 30)
    assert asked.now == datetime(2026, 1, 1, 0, 1, tzinfo=UTC)
    assert [version.name for version in asked.versions] == ["wisdom-0", "wisdom-1"]


def test_time_based_steps_go_on_where_they_were() -> None:
    world = World("toy-steps", environment="toy-hosts").ready("wisdom-0", "wisdom-1")
    steps = [world.split(), world.later(130).split(), world.unknown("wisdom-1").later(60).split()]

    assert steps == [
        {"wisdom-1": 10, "wisdom-0": 90},
        {"wisdom-1": 30, "wisdom-0": 70},
        {"wisdom-1": 40, "wisdom-0": 60},
    ]
    assert world.ready("wisdom-1", uid="another").split() == {"wisdom-1": 10, "wisdom-0": 90}
