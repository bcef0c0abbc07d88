"""Confidence intervals: against published values, against exact sums, and by what defines them."""

from fractions import Fraction
from math import comb

import pytest
from hypothesis import given
from hypothesis import strategies as st

from turnout.verification.intervals import clopper_pearson, incomplete_beta


@pytest.mark.parametrize(
    ("count", "total", "error", "interval"),
    [
        # Clopper and Pearson 1934; Newcombe 1998, table I, method 5; R's binom.test
        pytest.param(10, 100, 0.05, (0.0490047, 0.1762226), id="10 of 100"),
        pytest.param(81, 263, 0.05, (0.2527, 0.3676), id="81 of 263"),
        pytest.param(15, 148, 0.05, (0.0578, 0.1617), id="15 of 148"),
        pytest.param(0, 20, 0.05, (0.0, 0.1684), id="0 of 20"),
        pytest.param(1, 29, 0.05, (0.0009, 0.1776), id="1 of 29"),
        pytest.param(0, 0, 0.05, (0.0, 1.0), id="nothing"),
    ],
)
def test_known_intervals(count: int, total: int, error: float, interval: tuple[float, float]) -> None:
    assert clopper_pearson(count, total, error) == pytest.approx(interval, abs=5e-5)


counts = st.integers(1, 400).flatmap(lambda total: st.tuples(st.integers(0, total), st.just(total)))
chances = st.floats(1e-6, 1 - 1e-6)
errors = st.sampled_from([0.05, 0.001, 1e-6])


def tail(count: int, total: int, chance: float) -> float:
    """The chance of at least `count` of `total`, summed exactly."""
    p = Fraction(chance)
    terms = (comb(total, k) * p**k * (1 - p) ** (total - k) for k in range(count, total + 1))
    return float(sum(terms, Fraction(0)))


@given(st.integers(1, 60).flatmap(lambda n: st.tuples(st.integers(1, n), st.just(n))), chances)
def test_incomplete_beta_is_the_tail_of_the_binomial_distribution(of: tuple[int, int], chance: float) -> None:
    count, total = of
    assert incomplete_beta(chance, count, total - count + 1) == pytest.approx(
        tail(count, total, chance), rel=1e-9, abs=1e-300
    )


@given(st.floats(0.1, 1e5), st.floats(0.1, 1e5), chances)
def test_incomplete_beta_is_symmetric(a: float, b: float, x: float) -> None:
    assert incomplete_beta(x, a, b) + incomplete_beta(1 - x, b, a) == pytest.approx(1.0, abs=1e-7)


@given(counts, errors)
def test_the_ends_are_where_the_tails_are_half_the_error(of: tuple[int, int], error: float) -> None:
    """That is their definition: a share beyond an end makes what was counted that unlikely."""
    count, total = of
    low, high = clopper_pearson(count, total, error)
    assert 0 <= low <= count / total <= high <= 1
    if count:
        assert incomplete_beta(low, count, total - count + 1) == pytest.approx(error / 2, rel=1e-6)
    if count < total:
        assert 1 - incomplete_beta(high, count + 1, total - count) == pytest.approx(error / 2, rel=1e-4)


@given(counts, errors)
def test_what_is_not_counted_mirrors_what_is(of: tuple[int, int], error: float) -> None:
    count, total = of
    low, high = clopper_pearson(count, total, error)
    assert clopper_pearson(total - count, total, error) == pytest.approx((1 - high, 1 - low), abs=1e-9)


@given(counts)
def test_more_confidence_takes_a_wider_interval_and_more_calls_a_narrower_one(of: tuple[int, int]) -> None:
    count, total = of
    low, high = clopper_pearson(count, total, 0.01)
    wide, narrow = clopper_pearson(count, total, 0.001), clopper_pearson(10 * count, 10 * total, 0.01)
    assert wide[0] <= low <= narrow[0]
    assert narrow[1] <= high <= wide[1]


@pytest.mark.parametrize("share", [0.002, 0.2, 0.5, 0.97])
def test_the_interval_holds_the_true_share_as_often_as_it_says(share: float) -> None:
    """Exactly, over all that can be counted in 150 calls."""
    total, error = 150, 0.01
    held = sum(
        comb(total, count) * share**count * (1 - share) ** (total - count)
        for count in range(total + 1)
        if (interval := clopper_pearson(count, total, error))[0] <= share <= interval[1]
    )
    assert 1 - error <= held < 1


def test_a_million_calls_are_no_problem() -> None:
    assert clopper_pearson(300_000, 1_000_000, 0.001) == pytest.approx((0.298494, 0.301510), abs=1e-5)


@pytest.mark.parametrize(("count", "total", "error"), [(2, 1, 0.1), (-1, 1, 0.1), (1, 1, 0.0), (1, 1, 1.0)])
def test_what_makes_no_sense_is_refused(count: int, total: int, error: float) -> None:
    with pytest.raises(ValueError, match="no interval for"):
        clopper_pearson(count, total, error)
