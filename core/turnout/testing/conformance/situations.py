"""What a strategy may be asked: every state of few versions, and some of many."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import product
from random import Random

from turnout.plugin import Frontend, Inputs, Match, Policy, Uses, Version, VersionSpec
from turnout.testing.builders import FRONTEND, NAMESPACE, NOW, policy, version
from turnout.testing.conformance.policies import MATCHES

STATES: Mapping[str, tuple[bool | None, bool]] = {
    "ready": (True, True),
    "not ready": (False, False),
    "unknown and routed": (None, True),
    "unknown": (None, False),
}
"""Whether a version is ready, and whether it may carry traffic."""

WEIGHTS = (None, 0, 1, 1_000_000)
HEADERS = (Match(headers=(("x-tier", "exact", "gold"),)),)
MOST = 16
"""Versions of a policy, as in its schema."""
OF_MANY = 10
"""Situations of each number of versions above two."""


@dataclass(frozen=True, slots=True)
class Situation:
    """A policy, and what a strategy is asked with it."""

    policy: Policy
    inputs: Inputs

    @property
    def where(self) -> str:
        """For people."""
        said = ", ".join(map(_told, self.inputs.versions))
        mirrored = self.inputs.mirror_percentage
        more = "" if mirrored is None else f", mirrorPercentage {mirrored}"
        return f"decide of {said}; primary {self.inputs.primary}{more}"

    def with_specs(self, *specs: VersionSpec) -> "Situation":
        """The same versions, of which the policy says something else."""
        versions = tuple(replace(v, spec=s) for v, s in zip(self.inputs.versions, specs, strict=True))
        said = replace(self.policy, versions=specs)
        return Situation(said, replace(self.inputs, versions=versions))

    def with_mirror(self, percentage: float | None) -> "Situation":
        """The same with another percentage of copies."""
        said = replace(self.policy, mirror_percentage=percentage)
        return Situation(said, replace(self.inputs, mirror_percentage=percentage))


def situations(uses: frozenset[Uses]) -> Iterator[Situation]:
    """Situations in which core would ask: one version at least may carry traffic. The same every time."""
    weights = WEIGHTS if Uses.WEIGHTS in uses else (None, 0)
    each = list(product(STATES, weights))
    for count in (1, 2):
        for states in product(each, repeat=count):
            for primary in range(count):
                yield from _situation(states, primary, ((),) * count)
    dice = Random(0)  # noqa: S311  samples, not secrets
    for count in range(3, MOST + 1):
        for _ in range(OF_MANY):
            states = tuple(dice.choice(each) for _ in range(count))
            matches = tuple(dice.choice(((), MATCHES[:1], MATCHES)) for _ in range(count))
            primary = dice.randrange(count)
            used = matches if Uses.MATCHES in uses else ((),) * count
            percentage = dice.choice((None, 0.0, 12.5, 100.0)) if Uses.MIRROR_PERCENTAGE in uses else None
            yield from _situation(states, primary, used, percentage)
        yield from _situation(tuple(("ready", None) for _ in range(count)), 0, ((),) * count)
    yield from complete(uses)


def complete(uses: frozenset[Uses]) -> Iterator[Situation]:
    """Situations of policies that say all that a strategy reads, with weights that sum up to 100."""
    if not uses:
        return
    percentages = (None, 50.0) if Uses.MIRROR_PERCENTAGE in uses else (None,)
    for count in (1, 2, 3):
        weights: tuple[int | None, ...] = percents(count) if Uses.WEIGHTS in uses else (None,) * count
        matches = (HEADERS if Uses.MATCHES in uses else (),) * count
        able = product(STATES, repeat=count) if count < 3 else iter([("ready",) * count])
        for words, percentage in product(able, percentages):
            yield from _situation(tuple(zip(words, weights, strict=True)), 0, matches, percentage)


def of_policy(own: Policy) -> Iterator[Situation]:
    """Situations of a policy of somebody else's: all are ready, or one of them is in another state."""
    for index, word in product(range(len(own.versions)), STATES):
        words = tuple(word if n == index else "ready" for n in range(len(own.versions)))
        if index == 0 or word != "ready":
            yield from _of_specs(own, words)


def percents(count: int, lightest: int = 1) -> tuple[int, ...]:
    """Weights that sum up to 100: all but the first are as light as they may be."""
    return (100 - lightest * (count - 1), *(lightest,) * (count - 1))


def _situation(
    states: tuple[tuple[str, int | None], ...],
    primary: int,
    matches: tuple[tuple[Match, ...], ...],
    mirror_percentage: float | None = None,
) -> Iterator[Situation]:
    specs = [
        VersionSpec(f"wisdom-{index}", NAMESPACE, weight, () if index == primary else matches[index])
        for index, (_, weight) in enumerate(states)
    ]
    of = policy(*specs, primary=specs[primary].name, mirror_percentage=mirror_percentage)
    yield from _of_specs(of, tuple(state for state, _ in states))


def _of_specs(of: Policy, states: tuple[str, ...]) -> Iterator[Situation]:
    """The situation of a policy whose versions are in these states, if one of them may carry traffic."""
    versions = tuple(_version(one, state) for one, state in zip(of.versions, states, strict=True))
    if not any(one.available for one in versions):
        return
    routed = [one.name for one in versions if one.ready is None and one.available]
    in_force = {"wisdom-of-old": 50.0, **{name: 50.0 / len(routed) for name in routed}}
    yield Situation(
        of,
        Inputs(of.primary, versions, NOW, in_force if routed else {}, mirror_percentage=of.mirror_percentage),
    )


def _version(said: VersionSpec, state: str, frontend: Frontend = FRONTEND) -> Version:
    ready, available = STATES[state]
    made = version(said, ready, available=available, reason=state.title().replace(" ", ""))
    return replace(made, backends={frontend.name: made.backends[FRONTEND.name]})


def _told(one: Version) -> str:
    state = next(state for state, told in STATES.items() if told == (one.ready, one.available))
    weight = "" if one.spec.weight is None else f", weight {one.spec.weight}"
    matches = f", {len(one.spec.matches)} matches" if one.spec.matches else ""
    return f"{one.name} ({state}{weight}{matches})"
