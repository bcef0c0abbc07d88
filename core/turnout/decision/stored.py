"""A plan as the annotation on its routes: what is in force, whoever restarts or takes over."""

from collections.abc import Mapping
from typing import Any

import orjson

from turnout.plugin import (
    Backend,
    Frontend,
    Match,
    Mirror,
    Policy,
    RoutePlan,
    Rule,
    Share,
    Version,
    VersionSpec,
)

FORMAT = 1


def dump(plan: RoutePlan) -> str:
    """Canonical: equal plans give equal text."""
    document = {
        "format": FORMAT,
        "frontends": [_slots(frontend) for frontend in plan.frontends],
        "rules": [_rule(rule) for rule in plan.rules],
        "versions": {version.name: _version(version) for version in plan.versions()},
    }
    return orjson.dumps(document, option=orjson.OPT_SORT_KEYS).decode()


def load(text: str | None, policy: Policy) -> RoutePlan | None:
    """The plan that an annotation holds; None for no annotation or one that someone has spoilt."""
    try:
        document = orjson.loads(text or "")
        if document["format"] != FORMAT:
            return None
        versions = {name: _load_version(name, said) for name, said in document["versions"].items()}
        return RoutePlan(
            policy=policy,
            frontends=tuple(
                Frontend(**{**said, "hosts": tuple(said["hosts"]), "selector": _pairs(said["selector"])})
                for said in document["frontends"]
            ),
            rules=tuple(_load_rule(said, versions) for said in document["rules"]),
        )
    except (ValueError, TypeError, KeyError, AttributeError):
        return None


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
        "backends": {name: _slots(backend) for name, backend in version.backends.items()},
    }


def _load_rule(said: Mapping[str, Any], versions: Mapping[str, Version]) -> Rule:
    return Rule(
        name=said["name"],
        shares=tuple(
            Share(versions[name], weight, _pairs(headers)) for name, weight, headers in said["shares"]
        ),
        matches=tuple(_load_match(match) for match in said.get("matches", ())),
        mirrors=tuple(Mirror(versions[name], percentage) for name, percentage in said.get("mirrors", ())),
    )


def _load_match(said: Mapping[str, Any]) -> Match:
    return Match(
        headers=tuple((name, how, value) for name, how, value in said["headers"]),
        query=tuple((name, how, value) for name, how, value in said["query"]),
        path=(said["path"][0], said["path"][1]) if said["path"] else None,
        method=said["method"],
    )


def _load_version(name: str, said: Mapping[str, Any]) -> Version:
    return Version(
        spec=VersionSpec(name, said["namespace"]),
        ready=None,
        available=False,
        reason="InForce",
        backends={
            frontend: Backend(**{**backend, "set_headers": _pairs(backend["set_headers"])})
            for frontend, backend in said["backends"].items()
        },
        uid=said["uid"],
    )


def _pairs(said: Any) -> tuple[tuple[str, str], ...]:
    return tuple((name, value) for name, value in said)
