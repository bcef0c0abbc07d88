"""Exact confidence intervals for a share, from counts. Pure.

The method is Clopper and Pearson's: whatever the true share is, the interval holds it at least as often
as the confidence says.
"""

from collections.abc import Callable
from math import exp, lgamma, log, log1p

STEPS = 100_000
"""More terms than the fraction below needs for any count that can be waited for."""
PRECISION = 1e-15
TINY = 1e-300


def clopper_pearson(count: int, total: int, error: float) -> tuple[float, float]:
    """The interval, within 0..1, for a share that `count` of `total` independent calls had.

    `error`: how often, at most, it may miss the true share (0.001 for 99.9 %); either side gets half.
    """
    if not 0 <= count <= total or not 0 < error < 1:
        raise ValueError(f"no interval for {count} of {total} with an error of {error}")
    low = 0.0 if count == 0 else _solved(lambda x: incomplete_beta(x, count, total - count + 1), error / 2)
    high = (
        1.0
        if count == total
        else _solved(lambda x: incomplete_beta(x, count + 1, total - count), 1 - error / 2)
    )
    return low, high


def incomplete_beta(x: float, a: float, b: float) -> float:
    """The regularized incomplete beta function I_x(a, b), for positive a and b.

    For whole numbers it is the chance that at least a of a + b - 1 calls go where each goes with chance x.
    """
    if x <= 0:
        return 0.0
    if x >= 1:
        return 1.0
    front = exp(a * log(x) + b * log1p(-x) + lgamma(a + b) - lgamma(a) - lgamma(b))
    if x <= (a + 1) / (a + b + 2):  # where the fraction converges fast
        return front * _fraction(x, a, b) / a
    return 1.0 - front * _fraction(1 - x, b, a) / b


def _fraction(x: float, a: float, b: float) -> float:
    """The continued fraction of I_x(a, b), by the method of Lentz (DLMF 8.17.22)."""
    c, d = 1.0, 1.0 / _nonzero(1.0 - (a + b) * x / (a + 1))
    value = d
    for m in range(1, STEPS):
        for numerator in (
            m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)),
        ):
            d = 1.0 / _nonzero(1.0 + numerator * d)
            c = _nonzero(1.0 + numerator / c)
            value *= c * d
        if abs(c * d - 1.0) < PRECISION:
            break
    return value


def _nonzero(value: float) -> float:
    return value if abs(value) > TINY else TINY


def _solved(rising: Callable[[float], float], wanted: float) -> float:
    """Where in 0..1 a rising function has a value, by halving."""
    low, high = 0.0, 1.0
    while low < (middle := (low + high) / 2) < high:
        if rising(middle) < wanted:
            low = middle
        else:
            high = middle
    return (low + high) / 2
