"""A policy and what its controller says of it, read from a RoutingPolicy. Pure.

Nothing here raises, whatever the object holds: a field that says nothing is empty, or None.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

from turnout.decision.shares import NO_SHARE
from turnout.names import LABEL_INSTANCE
from turnout.plugin.reading import condition, integer, items, mapping, text, timestamp
from turnout.reasons import Reason
from turnout.shown import truth
from turnout.verification.split import ROUNDED, Share, of_weights

ALL = 100
"""The weight of the only version with calls: any other than 0 would do."""


@dataclass(frozen=True, slots=True)
class Condition:
    """`status` None: Unknown. `since`: when that began."""

    type: str
    status: bool | None
    reason: str = ""
    message: str = ""
    since: datetime | None = None

    def __str__(self) -> str:
        """As `Ready is False: NoVersionReady: …`."""
        return ": ".join(filter(None, (f"{self.type} is {truth(self.status)}", self.reason, self.message)))


@dataclass(frozen=True, slots=True)
class RolloutVersion:
    """One of the policy's versions. `share`: as the status says it: `33.3%`, `match`, `mirror 50%`."""

    name: str
    role: str
    ready: bool | None
    reason: str = ""
    message: str = ""
    share: str = ""
    weight: int | None = None
    app_version: str = ""

    @property
    def carries(self) -> bool:
        """Whether calls go to it, or copies of them."""
        return self.share not in ("", NO_SHARE)

    def data(self) -> dict[str, Any]:
        """The same as JSON has it."""
        return {
            "name": self.name,
            "role": self.role,
            "appVersion": self.app_version,
            "ready": self.ready,
            "reason": self.reason,
            "message": self.message,
            "weight": self.weight,
            "share": self.share,
        }


@dataclass(frozen=True, slots=True)
class Route:
    """An object that carries the policy's routes."""

    api_version: str
    kind: str
    namespace: str
    name: str


@dataclass(frozen=True, slots=True)
class Rollout:
    """A policy, by its spec and its status.

    `names`: its versions, in the policy's order. `declared`: the policy's own weights. `current`: whether the
    status is about the spec as it is now. `split`: the shares in force, in one line. `lease`: namespace and
    name of its controller's Lease, if it has one. `instance`: the label by which controllers choose policies.
    """

    namespace: str
    name: str
    environment: str
    strategy: str
    router: str
    suspended: bool
    created: datetime | None
    current: bool
    names: tuple[str, ...]
    primary: str
    declared: Mapping[str, int | None]
    split: str
    conditions: Mapping[str, Condition]
    versions: tuple[RolloutVersion, ...]
    routes: tuple[Route, ...]
    lease: str = ""
    instance: str = ""

    def __str__(self) -> str:
        return f"RoutingPolicy {self.namespace}/{self.name}"

    @property
    def resource(self) -> str:
        """As kubectl prints and takes it."""
        return f"routingpolicy.turnout.dev/{self.name}"

    @property
    def ready(self) -> bool | None:
        """Whether its model is served as decided; None: not known, or not yet for the spec as it is now."""
        return self._says("Ready")

    @property
    def in_force(self) -> bool:
        """Whether the routes are the decided ones for the spec as it is now."""
        routed = self.conditions.get("Routed")
        return bool(self._says("Routed")) and routed is not None and routed.reason == Reason.IN_FORCE

    @property
    def candidates(self) -> tuple[str, ...]:
        """All versions but the primary."""
        return tuple(name for name in self.names if name != self.primary)

    @property
    def shares(self) -> dict[str, Share]:
        """The part of the calls that goes to each version in force, of those of which the status says it.

        Copies, and calls that a match takes, are no part of it.
        """
        return {one.name: Share.parse(one.share) or Share.exactly(0.0) for one in self.versions if one.share}

    @property
    def awaits(self) -> str:
        """What it waits for; empty where it is ready and its routes are in force."""
        if not self.conditions:
            return "no controller has looked at it yet"
        if not self.current:
            return "the controller has not yet seen the policy as it is now"
        for one in self._in_order():
            if not one.status or (one.type == "Routed" and one.reason != Reason.IN_FORCE):
                return str(one)
        return ""

    def all_to(self, name: str) -> dict[str, int]:
        """The weights with which one version has all calls, and no other takes part in failover."""
        return {one: ALL if one == name else 0 for one in self.names}

    def shared_by(self, weights: Mapping[str, float]) -> bool:
        """Whether calls are shared by relative weights, in force. A version that is not named has none."""
        wanted = of_weights(weights)
        off = (
            abs(wanted.get(name, Share.exactly(0.0)).middle - share.middle)
            for name, share in self.shares.items()
        )
        return self.in_force and wanted.keys() <= self.shares.keys() and all(one <= ROUNDED for one in off)

    def weighs(self, weights: Mapping[str, int]) -> bool:
        """Whether the routes in force are those of traffic weights, over the policy's own."""
        wanted = {**self.declared, **weights}
        return self.in_force and {one.name: one.weight for one in self.versions} == wanted

    def data(self) -> dict[str, Any]:
        """The same as JSON has it. Fields may be added in later versions, and none is taken away."""
        return {
            "namespace": self.namespace,
            "name": self.name,
            "environment": self.environment,
            "strategy": self.strategy,
            "router": self.router,
            "suspended": self.suspended,
            "current": self.current,
            "ready": self.ready,
            "inForce": self.in_force,
            "awaits": self.awaits,
            "split": self.split,
            "versions": [one.data() for one in self.versions],
            "conditions": [
                {
                    "type": one.type,
                    "status": one.status,
                    "reason": one.reason,
                    "message": one.message,
                    "since": one.since.isoformat() if one.since else None,
                }
                for one in self.conditions.values()
            ],
            "routes": [
                {
                    "apiVersion": one.api_version,
                    "kind": one.kind,
                    "namespace": one.namespace,
                    "name": one.name,
                }
                for one in self.routes
            ],
        }

    def _says(self, kind: str) -> bool | None:
        return self.conditions[kind].status if self.current and kind in self.conditions else None

    def _in_order(self) -> Iterator[Condition]:
        """Causes before what they cause."""
        return (self.conditions[kind] for kind in ("Accepted", "Routed", "Ready") if kind in self.conditions)

    @classmethod
    def read(cls, policy: Mapping[str, Any]) -> Self:
        """Read a RoutingPolicy as the API server has it."""
        metadata, spec = mapping(policy.get("metadata")), mapping(policy.get("spec"))
        status = mapping(policy.get("status"))
        versions = items(spec.get("modelVersions"))
        names = tuple(text(one.get("name")) for one in versions)
        return cls(
            namespace=text(metadata.get("namespace")),
            name=text(metadata.get("name")),
            environment=text(spec.get("targetEnv")),
            strategy=text(spec.get("trafficStrategy")),
            router=text(spec.get("router")),
            suspended=spec.get("suspend") is True,
            created=timestamp(metadata.get("creationTimestamp")),
            current=status.get("observedGeneration") == metadata.get("generation"),
            names=names,
            primary=text(spec.get("primary")) or next(iter(names), ""),
            declared={text(one.get("name")): integer(one.get("weight")) for one in versions},
            split=text(status.get("split"), 2048),
            conditions={one.type: one for one in _conditions(status)},
            versions=tuple(map(_version, items(status.get("versions")))),
            routes=tuple(map(_route, items(status.get("routes")))),
            lease=text(status.get("lease")),
            instance=text(mapping(metadata.get("labels")).get(LABEL_INSTANCE)),
        )


def _conditions(status: Mapping[str, Any]) -> Iterator[Condition]:
    for said in items(status.get("conditions")):
        kind = text(said.get("type"))
        if found := condition(status, kind):
            since = timestamp(said.get("lastTransitionTime"))
            yield Condition(kind, found.status, found.reason, text(said.get("message"), 1024), since)


def _version(said: Mapping[str, Any]) -> RolloutVersion:
    return RolloutVersion(
        name=text(said.get("name")),
        role=text(said.get("role")),
        ready={"True": True, "False": False}.get(text(said.get("ready"))),
        reason=text(said.get("reason")),
        message=text(said.get("message"), 1024),
        share=text(said.get("share")),
        weight=integer(said.get("weight")),
        app_version=text(said.get("appVersion")),
    )


def _route(said: Mapping[str, Any]) -> Route:
    return Route(*(text(said.get(key)) for key in ("apiVersion", "kind", "namespace", "name")))
