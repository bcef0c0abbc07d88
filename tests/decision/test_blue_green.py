"""blue-green: all ready versions share the calls by weight."""

import pytest

from tests.decision.world import World
from turnout.reasons import Reason
from turnout.testing.builders import policy, spec


def weighted(*weights: int | None) -> World:
    """A policy with these weights, with every version ready."""
    specs = [spec(f"wisdom-{index}", weight) for index, weight in enumerate(weights)]
    return World("blue-green", policy(*specs)).ready(*(one.name for one in specs))


@pytest.mark.parametrize(
    ("weights", "split"),
    [
        pytest.param((None, None), {"wisdom-0": 50, "wisdom-1": 50}, id="halves unless said otherwise"),
        pytest.param((20, 80), {"wisdom-0": 20, "wisdom-1": 80}, id="as said"),
        pytest.param((1, 2), {"wisdom-0": 33.3, "wisdom-1": 66.7}, id="relative"),
        pytest.param((None, 150), {"wisdom-0": 25, "wisdom-1": 75}, id="the default is 50"),
        pytest.param((100, 0), {"wisdom-0": 100}, id="0 excludes"),
        pytest.param((0, 5), {"wisdom-1": 100}, id="0 excludes the primary as well"),
        pytest.param((None,) * 16, {f"wisdom-{n}": 6.2 for n in range(16)}, id="sixteen versions"),
    ],
)
def test_weights_share_the_calls(weights: tuple[int | None, ...], split: dict[str, float]) -> None:
    assert weighted(*weights).split() == split


def test_the_versions_beside_a_missing_one_share_by_their_own_weights() -> None:
    """Leaving the primary's weight out, as its predecessor did, gave everything to the third."""
    world = weighted(60, 20, 20).down("wisdom-1")

    assert world.split() == {"wisdom-0": 75, "wisdom-2": 25}


def test_candidates_share_what_a_lost_primary_had() -> None:
    world = weighted(50, 10, 30).down("wisdom-0")

    assert world.split() == {"wisdom-1": 25, "wisdom-2": 75}


def test_an_aborted_candidate_is_not_revived_when_the_primary_stumbles() -> None:
    world = weighted(100, 0)
    world.decide()

    outcome = world.down("wisdom-0").decide()

    assert outcome.held is Reason.NO_WEIGHT
    assert world.split() == {"wisdom-0": 100}


def test_a_primary_that_is_not_the_first_version_is_as_good() -> None:
    world = World("blue-green", policy("new", "old", primary="old")).ready("old")
    assert world.split() == {"old": 100}

    assert world.ready("new").split() == {"new": 50, "old": 50}


def test_everyone_is_told_why() -> None:
    world = weighted(20, 80, 0, 50).down("wisdom-3")

    assert world.ask().reasons == {
        "wisdom-0": "ready, weight 20 of 100",
        "wisdom-1": "ready, weight 80 of 100",
        "wisdom-2": "weight 0 keeps it out",
        "wisdom-3": "not ready: it crashed",
    }


def test_promotion_ends_with_everything_on_the_primary() -> None:
    """The tutorial: replace the primary by what the candidate was, then delete the candidate."""
    world = weighted(20, 80)
    world.decide()

    assert world.ready("wisdom-0", finalizers=()).split() == {"wisdom-0": 20, "wisdom-1": 80}
    assert world.deleting("wisdom-1").split() == {"wisdom-0": 100}
    assert world.gone("wisdom-1").split() == {"wisdom-0": 100}
