"""Situations in which one input of a strategy varies and all else is as it was."""

from collections.abc import Iterator
from dataclasses import replace

from turnout.plugin import Match, Uses
from turnout.testing.conformance.situations import Situation, percents

_MATCHES: tuple[tuple[Match, ...], ...] = (
    (),
    (Match(method="POST"),),
    (Match(method="PUT"),),
    (Match(headers=(("x-tier", "exact", "gold"),)),),
    (Match(headers=(("x-tier", "exact", "silver"),)),),
    (Match(headers=(("traffic", "exact", "test"),)),),
    (Match(path=("prefix", "/v2")),),
    (Match(query=(("tier", "exact", "gold"),)),),
)
_PERCENTAGES = (None, 25.0, 75.0)


def variants(situation: Situation, use: Uses) -> Iterator[Situation]:
    """The situation with other values of one input. A weight of 0 stays: it means the same to all."""
    if use is Uses.MIRROR_PERCENTAGE:
        yield from map(situation.with_mirror, _PERCENTAGES)
    elif use is Uses.WEIGHTS:
        yield from _weighted(situation)
    else:
        primary = situation.policy.primary
        for matches in _MATCHES:
            yield situation.with_specs(
                *(
                    one if one.name == primary else replace(one, matches=matches)
                    for one in situation.policy.versions
                )
            )


def _weighted(situation: Situation) -> Iterator[Situation]:
    """With weights that rise, which a strategy may take for anything, and with some that sum up to 100."""
    specs = situation.policy.versions
    counted = [index for index, spec in enumerate(specs) if spec.weight != 0]
    count = len(counted)
    given: list[tuple[int | None, ...]] = [(None,) * count]
    given += [tuple(range(first, first + count)) for first in (1, 20)]
    for lightest in (1, 5):
        falling = percents(count, lightest)
        given += [falling, falling[::-1]] if count else []
    for weights in given:
        by_index = dict(zip(counted, weights, strict=True))
        yield situation.with_specs(
            *(replace(spec, weight=by_index.get(index, 0)) for index, spec in enumerate(specs))
        )
