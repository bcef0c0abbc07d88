"""Renders the rules of a plan as a VirtualService."""

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

from turnout.plugin import Backend, Frontend, Kind, Manifest, Match, Mirror, RoutePlan, Rule, Share
from turnout_istio.hosts import destination
from turnout_istio.marker import with_marker
from turnout_istio.mirror import MARK_HEADER, Hop, chain, to_gateway
from turnout_istio.options import IstioOptions
from turnout_istio.passed import for_calls, for_copies

VIRTUAL_SERVICE = Kind("networking.istio.io", ("v1", "v1beta1"), "VirtualService", "virtualservices")
MESH = "mesh"


def virtual_service(name: str, plan: RoutePlan, frontend: Frontend, options: IstioOptions) -> Manifest:
    """The routes of one frontend, for clients outside (the Gateway) and inside the mesh.

    A delegate says for whom in no place: that is for the VirtualService that delegates to it.
    """
    renderer = _Rules(plan, frontend, options)
    chains = [renderer.chain(index, rule) for index, rule in enumerate(plan.rules)]
    marked = [entry for hops in chains for entry in renderer.marked(hops)]
    rules = [renderer.entry(rule, hops) for rule, hops in zip(plan.rules, chains, strict=True)]
    spec: dict[str, Any] = {}
    if not options.delegate:
        spec["gateways"] = [options.external_gateway, *([MESH] if options.mesh else [])]
        spec["hosts"] = list(frontend.hosts)
    spec["http"] = [*marked, *rules]
    if options.export_to:
        spec["exportTo"] = list(options.export_to)
    if options.marker:
        spec = with_marker(plan.policy, spec)
    return Manifest(VIRTUAL_SERVICE, name, {"spec": spec})


class _Rules:
    """Renders the rules for one frontend."""

    def __init__(self, plan: RoutePlan, frontend: Frontend, options: IstioOptions) -> None:
        self._policy = plan.policy
        self._frontend = frontend.name
        self._options = options

    def chain(self, index: int, rule: Rule) -> list[Hop]:
        """The hops of a rule's copies; none where a plain mirror will do."""
        backends = [mirror.version.backends[self._frontend] for mirror in rule.mirrors]
        if not any(backend.set_headers or backend.authority for backend in backends):
            return []
        return chain(self._policy, rule.mirrors, index)

    def marked(self, hops: list[Hop]) -> list[dict[str, Any]]:
        """The entries of `http` for the copies of a rule's requests."""
        return [self._marked(hop, after) for hop, after in pairwise([*hops, None]) if hop]

    def entry(self, rule: Rule, hops: list[Hop]) -> dict[str, Any]:
        """The entry of `http` for a rule itself."""
        single, first_hop = len(rule.shares) == 1, hops[0] if hops else None
        entry: dict[str, Any] = {"match": [_match(match) for match in rule.matches]} if rule.matches else {}
        entry["route"] = [self._share(share, single, first_hop) for share in rule.shares]
        entry |= for_calls(self._options)
        if first_hop:
            return entry | self._copies(first_hop)
        return entry | ({"mirrors": [self._mirror(one) for one in rule.mirrors]} if rule.mirrors else {})

    def _mirror(self, mirror: Mirror) -> dict[str, Any]:
        to = destination(mirror.version.backends[self._frontend], self._policy)
        return {"destination": to, "percentage": {"value": mirror.percentage}}

    def _share(self, share: Share, single: bool, first_hop: Hop | None) -> dict[str, Any]:
        backend = share.version.backends[self._frontend]
        request = _set(backend)
        if first_hop:
            request[MARK_HEADER] = first_hop.mark
        route = self._route(backend, {"set": request} if request else {})
        if response := share.response_headers(self._options.app_version_header):
            route.setdefault("headers", {})["response"] = {"set": response}
        return route if single else route | {"weight": share.weight}

    def _marked(self, hop: Hop, after: Hop | None) -> dict[str, Any]:
        backend = hop.mirror.version.backends[self._frontend]
        entry: dict[str, Any] = {"match": [{"headers": {MARK_HEADER: {"exact": hop.mark}}}]}
        entry |= for_copies(self._options)
        if after is None:
            return entry | {"route": [self._route(backend, {"set": _set(backend), "remove": [MARK_HEADER]})]}
        request = {"set": _set(backend) | {MARK_HEADER: after.mark}}
        return entry | {"route": [self._route(backend, request)]} | self._copies(after)

    def _copies(self, hop: Hop) -> dict[str, Any]:
        return to_gateway(hop, self._options.ingress_host, self._options.gateway_port)

    def _route(self, backend: Backend, request: Mapping[str, Any]) -> dict[str, Any]:
        route: dict[str, Any] = {"destination": destination(backend, self._policy)}
        return route | {"headers": {"request": dict(request)}} if request else route


def _set(backend: Backend) -> dict[str, str]:
    """The request headers that reach a version; Istio sets the authority through the header Host."""
    headers = dict(backend.set_headers)
    return headers | {"Host": backend.authority} if backend.authority else headers


def _match(match: Match) -> dict[str, Any]:
    """An HTTPMatchRequest. Header names are lower case, as HTTP/2 has them and Istio asks."""
    said: dict[str, Any] = {}
    if match.headers:
        said["headers"] = {name.lower(): {how: value} for name, how, value in match.headers}
    if match.query:
        said["queryParams"] = {name: {how: value} for name, how, value in match.query}
    if match.path:
        how, value = match.path
        said["uri"] = {how: value}
    if match.method:
        said["method"] = {"exact": match.method}
    return said
