"""mirror: the primary answers every call, candidates get copies."""

from typing import Any

import pytest

from tests.decision.world import World
from turnout.testing.builders import policy, spec


def mirror(*candidates: Any, config: Any = None, **fields: Any) -> World:
    """A ready primary with these ready candidates."""
    world = World("mirror", policy("wisdom-0", *candidates, **fields), config=config)
    return world.ready(*world.accepted.refs)


def test_a_candidate_gets_a_copy_of_every_call() -> None:
    world = mirror("wisdom-1")

    assert (world.split(), world.mirrored()) == ({"wisdom-0": 100}, {"wisdom-1": 100})
    assert world.ask().reasons["wisdom-1"] == "gets a copy of 100% of the calls"


def test_a_candidate_that_is_not_ready_gets_no_copies() -> None:
    world = mirror("wisdom-1").down("wisdom-1")

    assert (world.split(), world.mirrored()) == ({"wisdom-0": 100}, {})


@pytest.mark.parametrize(
    ("weight", "config", "given", "expected"),
    [
        pytest.param(None, 30, None, {"wisdom-1": 30}, id="the option"),
        pytest.param(40, 30, None, {"wisdom-1": 40}, id="the candidate's weight before the option"),
        pytest.param(None, 30, 20, {"wisdom-1": 20}, id="TrafficWeights before the option"),
        pytest.param(None, 100, 12.5, {"wisdom-1": 12.5}, id="half a percent"),
        pytest.param(None, 0, None, {}, id="no copies"),
        pytest.param(0, 100, None, {}, id="weight 0 excludes"),
    ],
)
def test_the_percentage_is_that_of(
    weight: int | None, config: int, given: float | None, expected: dict[str, float]
) -> None:
    world = mirror(
        spec("wisdom-1", weight), config={"mirror": {"percentage": config}}, mirror_percentage=given
    )
    world.decide()

    assert world.mirrored() == expected


def test_several_candidates_have_percentages_of_their_own() -> None:
    world = mirror(spec("wisdom-1", 20), "wisdom-2", spec("wisdom-3", 50)).down("wisdom-2")
    world.decide()

    assert world.mirrored() == {"wisdom-1": 20, "wisdom-3": 50}


@pytest.mark.parametrize("lost", [World.down, World.gone, World.deleting], ids=["down", "gone", "deleting"])
def test_the_primary_answers_ready_or_not(lost: Any) -> None:
    world = mirror("wisdom-1")
    world.decide()

    assert lost(world, "wisdom-0").split() == {"wisdom-0": 100}
    assert world.mirrored() == {"wisdom-1": 100}


def test_candidates_answer_where_the_options_say_so_and_get_no_copies_then() -> None:
    world = mirror("wisdom-1", config={"mirror": {"fallback": "candidate"}}).down("wisdom-0")

    assert (world.split(), world.mirrored()) == ({"wisdom-1": 100}, {})
