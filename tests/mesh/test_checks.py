"""What judges the traffic in these tests can find fault."""

import pytest

from tests.mesh.load import Call
from tests.mesh.routes_watch import GRACE, RoutesWatch, Span, astray
from tests.mesh.statistics import expected_split, misfit, two_sided

BOTH, ALONE = {"wisdom-0": 50, "wisdom-1": 50}, {"wisdom-0": 100}


def watched(*spans: Span) -> RoutesWatch:
    routes = RoutesWatch.__new__(RoutesWatch)
    routes._spans = list(spans)
    return routes


ROUTES = watched(Span(BOTH, 10.0, 20.0), Span(ALONE, 20.1, 30.0))
"""The candidate left between 20.0 and 20.1."""


@pytest.mark.parametrize(
    ("call", "stray"),
    [
        (Call(15.0, 15.1, "wisdom-1"), False),
        (Call(20.1 + GRACE / 2, 20.3, "wisdom-1"), False),
        (Call(20.2 + GRACE, 20.5, "wisdom-1"), True),
        (Call(20.2 + GRACE, 20.5, "wisdom-0"), False),
        (Call(20.2 + GRACE, 20.5, "wisdom-0,wisdom-1", stream=True), True),
        (Call(15.0, 15.1, "wisdom-2"), True),
        (Call(20.2 + GRACE, 20.5, "", error="NOT_FOUND"), False),
    ],
)
def test_calls_to_a_version_outside_the_routes_are_found(call: Call, stray: bool) -> None:
    assert astray([call], ROUTES) == [call] * stray


def test_a_binomial_test_by_the_book() -> None:
    """Exact values: the tails of a fair coin."""
    assert two_sided(5, 10, 0.5) == 1.0
    assert two_sided(0, 10, 0.5) == pytest.approx(2 / 1024)
    assert two_sided(1, 10, 0.5) == pytest.approx(22 / 1024)
    assert two_sided(10, 10, 1.0) == 1.0
    assert two_sided(9, 10, 1.0) == 0.0


@pytest.mark.parametrize(
    ("counts", "told"),
    [
        ({"wisdom-0": 500, "wisdom-1": 500}, ""),
        ({"wisdom-0": 600, "wisdom-1": 400}, "no split"),
        ({"wisdom-0": 499, "wisdom-1": 500, "wisdom-2": 1}, "answered by {'wisdom-2'}"),
        ({"wisdom-0": 1000}, "no split"),
        ({"wisdom-0": 50, "wisdom-1": 50}, "too few"),
    ],
)
def test_counts_that_are_no_split_are_told(counts: dict[str, int], told: str) -> None:
    found = misfit(counts, BOTH)
    assert told in found
    assert bool(found) == bool(told)


@pytest.mark.parametrize(
    ("first", "times"),
    [
        pytest.param({"wisdom-0": 500, "wisdom-1": 500}, 1, id="a fit"),
        pytest.param({"wisdom-0": 555, "wisdom-1": 445}, 2, id="what chance may be"),
        pytest.param({"wisdom-0": 50, "wisdom-1": 50}, 2, id="too few"),
    ],
)
def test_counts_that_chance_may_refuse_are_counted_anew_once(first: dict[str, int], times: int) -> None:
    counts = [first, {"wisdom-0": 510, "wisdom-1": 490}, {}]
    expected_split(lambda: counts.pop(0), BOTH)
    assert len(counts) == 3 - times


@pytest.mark.parametrize(
    "first",
    [
        pytest.param({"wisdom-0": 600, "wisdom-1": 400}, id="another split"),
        pytest.param({"wisdom-0": 499, "wisdom-1": 500, "wisdom-2": 1}, id="a stranger"),
    ],
)
def test_a_fault_is_not_counted_anew(first: dict[str, int]) -> None:
    counts = [first, {"wisdom-0": 510, "wisdom-1": 490}]
    with pytest.raises(AssertionError):
        expected_split(lambda: counts.pop(0), BOTH)


def test_copies_are_shares_of_the_calls() -> None:
    shares = {"wisdom-0": 100, "wisdom-1": 30, "wisdom-2": 1.5}
    assert misfit({"wisdom-0": 1000, "wisdom-1": 310, "wisdom-2": 12}, shares, of=1000) == ""
    assert "p = " in misfit({"wisdom-0": 1000, "wisdom-1": 400, "wisdom-2": 12}, shares, of=1000)
    assert "p = 0" in misfit({"wisdom-0": 999, "wisdom-1": 310, "wisdom-2": 12}, shares, of=1000)
