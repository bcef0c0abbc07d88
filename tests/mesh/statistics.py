"""Whether counts fit shares: exact binomial tests."""

from collections.abc import Callable, Mapping
from math import exp, lgamma, log

SIGNIFICANCE = 0.001
"""The probability of refusing counts that do come of the shares."""
LEAST = 300
"""Fewer calls are not judged."""


def expected_split(counted: Callable[[], Mapping[str, int]], shares: Mapping[str, int]) -> None:
    """Assert that counts of versions fit their shares of 100, each within its 99.9 % bound.

    Where they do not, `counted` counts anew, once: of many checks one in a thousand is refused by chance.
    """
    if misfit(counted(), shares):
        assert not (found := misfit(counted(), shares)), found


def misfit(counts: Mapping[str, int], shares: Mapping[str, int]) -> str:
    """Why counts of versions are no split by such shares; empty if they may be."""
    total = sum(counts.values())
    if total < LEAST:
        return f"too few calls to judge: {dict(counts)}"
    if strangers := set(counts) - set(shares):
        return f"answered by {strangers}, expected {dict(shares)}"
    for version, share in shares.items():
        probability = two_sided(counts.get(version, 0), total, share / 100)
        if probability < SIGNIFICANCE:
            return f"{dict(counts)} is no split of {dict(shares)}: p = {probability:.2g}"
    return ""


def two_sided(hits: int, total: int, share: float) -> float:
    """The probability of a count as far from its expectation as `hits` is, on either side of it."""
    if share in (0.0, 1.0):
        return float(hits == round(total * share))
    below = sum(_mass(count, total, share) for count in range(hits + 1))
    above = sum(_mass(count, total, share) for count in range(hits, total + 1))
    return min(1.0, 2 * min(below, above))


def _mass(count: int, total: int, share: float) -> float:
    ways = lgamma(total + 1) - lgamma(count + 1) - lgamma(total - count + 1)
    return exp(ways + count * log(share) + (total - count) * log(1 - share))
