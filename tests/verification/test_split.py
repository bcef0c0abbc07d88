"""When counts match a split, when they differ, and when there are too few of them."""

import bisect
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from turnout.decision.shares import percent
from turnout.verification.split import (
    MOST,
    Share,
    Strictness,
    Verdict,
    judge,
    least_tolerance,
    needed,
    of_weights,
    overall,
)

STRICT = Strictness()
HALVES = of_weights({"a": 1, "b": 1})
MATCHES, DIFFERS, UNCERTAIN = Verdict


@pytest.mark.parametrize(
    ("weights", "counts", "verdict"),
    [
        pytest.param({"a": 20, "b": 80}, {"a": 400, "b": 1600}, MATCHES, id="as decided"),
        pytest.param({"a": 20, "b": 80}, {"a": 430, "b": 1570}, MATCHES, id="as chance has it"),
        pytest.param({"a": 20, "b": 80}, {"a": 1600, "b": 400}, DIFFERS, id="the other way round"),
        pytest.param({"a": 1, "b": 1}, {"a": 600, "b": 400}, DIFFERS, id="60 of 100 for 50"),
        pytest.param({"a": 20, "b": 80}, {"a": 20, "b": 80}, UNCERTAIN, id="few"),
        pytest.param({"a": 1, "b": 99}, {"b": 2000}, DIFFERS, id="a small share is missing"),
        pytest.param({"a": 1, "b": 99}, {"b": 200}, MATCHES, id="a small share that may be missing"),
        pytest.param({"a": 50, "b": 50}, {"a": 100}, DIFFERS, id="few, and nothing like it"),
        pytest.param({"a": 50, "b": 50}, {}, UNCERTAIN, id="nothing"),
        pytest.param({"a": 1}, {"a": 10}, UNCERTAIN, id="all, of few"),
        pytest.param({"a": 1}, {"a": 200}, MATCHES, id="all"),
        pytest.param({"a": 1}, {"a": 1999, "b": 1}, DIFFERS, id="one by an unknown version"),
        pytest.param({"a": 1, "b": 0}, {"a": 1999, "b": 1}, DIFFERS, id="one by a version without a share"),
        pytest.param({"a": 1, "b": 0}, {"a": 2000}, MATCHES, id="none by a version without a share"),
        pytest.param({"a": 1, "b": 0}, {"a": 1, "b": 1}, DIFFERS, id="few, one of them wrong"),
        pytest.param({"a": 1, "b": 1, "c": 1}, {"a": 1000, "b": 1000, "c": 1000}, MATCHES, id="thirds"),
        pytest.param({"a": 1, "b": 1, "c": 1}, {"a": 1500, "b": 1500}, DIFFERS, id="a third is missing"),
    ],
)
def test_verdicts(weights: dict[str, float], counts: dict[str, int], verdict: Verdict) -> None:
    assert overall(judge(of_weights(weights), counts, STRICT)) is verdict


@pytest.mark.parametrize("counts", [{}, {"a": 1}, {"a": 50, "b": 49}])
def test_few_answers_are_no_evidence_whatever_is_tolerated(counts: dict[str, int]) -> None:
    lax = Strictness(confidence=0.5, tolerance=0.5)
    split = of_weights({"a": 1, "b": 1, "c": 0})
    assert {one.verdict for one in judge(split, counts, lax)} == {UNCERTAIN}
    enough = judge(split, {"a": 50, "b": 50}, lax)
    assert overall(enough) is MATCHES


def test_each_version_is_judged_and_strangers_come_last() -> None:
    judged = {one.name: one for one in judge(HALVES, {"a": 600, "z": 300, "": 100}, STRICT)}
    assert list(judged) == ["a", "b", "", "z"]
    assert (judged["a"].count, judged["a"].share, judged["a"].verdict) == (600, 0.6, DIFFERS)
    assert judged["b"].verdict is DIFFERS
    assert (judged["z"].expected, judged["z"].verdict) == (None, DIFFERS)


def test_tolerance_is_what_a_match_rules_out() -> None:
    counts = {"a": 505, "b": 495}
    assert overall(judge(HALVES, counts, Strictness(tolerance=0.05))) is UNCERTAIN
    assert overall(judge(HALVES, counts, Strictness(tolerance=0.10))) is MATCHES


@pytest.mark.parametrize(
    ("weights", "counts"),
    [({"few": 1, "many": 99}, {"many": 100}), ({"few": 1, "many": 3}, {"few": 100, "many": 300})],
)
def test_either_side_of_a_share_has_to_be_ruled_out(
    weights: dict[str, float], counts: dict[str, int]
) -> None:
    """Of a small share the upper, of a large one the lower."""
    assert [one.verdict for one in judge(of_weights(weights), counts, STRICT)] == [UNCERTAIN, UNCERTAIN]


def test_confidence_is_what_a_difference_needs() -> None:
    counts = {"a": 560, "b": 440}
    assert overall(judge(HALVES, counts, Strictness(confidence=0.99))) is DIFFERS
    assert overall(judge(HALVES, counts, Strictness(confidence=0.9999))) is UNCERTAIN


def test_confidence_holds_over_all_versions_together() -> None:
    """Each of ten intervals is wider than the one of two: by chance one of ten is off more often."""
    ten = of_weights({str(number): 1 for number in range(10)})
    two = of_weights({"0": 1, "rest": 9})
    (narrow, *_), (wide, *_) = (
        judge(two, {"0": 10, "rest": 90}, STRICT),
        judge(ten, {"0": 10, "1": 90}, STRICT),
    )
    assert wide.low < narrow.low < narrow.high < wide.high


def missed(weights: dict[str, float], calls: int) -> float:
    """How often at most, exactly, chance alone keeps a right split from a match."""
    split = of_weights(weights)
    total = sum(weights.values())

    def matching(name: str, count: int) -> bool:
        judged = {one.name: one for one in judge(split, {name: count, "rest": calls - count}, STRICT)}
        return judged[name].verdict is MATCHES

    def chance(share: float, count: int) -> float:
        ways = math.lgamma(calls + 1) - math.lgamma(count + 1) - math.lgamma(calls - count + 1)
        return math.exp(ways + count * math.log(share) + (calls - count) * math.log1p(-share))

    # Of two versions the one says all of the other: they are off together.
    either = [name for name, weight in weights.items() if weight < total][: 1 if len(weights) == 2 else None]
    sum_missed = 0.0
    for name in either:
        share = weights[name] / total
        middle = round(calls * share)
        low = bisect.bisect_left(range(middle), True, key=lambda count: matching(name, count))
        high = bisect.bisect_left(range(middle, calls + 1), True, key=lambda count: not matching(name, count))
        sum_missed += 1 - math.fsum(chance(share, count) for count in range(low, middle + high))
    return sum_missed


@pytest.mark.parametrize(
    "weights",
    [
        {"a": 1},
        {"a": 1, "b": 1},
        {"a": 20, "b": 80},
        {"a": 5, "b": 95},
        {"a": 1, "b": 99},
        {"a": 1, "b": 999},
        {"a": 1, "b": 2, "c": 3},
        dict.fromkeys("abcdefghij", 1),
    ],
)
def test_as_many_calls_as_are_needed_are_enough_in_999_of_1000_cases(weights: dict[str, float]) -> None:
    """And a third of them mostly are not."""
    enough = needed(of_weights(weights), STRICT)
    assert enough is not None
    assert missed(weights, enough) < 0.001
    assert enough <= 300 or missed(weights, enough // 3) > 0.3


def test_more_calls_are_needed_for_less_tolerance_and_more_confidence() -> None:
    default = needed(HALVES, STRICT) or MOST
    assert (needed(HALVES, Strictness(tolerance=0.02)) or 0) > 5 * default
    assert (needed(HALVES, Strictness(confidence=0.99999)) or 0) > default
    assert needed(of_weights({"a": 1}), STRICT) == 200


@pytest.mark.parametrize("confidence", [0.9, 0.999, 0.9999999])
@pytest.mark.parametrize("weights", [{"a": 1, "b": 1}, {"a": 1, "b": 99}])
def test_of_less_than_the_least_tolerance_no_number_of_calls_decides(
    weights: dict[str, float], confidence: float
) -> None:
    split = of_weights(weights)
    least = least_tolerance(split, confidence)
    assert (needed(split, Strictness(confidence, least)) or 2 * MOST) <= MOST
    assert needed(split, Strictness(confidence, least - 0.0001)) is None


@pytest.mark.parametrize(
    ("text", "share"),
    [
        ("100%", Share(1, 1)),
        ("0%", Share(0, 0)),
        ("<0.1%", Share(0, 0.001)),
        (">99.9%", Share(0.999, 1)),
        ("match", None),
        ("mirror 50%", None),
        ("", None),
    ],
)
def test_a_share_is_read_as_a_status_says_it(text: str, share: Share | None) -> None:
    assert Share.parse(text) == share


@given(st.floats(0, 1))
def test_what_a_status_says_holds_what_was_decided(value: float) -> None:
    share = Share.parse(percent(100 * value))
    assert share is not None
    assert share.low - 1e-9 <= value <= share.high + 1e-9
    assert share.high - share.low <= 0.001 + 1e-9
