"""What a rollout is made of, as it was read from a cluster, and what would be decided from that. Pure.

Reading it is `turnout.client.surveying`'s.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from turnout.decision.shares import share_of
from turnout.offline import Planned
from turnout.plugin import Observation, Version
from turnout.rollout import Rollout, RolloutVersion


@dataclass(frozen=True, slots=True)
class Writer:
    """Who has last written fields of an object, by its managedFields. `operation`: Apply or Update."""

    manager: str
    operation: str
    time: datetime | None


@dataclass(frozen=True, slots=True)
class RouteSeen:
    """A route that the status lists. `exists` None: it could not be read. `writers`: the last first."""

    kind: str
    namespace: str
    name: str
    exists: bool | None
    writers: tuple[Writer, ...] = ()


@dataclass(frozen=True, slots=True)
class ShiftSeen:
    """An event that tells of a shift, with its causes."""

    time: datetime | None
    message: str


@dataclass(frozen=True, slots=True)
class LeaseSeen:
    """The Lease of the controller. `holder` empty: nobody has it. `renewed`: by the clock of who held it."""

    name: str
    holder: str
    renewed: datetime | None


@dataclass(frozen=True, slots=True)
class Survey:
    """A rollout, and what it is made of.

    `planned` None: not everything could be read that a decision needs. `unread`: what could not be read, and
    why, a line each. `shifts`: those of which the cluster still has events, the last first; None: they could
    not be read. `lease` None: the controller has none, or it could not be read.
    """

    rollout: Rollout
    planned: Planned | None
    routes: tuple[RouteSeen, ...] = ()
    shifts: tuple[ShiftSeen, ...] | None = None
    unread: tuple[str, ...] = ()
    lease: LeaseSeen | None = None

    @property
    def versions(self) -> tuple[RolloutVersion, ...]:
        """The policy's versions as its status has them; one of which it does not tell yet as it is seen."""
        told = {one.name: one for one in self.rollout.versions}
        outcome = self.planned.assessment.outcome if self.planned else None
        seen = {one.name: one for one in outcome.versions} if outcome else {}
        return tuple(told.get(name) or self._as_seen(name, seen.get(name)) for name in self.rollout.names)

    def _as_seen(self, name: str, seen: Version | None) -> RolloutVersion:
        role = "primary" if name == self.rollout.primary else "candidate"
        if seen is None:
            return RolloutVersion(name, role, None)
        app = seen.app_version or ""
        return RolloutVersion(
            name, role, seen.ready, str(seen.reason), seen.message, "", seen.spec.weight, app
        )

    def desired(self, version: str) -> str | None:
        """The share that is decided, as in a policy's status; None: not known."""
        outcome = self.planned.assessment.outcome if self.planned else None
        return share_of(outcome.plan, version) if outcome and outcome.plan else None

    def since(self, version: RolloutVersion) -> datetime | None:
        """Since when it has been ready, or not, where its objects tell it."""
        seen = [one for one in self._seen(version.name) if one.ready is version.ready]
        times = [one.since for one in seen if one.since]
        return max(times, default=None)

    def data(self) -> dict[str, Any]:
        """The same as JSON has it: what `Rollout.data` has, and more. Fields may be added, and none goes."""
        said = self.rollout.data()
        said["versions"] = [self._version(one) for one in self.versions]
        seen = {(one.kind, one.namespace, one.name): one for one in self.routes}
        for route in said["routes"]:
            found = seen.get((route["kind"], route["namespace"], route["name"]))
            route |= {"exists": found and found.exists, "writers": _writers(found)}
        problem = self.planned.problem if self.planned else None
        said["problem"] = {"reason": str(problem[0]), "message": problem[1]} if problem else None
        said["shifts"] = None if self.shifts is None else [_shift(one) for one in self.shifts]
        said["unread"] = list(self.unread)
        said["lease"] = self.lease and _lease(self.lease)
        return said

    def _version(self, one: RolloutVersion) -> dict[str, Any]:
        since = self.since(one)
        return {**one.data(), "desired": self.desired(one.name), "since": since and since.isoformat()}

    def _seen(self, version: str) -> Iterator[Observation]:
        planned = self.planned
        if planned is None or planned.admitted is None:
            return
        accepted = planned.admitted.accepted
        for ref in accepted.refs.get(version, ()):
            entry = planned.entries.get(ref)
            if entry and accepted.environment.name in entry.observations:
                yield entry.observations[accepted.environment.name]


def _writers(route: RouteSeen | None) -> list[dict[str, Any]] | None:
    if route is None or route.exists is None:
        return None
    return [
        {"manager": one.manager, "operation": one.operation, "time": one.time and one.time.isoformat()}
        for one in route.writers
    ]


def _shift(one: ShiftSeen) -> dict[str, Any]:
    return {"time": one.time and one.time.isoformat(), "message": one.message}


def _lease(one: LeaseSeen) -> dict[str, Any]:
    return {"name": one.name, "holder": one.holder, "renewed": one.renewed and one.renewed.isoformat()}
