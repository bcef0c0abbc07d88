"""Everything that a decision may have to start from."""

from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from tests.decision.world import World
from turnout.plugin import Match, Mirror, RoutePlan, Rule, Share, VersionSpec
from turnout.testing.builders import NOW, backend, policy, version

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=5),
    lambda children: (
        st.lists(children, max_size=3) | st.dictionaries(st.text(max_size=5), children, max_size=3)
    ),
    max_leaves=10,
)
"""Whatever an API server may hand out where no schema forbids it."""

CONDITIONS = ("ready", "down", "unknown", "unprotected", "deleting", "gone")
"""What may become of a version: each is a method of World."""

MATCHES = (Match(method="POST"), Match(headers=(("tier", "exact", "gold"),)), Match(path=("prefix", "/beta")))
WEIGHTS = st.none() | st.sampled_from((0, 1, 50, 100)) | st.integers(0, 100)
ENVIRONMENTS = (("kserve-modelmesh", "inference"), ("toy-hosts", "http"))
STRATEGIES = ("blue-green", "canary", "mirror", "toy-steps")
ROUTED_BY_PRIMARY = frozenset({"canary", "mirror"})
"""Strategies whose primary keeps the calls that no candidate is given, whatever becomes of it."""


@dataclass
class Case:
    """A policy under a strategy, what became of its versions, and what is in force."""

    strategy: str
    world: World
    conditions: dict[str, str]

    def __repr__(self) -> str:
        said = {one.name: (one.weight, one.matches) for one in self.world.accepted.policy.versions}
        primary = self.world.accepted.policy.primary
        return (
            f"{self.strategy} {self.world.names[0]} {primary} {said} {self.conditions} {self.world.in_force}"
        )


@st.composite
def specs(draw: st.DrawFn, strategy: str, primary: int, count: int) -> tuple[VersionSpec, ...]:
    """What a policy may say of its versions under a strategy."""
    made = []
    for index in range(count):
        weight = draw(st.sampled_from((None, 0)) if strategy == "toy-steps" else WEIGHTS)
        matched = strategy == "canary" and index != primary
        matches = draw(st.lists(st.sampled_from(MATCHES), max_size=2)) if matched else []
        made.append(VersionSpec(f"wisdom-{index}", "models", weight, tuple(matches)))
    return tuple(made)


@st.composite
def plans(draw: st.DrawFn, count: int, frontend: str) -> RoutePlan:
    """Any plan that may be in force: another strategy's, of versions that are gone or were replaced."""
    names = [*(f"wisdom-{index}" for index in range(count)), "wisdom-of-old"]
    versions = [
        version(
            name, backends={frontend: backend(name)}, uid=draw(st.sampled_from((f"uid-of-{name}", "former")))
        )
        for name in draw(st.lists(st.sampled_from(names), min_size=1, max_size=4, unique=True))
    ]
    one = st.sampled_from(versions)
    matched = [
        Rule(f"rule-{index}", (Share(draw(one), 100),), (match,))
        for index, match in enumerate(draw(st.lists(st.sampled_from(MATCHES), max_size=2)))
    ]
    shares = tuple(Share(found, draw(st.integers(1, 100))) for found in versions)
    most = 1 if frontend == "inference" else 0
    mirrors = tuple(Mirror(draw(one), draw(st.floats(0.1, 100))) for _ in range(draw(st.integers(0, most))))
    return RoutePlan(policy(), (), (*matched, Rule("default", shares, mirrors=mirrors)))


@st.composite
def cases(draw: st.DrawFn, strategies: tuple[str, ...] = STRATEGIES) -> Case:
    """Any policy of 1 to 16 versions, in any state."""
    strategy = draw(st.sampled_from(strategies))
    # A host for each version and a mirror are what the router istio refuses together.
    places = ENVIRONMENTS[: 1 if strategy == "mirror" else 2]
    environment, frontend = draw(st.sampled_from(places))
    count = draw(st.integers(1, 4) | st.integers(1, 16))
    primary = draw(st.integers(0, count - 1))
    fallback = {strategy: {"fallback": draw(st.sampled_from(("primary", "candidate")))}}
    config: dict[str, Any] = fallback if strategy in ROUTED_BY_PRIMARY else {}
    made = policy(*draw(specs(strategy, primary, count)), primary=f"wisdom-{primary}")
    world = World(strategy, made, environment=environment, config=config)
    conditions = {one.name: draw(st.sampled_from(CONDITIONS)) for one in made.versions}
    for name, condition in conditions.items():
        getattr(world, condition)(name)
    world.in_force = draw(st.none() | plans(count, frontend))
    world.now = NOW
    return Case(strategy, world, conditions)
