"""Objects of the cluster: how they are named, what is observed of them, and what is written."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

Pairs = tuple[tuple[str, str], ...]
"""Headers or labels: ordered and hashable."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A resource type. Core stamps the first of `versions` that the cluster serves; offline, the first."""

    group: str
    versions: tuple[str, ...]
    kind: str
    plural: str

    def __str__(self) -> str:
        return f"{self.plural}.{self.group}" if self.group else self.plural


@dataclass(frozen=True, slots=True)
class Ref:
    """One object of a kind."""

    kind: Kind
    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind.kind} {self.namespace}/{self.name}"


@dataclass(frozen=True, slots=True)
class Observation:
    """All that stays in memory of a watched object: an event that leaves it equal wakes nobody.

    `ready` None means unknown. `revision` changes when what is served changes. `addresses` are
    where the object says it can be reached, by names of the environment's choosing. Deletion is
    core's to see: a version that is being deleted is never ready, whatever is said here.

    `evidence` and `since` are for people, and decide nothing: the field that tells whether it is ready, as
    `status.conditions[Ready] is True`, and since when it has done so, with a timezone.
    """

    ready: bool | None
    reason: str
    message: str = ""
    revision: str = ""
    app_version: str | None = None
    addresses: Pairs = ()
    evidence: str = field(default="", compare=False)
    since: datetime | None = field(default=None, compare=False)


class Role(StrEnum):
    """What a manifest is to its policy."""

    ROUTE = "route"
    """Carries the rules. Core writes the plan in force on it, and it goes with its policy."""
    SUPPORT = "support"
    """The policy's own, and the same whatever the rules say. Written before the routes."""
    SHARED = "shared"
    """Rendered by other policies as well: written once for all of them, and gone with the last."""


@dataclass(frozen=True, slots=True)
class Route:
    """A route as it is in the cluster. `body` is all but apiVersion, kind, metadata and status."""

    kind: Kind
    namespace: str
    name: str
    body: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Manifest:
    """An object to write. `body` is all but apiVersion, kind, metadata and status, which core adds.

    Values that the API server would fill in inside a list belong into `body`: a list that differs
    counts as changed by someone else.
    """

    kind: Kind
    name: str
    body: Mapping[str, Any]
    role: Role = Role.ROUTE
