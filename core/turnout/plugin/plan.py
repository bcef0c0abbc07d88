"""A plan of routes: rules over versions, how each version is reached, and what that asks of a network.

Shares and percentages are 0..100. No environment or router is named here.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal, Self

from turnout.plugin.objects import Pairs
from turnout.plugin.policy import Match, Policy, VersionSpec

LABEL_VALUE = re.compile(r"[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?")
"""What may stand in a header as it is: a percent sign, say, is a command to some proxies."""


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

    @classmethod
    def of_model(
        cls,
        policy: Policy,
        name: str,
        port: int,
        protocol: Literal["http", "grpc"],
        *,
        namespace: str = "",
        selector: Pairs = (),
        virtual: bool = True,
    ) -> Self:
        """Where clients call a Service of the model's name, in the policy's namespace or another one."""
        where = namespace or policy.namespace
        host = f"{policy.model_name}.{where}"
        hosts = (host, f"{host}.svc", f"{host}.svc.{policy.cluster_domain}")
        return cls(name, where, hosts, port, protocol, selector, virtual)


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

    `uid` is that of its main object, `other_uids` are those of the others that make it up.
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
    other_uids: tuple[str, ...] = ()
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

    def response_headers(self, app_version: str = "") -> dict[str, str]:
        """What is set on its responses. `app_version`: a header that tells the version's, if it has one.

        An app version that is no label's value, which no object has, is not told.
        """
        told = self.version.app_version or ""
        known = app_version and LABEL_VALUE.fullmatch(told)
        return dict(self.set_response_headers) | ({app_version: told} if known else {})


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
    AUTHORITY_PER_SHARE = "authority-per-share"
    """The shares of one rule are reached by different authorities."""
    MIRROR = "mirror"
    MIRROR_PERCENTAGE = "mirror-percentage"
    MIRROR_HEADERS = "mirror-headers"
    MIRROR_AUTHORITY = "mirror-authority"
    SEVERAL_MIRRORS = "several-mirrors"
    CROSS_NAMESPACE = "cross-namespace"


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
            for frontend in self.frontends:
                reached = (share.version.backends.get(frontend.name) for share in rule.shares)
                if len({backend.authority for backend in reached if backend}) > 1:
                    yield Feature.AUTHORITY_PER_SHARE
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
