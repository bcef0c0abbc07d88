"""The decided split, the counted one, and whether they are the same. Pure."""

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from statistics import NormalDist

from turnout.verification.intervals import clopper_pearson

PERCENT = re.compile(r"([<>]?)(\d+(?:\.\d+)?)%")
ROUNDED = 0.0005
"""A policy's status says a share with one decimal of a percent: the decided one is within half of that."""
MOST = 1_000_000
"""More calls than that cannot be asked for."""
FEWEST = 100
"""With fewer answers than that nothing matches, whatever is tolerated."""
MISSED = 0.0004
"""How often, at most, chance may take a share further off than `needed` leaves room for."""


class Verdict(StrEnum):
    """What the counts say."""

    MATCHES = "matches"
    DIFFERS = "differs"
    UNCERTAIN = "not enough evidence"


@dataclass(frozen=True, slots=True)
class Share:
    """A decided share as a range within 0..1, since it may be known with a few digits only."""

    low: float
    high: float

    @property
    def middle(self) -> float:
        return (self.low + self.high) / 2

    @classmethod
    def exactly(cls, value: float) -> "Share":
        return cls(value, value)

    @classmethod
    def parse(cls, text: str) -> "Share | None":
        """A share as a policy's status says it: `33.3%`, `<0.1%`; None for one that is no percentage.

        Versions that get calls on a match or as copies are no part of the split.
        """
        found = PERCENT.fullmatch(text)
        if found is None:
            return None
        sign, value = found[1], round(float(found[2]) / 100, 6)
        if sign:
            return cls(0.0, value) if sign == "<" else cls(value, 1.0)
        if value in (0.0, 1.0):
            return cls.exactly(value)
        return cls(max(0.0, value - ROUNDED), min(1.0, value + ROUNDED))


Split = Mapping[str, Share]


def of_weights(weights: Mapping[str, float]) -> dict[str, Share]:
    """The split that relative weights decide; at least one is above 0."""
    total = sum(weights.values())
    return {name: Share.exactly(weight / total) for name, weight in weights.items()}


@dataclass(frozen=True, slots=True)
class Strictness:
    """`confidence`: how sure a verdict has to be, within 0..1, over all versions together.

    `tolerance`: the difference between two shares, within 0..1, that has to be ruled out for a match.
    """

    confidence: float = 0.999
    tolerance: float = 0.05

    def error(self, tests: int) -> float:
        """How often each of several intervals may miss, so that all hold with the confidence (Bonferroni)."""
        return (1 - self.confidence) / max(1, tests)


@dataclass(frozen=True, slots=True)
class Judged:
    """A version. `expected` is None for one that is no part of the split. Shares are within 0..1."""

    name: str
    expected: Share | None
    count: int
    share: float
    low: float
    high: float
    verdict: Verdict


def judge(split: Split, counts: Mapping[str, int], strictness: Strictness, failed: int = 0) -> list[Judged]:
    """Each version of the split, and each other one that answered.

    An answer by a version without a share differs, however few there are. Nothing matches with fewer than
    `FEWEST` answers in all. `failed`: calls that may have been for any version, which makes intervals wider.
    """
    total = sum(counts.values())
    error = strictness.error(_tests(split))
    judged = []
    for name in [*split, *sorted(counts.keys() - split.keys())]:
        count, expected = counts.get(name, 0), split.get(name)
        low, _ = clopper_pearson(count, total + failed, error)
        _, high = clopper_pearson(count + failed, total + failed, error)
        if expected is None or expected.high == 0:
            verdict = Verdict.DIFFERS if count else Verdict.MATCHES
        elif high < expected.low or low > expected.high:
            verdict = Verdict.DIFFERS
        elif low < expected.low - strictness.tolerance or high > expected.high + strictness.tolerance:
            verdict = Verdict.UNCERTAIN
        else:
            verdict = Verdict.MATCHES
        if verdict is Verdict.MATCHES and total < FEWEST:
            verdict = Verdict.UNCERTAIN
        judged.append(Judged(name, expected, count, count / total if total else 0.0, low, high, verdict))
    return judged


def overall(judged: Iterable[Judged]) -> Verdict:
    """What all versions together say."""
    found = {one.verdict for one in judged}
    for verdict in (Verdict.DIFFERS, Verdict.UNCERTAIN):
        if verdict in found:
            return verdict
    return Verdict.MATCHES


def needed(split: Split, strictness: Strictness) -> int | None:
    """How many answers a match needs, in at least 99.9 % of cases; in whole hundreds. None: more than MOST.

    Less confidence than 99.9 % lets a right split differ by chance more often than that.
    """
    if not _enough(MOST, split, strictness):
        return None
    low, high = 0, MOST // 100
    while low + 1 < high:
        middle = (low + high) // 2
        if _enough(100 * middle, split, strictness):
            high = middle
        else:
            low = middle
    return 100 * high


def least_tolerance(split: Split, confidence: float) -> float:
    """The least tolerance for which MOST answers are enough; in whole hundredths of a percentage point."""
    low, high = 0, 5000
    while low + 1 < high:
        middle = (low + high) // 2
        if _enough(MOST, split, Strictness(confidence, middle / 10_000)):
            high = middle
        else:
            low = middle
    return high / 10_000


def _enough(total: int, split: Split, strictness: Strictness) -> bool:
    """Whether so many answers of a right split make a match, but for rare chance."""
    tests = _tests(split)
    error = strictness.error(tests)
    spread = NormalDist().inv_cdf(1 - MISSED / (2 * max(1, tests)))
    return all(_certain(one.middle, total, error, strictness.tolerance, spread) for one in split.values())


def _certain(share: float, total: int, error: float, tolerance: float, spread: float) -> bool:
    """Whether so many answers, off by `spread` standard deviations, rule out all that is not tolerated."""
    chance = spread * math.sqrt(total * share * (1 - share))
    least, most = math.floor(total * share - chance), math.ceil(total * share + chance)
    low, _ = clopper_pearson(max(0, least), total, error)
    _, high = clopper_pearson(min(total, most), total, error)
    return low >= share - tolerance and high <= share + tolerance


def _tests(split: Split) -> int:
    return sum(share.high > 0 for share in split.values())
