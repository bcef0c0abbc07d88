"""Whether counts fit shares: exact binomial tests."""

from collections.abc import Callable, Mapping
from math import exp, lgamma, log

SIGNIFICANCE = 0.001
"""How likely it is to refuse counts that do come of the shares."""
HOPELESS = 1e-6
"""Counts that are less likely than that are not counted anew: it is no chance."""
LEAST = 300
"""Fewer calls are not judged."""


def expected_split(
    counted: Callable[[], Mapping[str, int]], shares: Mapping[str, int | float], *, of: int | None = None
) -> None:
    """Assert that counts of versions fit their shares of 100, each within its 99.9 % bound.

    Where chance may be why they do not, `counted` counts anew, once: of many checks one in a thousand is
    refused by it. `of`: the number of calls, where several versions got the same one; default: all counts.
    """
    counts = counted()
    if misfit(counts, shares, of=of) and probability(counts, shares, of=of) > HOPELESS:
        counts = counted()
    assert not (found := misfit(counts, shares, of=of)), found


def misfit(counts: Mapping[str, int], shares: Mapping[str, int | float], *, of: int | None = None) -> str:
    """Why counts of versions do not come of such shares; empty if they may."""
    if strangers := set(counts) - set(shares):
        return f"answered by {strangers}, expected {dict(shares)}"
    if (total := sum(counts.values())) < LEAST:
        return f"too few calls to judge: {dict(counts)}"
    if (found := probability(counts, shares, of=of)) < SIGNIFICANCE:
        return f"{dict(counts)} of {of or total} calls are no split of {dict(shares)}: p = {found:.2g}"
    return ""


def probability(
    counts: Mapping[str, int], shares: Mapping[str, int | float], *, of: int | None = None
) -> float:
    """How likely counts are that are as far off as these, of the version that is furthest; 0 for strangers."""
    total = sum(counts.values()) if of is None else of
    if set(counts) - set(shares):
        return 0.0
    return min(two_sided(counts.get(version, 0), total, share / 100) for version, share in shares.items())


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
