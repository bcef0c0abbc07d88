"""Plans that a router may have to render: at least two for each Feature, which differ in it alone."""

from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

from turnout.plugin import (
    Backend,
    Frontend,
    Match,
    MatchType,
    Mirror,
    Pairs,
    RoutePlan,
    Rule,
    Share,
    Version,
)
from turnout.testing.builders import NAMESPACE, plan, policy, version

HOWS: tuple[MatchType, ...] = ("exact", "prefix", "regex")
SECOND = Frontend("second", NAMESPACE, ("second.wisdom.models",), 8008, "http")


WEIGHTS: tuple[tuple[int, ...], ...] = (
    (100,),
    (0, 100),
    (50, 50),
    (20, 80),
    (80, 20),
    (1, 999_999),
    (1, 1, 1),
    (50, 30, 20),
    (0, 1, 1),
    tuple(range(1, 17)),
    (1_000_000, *([999_999] * 15)),
)
"""Of wisdom-0, wisdom-1, …; 0 leaves a version out."""


class Sample(NamedTuple):
    """A plan, and what it is about. `plain`: its versions are reached as in every other plain one."""

    about: str
    plan: RoutePlan
    plain: bool = True


def samples(frontend: Frontend) -> list[Sample]:
    """All plans. No two of them mean the same."""
    made = (_weighted, _matched, _mirrored, _reached, _more)
    return [sample for step in made for sample in step(frontend)]


def own(version_name: str, frontend: Frontend, **fields: object) -> Version:
    """A version with a Service of its own name. `fields`: its Backend's others."""
    said = {"name": version_name, "namespace": NAMESPACE, "port": frontend.port, **fields}
    return version(version_name, backends={frontend.name: Backend(**said)})  # type: ignore[arg-type]


def weighted(frontend: Frontend, *weights: int) -> RoutePlan:
    """A plan that shares the calls between wisdom-0, wisdom-1, … by weight; 0 leaves one out."""
    shares = (Share(own(f"wisdom-{n}", frontend), weight) for n, weight in enumerate(weights) if weight)
    return _plan(frontend, Rule("default", tuple(shares)))


def _weighted(frontend: Frontend) -> Iterator[Sample]:
    for weights in WEIGHTS:
        routed = [f"wisdom-{number}" for number, weight in enumerate(weights) if weight]
        said = "/".join(map(str, weights[:3])) + "/…" * (len(weights) > 3)
        about = f"weights {said}" if len(routed) > 1 else f"everything to {routed[0]}"
        yield Sample(about, weighted(frontend, *weights))


def _matched(frontend: Frontend) -> Iterator[Sample]:
    first, second = own("wisdom-0", frontend), own("wisdom-1", frontend)

    def matched(about: str, *matches: Match) -> Sample:
        rules = (Rule("wisdom-1", (Share(second, 100),), matches), _only(first))
        return Sample(about, _plan(frontend, *rules))

    for how in HOWS:
        for value in ("gold", "silver"):
            yield matched(f"the header x-tier {how} {value}", Match(headers=(("x-tier", how, value),)))
            yield matched(f"the query tier {how} {value}", Match(query=(("tier", how, value),)))
            yield matched(f"the path {how} /{value}", Match(path=(how, f"/{value}")))
        yield matched(f"the header x-rank {how} gold", Match(headers=(("x-rank", how, "gold"),)))
        yield matched(f"the query rank {how} gold", Match(query=(("rank", how, "gold"),)))
    yield matched("the method POST", Match(method="POST"))
    yield matched("the method GET", Match(method="GET"))
    gold, test = ("x-tier", "exact", "gold"), ("x-user", "exact", "test")
    yield matched("two headers at once", Match(headers=(gold, test)))  # type: ignore[arg-type]
    yield matched("either of two headers", Match(headers=(gold,)), Match(headers=(test,)))  # type: ignore[arg-type]


def _mirrored(frontend: Frontend) -> Iterator[Sample]:
    def mirrored(about: str, *mirrors: Mirror, plain: bool = True) -> Sample:
        rule = Rule("default", (Share(own("wisdom-0", frontend), 100),), mirrors=mirrors)
        return Sample(about, _plan(frontend, rule), plain)

    one, two = own("wisdom-1", frontend), own("wisdom-2", frontend)
    yield mirrored("a mirror to wisdom-1", Mirror(one))
    yield mirrored("a mirror to wisdom-2", Mirror(two))
    yield mirrored("a mirror of 50%", Mirror(one, 50.0))
    yield mirrored("a mirror of 12.5%", Mirror(one, 12.5))
    yield mirrored("two mirrors", Mirror(one), Mirror(two))
    yield mirrored("two mirrors, one of 50%", Mirror(one), Mirror(two, 50.0))
    for value in ("a", "b"):
        marked = own("wisdom-1", frontend, set_headers=(("x-model", value),))
        yield mirrored(f"a mirror with the header x-model: {value}", Mirror(marked), plain=False)
        hosted = own("wisdom-1", frontend, authority=f"{value}.example.com")
        yield mirrored(f"a mirror with the authority {value}.example.com", Mirror(hosted), plain=False)


def _reached(frontend: Frontend) -> Iterator[Sample]:
    def reached(about: str, headers: Pairs = (), **fields: object) -> Sample:
        share = Share(own("wisdom-0", frontend, **fields), 100, headers)
        return Sample(about, _plan(frontend, Rule("default", (share,))), plain=False)

    for value in ("a", "b"):
        yield reached(f"the request header x-model: {value}", set_headers=(("x-model", value),))
        yield reached(f"the response header x-model: {value}", (("x-model", value),))
        yield reached(f"the authority {value}.example.com", authority=f"{value}.example.com")
        yield reached(f"a Service of namespace {value}", namespace=value)
    yield reached("two request headers", set_headers=(("x-model", "a"), ("x-tier", "b")))
    yield reached("another port", port=frontend.port + 1)
    yield reached("another Service", name="model-server")


def _more(frontend: Frontend) -> Iterator[Sample]:
    """What comes together."""
    versions = [own(f"wisdom-{number}", frontend) for number in range(3)]
    gold = Match(headers=(("x-tier", "exact", "gold"),))
    test = Match(headers=(("x-user", "exact", "test"),))
    for_gold, for_test = (
        Rule(one.name, (Share(one, 100),), (match,))
        for one, match in zip(versions[1:], (gold, test), strict=True)
    )
    yield Sample("gold before test", _plan(frontend, for_gold, for_test, _only(versions[0])))
    yield Sample("test before gold", _plan(frontend, for_test, for_gold, _only(versions[0])))
    halves = (Share(versions[1], 30), Share(versions[2], 70))
    yield Sample("weights behind a match", _plan(frontend, Rule("gold", halves, (gold,)), _only(versions[0])))
    mirroring = Rule("gold", (Share(versions[1], 100),), (gold,), (Mirror(versions[2]),))
    yield Sample("a mirror behind a match", _plan(frontend, mirroring, _only(versions[0])))
    yield Sample(
        "weights and a mirror", _plan(frontend, Rule("default", halves, mirrors=(Mirror(versions[0]),)))
    )
    for hosts in (("a", "b"), ("a", "c")):
        hosted = [
            Share(own(f"wisdom-{n}", frontend, authority=f"{host}.example.com"), 50)
            for n, host in enumerate(hosts)
        ]
        about = f"weights and the authorities {' and '.join(hosts)}"
        yield Sample(about, _plan(frontend, Rule("default", tuple(hosted))), plain=False)
    both = {frontend.name: 0, SECOND.name: 1}
    of_both = version(
        "wisdom-0",
        backends={name: Backend(f"wisdom-0-{n}", NAMESPACE, frontend.port) for name, n in both.items()},
    )
    yield Sample("two frontends", plan(_only(of_both), frontends=(frontend, SECOND)), plain=False)


def of_model(model: str, frontend: Frontend) -> RoutePlan:
    """A plan of another policy: everything to the one version of a model with hosts of its own."""
    theirs = replace(frontend, hosts=tuple(f"{model}.{host}" for host in frontend.hosts))
    said = policy(f"{model}-0", name=model, model_name=model, uid=f"uid-of-{model}")
    return RoutePlan(said, (theirs,), (_only(own(f"{model}-0", frontend)),))


def rare(frontend: Frontend) -> list[Sample]:
    """Plans that mean what others do, of policies and versions with names that are rarely tried."""
    label = "m" * 62
    said = policy(f"{label}0", f"{label}1", name=f"{label}0", model_name=f"{label}0")
    longest, usual = _only(own(said.primary, frontend)), _only(own("wisdom-0", frontend))
    return [
        Sample("the longest names", RoutePlan(said, (frontend,), (longest,))),
        Sample("a policy with a dot in its name", RoutePlan(policy(name="wisdom.v2"), (frontend,), (usual,))),
        Sample("a policy without a uid, as offline", RoutePlan(policy(uid=""), (frontend,), (usual,))),
    ]


def _only(one: Version) -> Rule:
    return Rule("default", (Share(one, 100),))


def _plan(frontend: Frontend, *rules: Rule) -> RoutePlan:
    return plan(*rules, frontends=(frontend,))
