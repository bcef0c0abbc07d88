"""The frozen data that environments, strategies and routers exchange.

Nothing here does I/O or knows a backend by name. Shares and percentages are 0..100, weights are
relative integers 0..1000000, namespaces are always filled in.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Literal, NamedTuple

Pairs = tuple[tuple[str, str], ...]
"""Headers or labels: ordered and hashable."""

MatchType = Literal["exact", "prefix", "regex"]
"""How a value is compared. A regex is RE2 and matches the whole value."""


class Fault(NamedTuple):
    """One thing that is wrong with a policy: where, and what would be right."""

    path: str
    message: str

    def __str__(self) -> str:
        return f"{self.path}: {self.message}"


class Feature(StrEnum):
    """What a plan may ask of a network; a router names those it can carry."""

    WEIGHTS = "weights"
    HEADER_EXACT = "header-exact"
    HEADER_PREFIX = "header-prefix"
    HEADER_REGEX = "header-regex"
    QUERY_EXACT = "query-exact"
    QUERY_PREFIX = "query-prefix"
    QUERY_REGEX = "query-regex"
    PATH_EXACT = "path-exact"
    PATH_PREFIX = "path-prefix"
    PATH_REGEX = "path-regex"
    METHOD = "method"
    REQUEST_HEADERS = "request-headers"
    RESPONSE_HEADERS = "response-headers"
    AUTHORITY = "authority"
    MIRROR = "mirror"
    MIRROR_PERCENTAGE = "mirror-percentage"
    MIRROR_HEADERS = "mirror-headers"
    MIRROR_AUTHORITY = "mirror-authority"
    SEVERAL_MIRRORS = "several-mirrors"
    CROSS_NAMESPACE = "cross-namespace"


class Uses(StrEnum):
    """Which of a policy's inputs a strategy reads; core refuses the others instead of dropping them.

    `weight: 0` needs no declaration: under every strategy it excludes a version.
    """

    WEIGHTS = "weights"
    MATCHES = "matches"
    MIRROR_PERCENTAGE = "mirror-percentage"


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
class Match:
    """A request matches when all of it does; a rule's matches are alternatives."""

    headers: tuple[tuple[str, MatchType, str], ...] = ()
    query: tuple[tuple[str, MatchType, str], ...] = ()
    path: tuple[MatchType, str] | None = None
    method: str | None = None


@dataclass(frozen=True, slots=True)
class VersionSpec:
    """What the policy, or TrafficWeights over it, says. `weight` None: the strategy's default."""

    name: str
    namespace: str
    weight: int | None = None
    matches: tuple[Match, ...] = ()


@dataclass(frozen=True, slots=True)
class Policy:
    """A routing policy with its defaults filled in. `uid` is empty offline."""

    name: str
    namespace: str
    model_name: str
    versions: tuple[VersionSpec, ...]
    primary: str
    uid: str = ""
    hosts: tuple[str, ...] = ()
    mirror_percentage: float | None = None
    cluster_domain: str = "cluster.local"


@dataclass(frozen=True, slots=True)
class Observation:
    """All that stays in memory of a watched object: an event that leaves it equal wakes nobody.

    `ready` None means unknown. `revision` changes when what is served changes. `addresses` are
    where the object says it can be reached, by names of the environment's choosing. Deletion is
    core's to see: a version that is being deleted is never ready, whatever is said here.
    """

    ready: bool | None
    reason: str
    message: str = ""
    revision: str = ""
    app_version: str | None = None
    addresses: Pairs = ()


@dataclass(frozen=True, slots=True)
class Frontend:
    """Where clients call; several differ by host or protocol.

    `namespace`: whose names the hosts are; another than the policy's needs the administrator's leave.
    `selector`: labels of the pods that answer there. `virtual`: no Service of that name exists, so a
    router that serves clients inside the mesh has to make the name known.
    """

    name: str
    namespace: str
    hosts: tuple[str, ...]
    port: int
    protocol: Literal["http", "grpc"]
    selector: Pairs = ()
    virtual: bool = True


@dataclass(frozen=True, slots=True)
class Backend:
    """What answers for a version, and what a request must carry to reach that version there."""

    name: str
    namespace: str
    port: int
    kind: str = "Service"
    authority: str | None = None
    set_headers: Pairs = ()


@dataclass(frozen=True, slots=True)
class Version:
    """A version as observed; `backends` by `Frontend.name`.

    `available` is core's verdict that the version may carry traffic now: it is ready, or its
    readiness is unknown and it carries traffic already.
    """

    spec: VersionSpec
    ready: bool | None
    available: bool
    reason: str
    message: str = ""
    backends: Mapping[str, Backend] = field(default_factory=dict)
    uid: str = ""
    revision: str = ""
    app_version: str | None = None

    @property
    def name(self) -> str:
        return self.spec.name

    @property
    def excluded(self) -> bool:
        """Weight 0 keeps a version out of the traffic, and out of failover."""
        return self.spec.weight == 0


@dataclass(frozen=True, slots=True)
class Share:
    """A version's relative weight in a rule."""

    version: Version
    weight: int
    set_response_headers: Pairs = ()


@dataclass(frozen=True, slots=True)
class Mirror:
    """A copy of `percentage` of a rule's requests, whose answers are thrown away."""

    version: Version
    percentage: float = 100.0


@dataclass(frozen=True, slots=True)
class Rule:
    """The first rule that matches wins. Rules speak of versions, not hosts: they hold on every frontend.

    `name` is for people.
    """

    name: str
    shares: tuple[Share, ...]
    matches: tuple[Match, ...] = ()
    mirrors: tuple[Mirror, ...] = ()


@dataclass(frozen=True, slots=True)
class RoutePlan:
    """What a router renders.

    Sealed by core: weights are above 0, every version has a backend for every frontend, only the
    last rule is without matches, and nothing unavailable is in it but a primary.
    """

    policy: Policy
    frontends: tuple[Frontend, ...]
    rules: tuple[Rule, ...]

    def versions(self) -> Iterator[Version]:
        """Every version that a rule names, once each, in the rules' order."""
        named: dict[str, Version] = {}
        for rule in self.rules:
            named |= {share.version.name: share.version for share in rule.shares}
            named |= {mirror.version.name: mirror.version for mirror in rule.mirrors}
        return iter(named.values())

    def features(self) -> frozenset[Feature]:
        """What this plan asks of a router: measured, so no strategy or environment declares it."""
        return frozenset(self._features())

    def _features(self) -> Iterator[Feature]:
        for rule in self.rules:
            if len(rule.shares) > 1:
                yield Feature.WEIGHTS
            if len(rule.mirrors) > 1:
                yield Feature.SEVERAL_MIRRORS
            for match in rule.matches:
                yield from _match_features(match)
            for share in rule.shares:
                if share.set_response_headers:
                    yield Feature.RESPONSE_HEADERS
                for backend in share.version.backends.values():
                    if backend.set_headers:
                        yield Feature.REQUEST_HEADERS
                    if backend.authority:
                        yield Feature.AUTHORITY
            for mirror in rule.mirrors:
                yield Feature.MIRROR
                if mirror.percentage < 100:
                    yield Feature.MIRROR_PERCENTAGE
                if any(backend.set_headers for backend in mirror.version.backends.values()):
                    yield Feature.MIRROR_HEADERS
                routed = (mirror.version, *(share.version for share in rule.shares))
                if any(backend.authority for one in routed for backend in one.backends.values()):
                    yield Feature.MIRROR_AUTHORITY
        for version in self.versions():
            if any(b.namespace != self.policy.namespace for b in version.backends.values()):
                yield Feature.CROSS_NAMESPACE


def _match_features(match: Match) -> Iterator[Feature]:
    for _, how, _ in match.headers:
        yield Feature(f"header-{how}")
    for _, how, _ in match.query:
        yield Feature(f"query-{how}")
    if match.path:
        yield Feature(f"path-{match.path[0]}")
    if match.method:
        yield Feature.METHOD


class Role(StrEnum):
    """What a manifest is to its policy."""

    ROUTE = "route"
    """Carries the rules. Core writes the plan in force on it, and it goes with its policy."""
    SUPPORT = "support"
    """The policy's own, and the same whatever the rules say. Written before the routes."""
    SHARED = "shared"
    """Rendered by other policies as well: written once for all of them, and gone with the last."""


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


@dataclass(frozen=True, slots=True)
class Inputs:
    """All that a strategy may know.

    `versions` in the policy's order; `in_force`: shares (0..100) by version name that the last rule
    of the plan in force gives; `state`: what the last Decision kept, empty again once any candidate is
    another one; `now` is timezone-aware.
    """

    primary: str
    versions: tuple[Version, ...]
    now: datetime
    in_force: Mapping[str, float] = field(default_factory=dict)
    state: Mapping[str, Any] = field(default_factory=dict)
    mirror_percentage: float | None = None

    def version(self, name: str) -> Version:
        return next(version for version in self.versions if version.name == name)

    @property
    def candidates(self) -> tuple[Version, ...]:
        """The versions that are not the primary, in the policy's order."""
        return tuple(version for version in self.versions if version.name != self.primary)


@dataclass(frozen=True, slots=True)
class Decision:
    """What a strategy decided.

    `reasons`: one sentence by version name, for people. `state`: JSON of at most 16 KiB, stored in
    the policy's status before the routes move. `requeue_after`: when to ask again at the latest;
    core raises it to at least one second. No shares in the last rule: nothing can carry traffic,
    and core holds the routes in force.
    """

    rules: tuple[Rule, ...]
    reasons: Mapping[str, str]
    state: Mapping[str, Any] = field(default_factory=dict)
    requeue_after: timedelta | None = None
