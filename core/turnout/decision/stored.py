"""A plan as the annotation on its routes: what is in force, whoever restarts or takes over."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

import orjson
from pydantic import BaseModel, Field, ValidationError

from turnout.plugin import (
    Backend,
    Frontend,
    Match,
    Mirror,
    Pairs,
    Policy,
    RoutePlan,
    Rule,
    Share,
    Version,
    VersionSpec,
)

FORMAT = 1


class _Rule(BaseModel):
    name: str
    shares: tuple[tuple[str, Annotated[int, Field(gt=0)], Pairs], ...] = Field(min_length=1)
    matches: tuple[Match, ...] = ()
    mirrors: tuple[tuple[str, Annotated[float, Field(gt=0, le=100)]], ...] = ()


class _Version(BaseModel):
    namespace: str
    uid: str
    other_uids: tuple[str, ...] = ()
    backends: dict[str, Backend]


class _Plan(BaseModel):
    """The annotation. Anyone may have edited it, so it is read as strictly as a plan is sealed."""

    format: Literal[1]
    environment: str
    router: str = ""
    options: dict[str, Any] = Field(default_factory=dict)
    frontends: tuple[Frontend, ...]
    rules: tuple[_Rule, ...] = Field(min_length=1)
    versions: dict[str, _Version]


@dataclass(frozen=True, slots=True)
class Carried:
    """A plan that routes carry, and the name of the environment whose versions it leads to.

    `router` rendered the routes, with `options`, what the policy said of it then; empty where nobody knows.
    """

    plan: RoutePlan
    environment: str
    router: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)


def dump(carried: Carried) -> str:
    """Canonical: equal plans give equal text."""
    plan = carried.plan
    document = {
        "format": FORMAT,
        "environment": carried.environment,
        **({"router": carried.router} if carried.router else {}),
        **({"options": dict(carried.options)} if carried.options else {}),
        "frontends": [_slots(frontend) for frontend in plan.frontends],
        "rules": [_rule(rule) for rule in plan.rules],
        "versions": {version.name: _version(version) for version in plan.versions()},
    }
    return orjson.dumps(document, option=orjson.OPT_SORT_KEYS).decode()


def load(text: str | None, policy: Policy) -> Carried | None:
    """What an annotation holds; None for no annotation or one that someone has spoilt."""
    try:
        said = _Plan.model_validate_json(text or "", strict=True)
        versions = {name: _load_version(name, version) for name, version in said.versions.items()}
        rules = tuple(_load_rule(rule, versions) for rule in said.rules)
    except (ValidationError, KeyError):
        return None
    if rules[-1].matches or not all(rule.matches for rule in rules[:-1]):
        return None
    plan = RoutePlan(policy, said.frontends, rules)
    return Carried(plan, said.environment, said.router, said.options)


def routed_uids(text: str | None) -> frozenset[str]:
    """The objects of versions to which an annotation's plan leads; none for one that someone has spoilt."""
    try:
        said = _Plan.model_validate_json(text or "", strict=True)
    except ValidationError:
        return frozenset()
    uids = (uid for version in said.versions.values() for uid in (version.uid, *version.other_uids))
    return frozenset(uid for uid in uids if uid)


def _slots(value: Any) -> dict[str, Any]:
    return {name: getattr(value, name) for name in value.__slots__}


def _rule(rule: Rule) -> dict[str, Any]:
    said: dict[str, Any] = {
        "name": rule.name,
        "shares": [[share.version.name, share.weight, share.set_response_headers] for share in rule.shares],
    }
    if rule.matches:
        said["matches"] = [_slots(match) for match in rule.matches]
    if rule.mirrors:
        said["mirrors"] = [[mirror.version.name, mirror.percentage] for mirror in rule.mirrors]
    return said


def _version(version: Version) -> dict[str, Any]:
    return {
        "namespace": version.spec.namespace,
        "uid": version.uid,
        **({"other_uids": version.other_uids} if version.other_uids else {}),
        "backends": {name: _slots(backend) for name, backend in version.backends.items()},
    }


def _load_rule(said: _Rule, versions: Mapping[str, Version]) -> Rule:
    return Rule(
        name=said.name,
        shares=tuple(Share(versions[name], weight, headers) for name, weight, headers in said.shares),
        matches=said.matches,
        mirrors=tuple(Mirror(versions[name], percentage) for name, percentage in said.mirrors),
    )


def _load_version(name: str, said: _Version) -> Version:
    return Version(
        spec=VersionSpec(name, said.namespace),
        ready=None,
        available=False,
        reason="InForce",
        backends=said.backends,
        uid=said.uid,
        other_uids=said.other_uids,
    )
