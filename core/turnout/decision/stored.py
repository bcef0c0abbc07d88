"""A plan as the annotation on its routes: what is in force, whoever restarts or takes over."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Annotated, Any, Literal

import orjson
from pydantic import BaseModel, Field, ValidationError

from turnout.decision.accept import Accepted
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
    frontends: tuple[Frontend, ...]
    rules: tuple[_Rule, ...] = Field(min_length=1)
    versions: dict[str, _Version]


class _Carried(_Plan):
    """The annotation. Anyone may have edited it, so it is read as strictly as a plan is sealed.

    What format 1 has got later may be missing, and is read over by who does not know it.
    """

    format: Literal[1]
    environment: str
    router: str = ""
    config: dict[str, dict[str, Any]] = {}
    start: _Plan | None = None


@dataclass(frozen=True, slots=True)
class Carried:
    """A plan that routes carry.

    `environment`: the name of the one whose versions it leads to; `router`: of the one that wrote it, empty
    where nobody knows. `config`: what the policy said to these, as in `spec.config`. `start`: of a policy
    that has left that environment, the plan in force when it did.
    """

    plan: RoutePlan
    environment: str
    config: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    start: RoutePlan | None = None
    router: str = ""

    @classmethod
    def of(cls, plan: RoutePlan, accepted: Accepted) -> "Carried":
        """A plan that leads to versions of the policy's environment."""
        name = accepted.environment.name
        given = accepted.config.get(name)
        return cls(plan, name, {name: given} if given else {})

    def written_by(self, accepted: Accepted) -> "Carried":
        """The same, with the policy's router and what it says to that."""
        name = accepted.router.name
        given = {self.environment: self.options_of(self.environment), name: accepted.config.get(name, {})}
        return replace(self, router=name, config={one: said for one, said in given.items() if said})

    def options_of(self, plugin: str) -> Mapping[str, Any]:
        """What the policy said to a plugin."""
        return self.config.get(plugin, {})

    @property
    def whole(self) -> RoutePlan:
        """The plan with all versions that it may lead to again."""
        return self.start or self.plan


def dump(carried: Carried) -> str:
    """Canonical: equal plans give equal text."""
    plan = _plan(carried.plan)
    start = _plan(carried.start) if carried.start else plan
    document = {
        "format": FORMAT,
        "environment": carried.environment,
        **({"router": carried.router} if carried.router else {}),
        **({"config": carried.config} if carried.config else {}),
        **({"start": start} if start != plan else {}),
        **plan,
    }
    return orjson.dumps(document, option=orjson.OPT_SORT_KEYS).decode()


def load(text: str | None, policy: Policy) -> Carried | None:
    """What an annotation holds; None for no annotation or one that someone has spoilt."""
    try:
        said = _Carried.model_validate_json(text or "", strict=True)
        plan = _load_plan(said, policy)
        start = _load_plan(said.start, policy) if said.start else None
    except (ValueError, KeyError):
        return None
    return Carried(plan, said.environment, said.config, start, said.router)


def routed_uids(text: str | None) -> frozenset[str]:
    """The objects of versions to which an annotation's plan leads; none for one that someone has spoilt."""
    try:
        said = _Carried.model_validate_json(text or "", strict=True)
    except ValidationError:
        return frozenset()
    uids = (uid for version in said.versions.values() for uid in (version.uid, *version.other_uids))
    return frozenset(uid for uid in uids if uid)


def _slots(value: Any) -> dict[str, Any]:
    return {name: getattr(value, name) for name in value.__slots__}


def _plan(plan: RoutePlan) -> dict[str, Any]:
    return {
        "frontends": [_slots(frontend) for frontend in plan.frontends],
        "rules": [_rule(rule) for rule in plan.rules],
        "versions": {version.name: _version(version) for version in plan.versions()},
    }


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


def _load_plan(said: _Plan, policy: Policy) -> RoutePlan:
    """Raises KeyError and ValueError for one that no router could render."""
    versions = {name: _load_version(name, version) for name, version in said.versions.items()}
    rules = tuple(_load_rule(rule, versions) for rule in said.rules)
    if rules[-1].matches or not all(rule.matches for rule in rules[:-1]):
        raise ValueError("the last rule alone has to be without matches")
    return RoutePlan(policy, said.frontends, rules)


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
