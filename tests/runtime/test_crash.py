"""The controller dies at every call of the tutorial in turn: it ends in the same routes each time."""

from collections.abc import Callable

import pytest

from tests.runtime.crashing import Fault, Step, deploy, observe, play, play_all
from tests.runtime.harness import Bed, isvc, rp

PARTS = 2
"""The calls are dealt to so many tests, which may run beside each other."""


def _promote(bed: Bed) -> None:
    bed.replace("wisdom-0", "v1")
    bed.delete(isvc("wisdom-1"))


def _promoted(bed: Bed) -> bool:
    first = bed.status()["versions"][0]
    return bed.split() == "wisdom-0 100%" and not bed.exists(isvc("wisdom-1")) and first["appVersion"] == "v1"


def _clean_up(bed: Bed) -> None:
    bed.delete(isvc("wisdom-1"))
    bed.delete(rp())
    bed.delete(isvc("wisdom-0"))


TUTORIAL: tuple[Step, ...] = (
    (deploy, lambda bed: bed.split() == "wisdom-0 100%"),
    (
        lambda bed: bed.version("wisdom-1", label="v1"),
        lambda bed: bed.split() == "wisdom-0 50% / wisdom-1 50%",
    ),
    (
        lambda bed: bed.weights(wisdom_0=20, wisdom_1=80),
        lambda bed: bed.split() == "wisdom-0 20% / wisdom-1 80%",
    ),
    (_promote, _promoted),
    (
        lambda bed: bed.version("wisdom-1", label="v2"),
        lambda bed: bed.split() == "wisdom-0 20% / wisdom-1 80%",
    ),
    (_clean_up, lambda bed: bed.snapshot() == {}),
)


def test_the_tutorial_without_a_fault(make_bed: Callable[[], Bed]) -> None:
    """It is the same each time, so that it can be compared."""
    expected, bed = observe(make_bed(), TUTORIAL), make_bed()
    fault = Fault(bed, None)
    play(bed, expected, fault, TUTORIAL)
    assert fault.counted > 30


@pytest.mark.parametrize("part", range(PARTS))
def test_it_dies_before_any_call_arrives(make_bed: Callable[[], Bed], part: int) -> None:
    """A successor finds everything it needs in the cluster."""
    play_all(make_bed, TUTORIAL, part=part, parts=PARTS)


@pytest.mark.parametrize("part", range(PARTS))
def test_it_dies_before_any_write_is_answered(make_bed: Callable[[], Bed], part: int) -> None:
    """What was written is found, and not written again."""
    play_all(make_bed, TUTORIAL, part=part, parts=PARTS, answered=True)


@pytest.mark.parametrize("part", range(PARTS))
def test_it_lives_without_the_answer_to_any_write(make_bed: Callable[[], Bed], part: int) -> None:
    """What the call has done is found out."""
    play_all(make_bed, TUTORIAL, part=part, parts=PARTS, answered=True, deadly=False)
