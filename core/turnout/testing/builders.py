"""Builds what plugins take and decisions start from, with a sound default for what a test is not about.

All of them speak of the model `wisdom` in the namespace `models`, with the versions `wisdom-0` (the
primary) and `wisdom-1`.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from turnout.calling import Calls
from turnout.decision.accept import Accepted, Declared, accept
from turnout.decision.objects import Entry
from turnout.names import FINALIZER_DRAIN
from turnout.plugin import (
    Backend,
    Environment,
    Frontend,
    Inputs,
    Match,
    Observation,
    Policy,
    RoutePlan,
    Router,
    Rule,
    Share,
    Strategy,
    Version,
    VersionSpec,
)
from turnout.registry import Registry
from turnout.settings import Settings

MODEL = "wisdom"
NAMESPACE = "models"
NOW = datetime(2026, 1, 1, tzinfo=UTC)
FRONTEND = Frontend("inference", NAMESPACE, (f"{MODEL}.{NAMESPACE}",), 8033, "grpc")
"""The one frontend of `plan`, and the one that `version` has a backend for."""


def spec(name: str, weight: int | None = None, *matches: Match, namespace: str = NAMESPACE) -> VersionSpec:
    """What a policy says of a version."""
    return VersionSpec(name, namespace, weight, matches)


def policy(
    *versions: str | VersionSpec, primary: str | None = None, namespace: str = NAMESPACE, **fields: Any
) -> Policy:
    """A policy, whose first version is the primary unless said otherwise. `fields`: Policy's others."""
    specs = tuple(
        one if isinstance(one, VersionSpec) else spec(one, namespace=namespace)
        for one in versions or ("wisdom-0", "wisdom-1")
    )
    defaults: dict[str, Any] = {"name": MODEL, "model_name": MODEL, "uid": "uid-of-policy"}
    return Policy(
        namespace=namespace,
        versions=specs,
        primary=primary or specs[0].name,
        **{**defaults, **fields},
    )


def version(
    name: str | VersionSpec, ready: bool | None = True, *, weight: int | None = None, **fields: Any
) -> Version:
    """A version as a strategy sees it: it may carry traffic if it is ready. `fields`: Version's others."""
    said = name if isinstance(name, VersionSpec) else spec(name, weight)
    defaults: dict[str, Any] = {
        "available": ready is True,
        "reason": "Ready" if ready else "NotReady",
        "backends": {FRONTEND.name: backend(said.name)},
        "uid": f"uid-of-{said.name}",
    }
    return Version(said, ready, **{**defaults, **fields})


def backend(version: str, **fields: Any) -> Backend:
    """A backend that all versions share and a header tells apart. `fields`: Backend's others."""
    plain = Backend("model-server", NAMESPACE, 8033, set_headers=(("x-model-version", version),))
    return replace(plain, **fields)


def inputs(*versions: Version, **fields: Any) -> Inputs:
    """What a strategy is asked with, of which the first version is the primary. `fields`: Inputs' others."""
    return Inputs(versions[0].name, versions, **{"now": NOW, **fields})


def plan(*rules: Rule | Mapping[str, int], **fields: Any) -> RoutePlan:
    """A sealed plan; a mapping is a rule's shares by version name. `fields`: RoutePlan's others."""
    made = tuple(one if isinstance(one, Rule) else Rule("default", shares(one)) for one in rules)
    return RoutePlan(**{"policy": policy(), "frontends": (FRONTEND,), "rules": made, **fields})


def shares(weights: Mapping[str, int]) -> tuple[Share, ...]:
    """Shares of ready versions."""
    return tuple(Share(version(name), weight) for name, weight in weights.items())


def observation(ready: bool | None = True, **fields: Any) -> Observation:
    """What an environment says of an object. `fields`: Observation's others."""
    return Observation(**{"ready": ready, "reason": "Ready" if ready else "NotReady", **fields})


def entry(observations: Mapping[str, Observation], *, uid: str = "uid", **fields: Any) -> Entry:
    """A cached object that is protected from being unloaded; `observations` by environment."""
    defaults: dict[str, Any] = {"resource_version": "1", "finalizers": (FINALIZER_DRAIN,)}
    return Entry(uid=uid, observations=observations, **{**defaults, **fields})


def accepted(
    environment: Environment[Any],
    strategy: Strategy[Any],
    router: Router[Any],
    *,
    of: Policy | None = None,
    config: Mapping[str, Mapping[str, Any]] | None = None,
    settings: Settings | None = None,
) -> Accepted:
    """A policy (default: `policy()`) that these plugins have accepted. Raises Refused where they do not."""
    declared = Declared(of or policy(), environment.name, strategy.name, router.name, config or {})
    registry = Registry.of(environment, strategy, router)
    return accept(declared, registry, settings or Settings(), Calls())
