"""Renders the rules of a plan as an HTTPRoute or a GRPCRoute."""

from collections.abc import Iterator
from typing import Any

from turnout.plugin import Backend, Frontend, Kind, Manifest, Match, Mirror, RoutePlan, Rule, Share
from turnout_gateway_api import matches
from turnout_gateway_api.gateway import GROUP, parent
from turnout_gateway_api.options import GatewayApiOptions
from turnout_gateway_api.precedence import in_order

HTTP_ROUTE = Kind(GROUP, ("v1",), "HTTPRoute", "httproutes")
GRPC_ROUTE = Kind(GROUP, ("v1",), "GRPCRoute", "grpcroutes")
PARTS = 1_000_000
"""The denominator of percentages that are no integers."""


def route(name: str, plan: RoutePlan, frontend: Frontend, options: GatewayApiOptions) -> Manifest:
    """The route of one frontend, with what the API server would fill in inside its lists."""
    http = frontend.protocol == "http"
    renderer = _Rules(plan, frontend, options)
    ordered = in_order(plan.rules, prefixes_end_at_slashes=http)
    spec = {
        "parentRefs": [parent(options)],
        "hostnames": list(frontend.hosts),
        "rules": [renderer.entry(rule, said) for rule, said in zip(plan.rules, ordered, strict=True)],
    }
    return Manifest(HTTP_ROUTE if http else GRPC_ROUTE, name, {"spec": spec})


class _Rules:
    """Renders the rules for one frontend."""

    def __init__(self, plan: RoutePlan, frontend: Frontend, options: GatewayApiOptions) -> None:
        self._policy = plan.policy
        self._frontend = frontend
        self._options = options

    def entry(self, rule: Rule, said: tuple[Match, ...]) -> dict[str, Any]:
        """One of `rules`. A GRPCRoute's rule that takes every call has no matches."""
        entry: dict[str, Any] = {}
        if self._frontend.protocol == "http":
            entry["matches"] = [matches.http(match) for match in said]
        elif rule.matches:
            entry["matches"] = [matches.grpc(match) for match in said]
        if filters := [*self._rewrite(rule), *(self._copy(mirror) for mirror in rule.mirrors)]:
            entry["filters"] = filters
        single = len(rule.shares) == 1
        return entry | {"backendRefs": [self._share(share, single) for share in rule.shares]}

    def _rewrite(self, rule: Rule) -> Iterator[dict[str, Any]]:
        """The authority of a rule's versions, which is the same for all of them."""
        if authority := rule.shares[0].version.backends[self._frontend.name].authority:
            yield {"type": "URLRewrite", "urlRewrite": {"hostname": authority}}

    def _copy(self, mirror: Mirror) -> dict[str, Any]:
        copy: dict[str, Any] = {"backendRef": self._ref(mirror.version.backends[self._frontend.name])}
        percentage = mirror.percentage
        if percentage < 100 and percentage == int(percentage):
            copy["percent"] = int(percentage)
        elif percentage < 100:
            numerator = max(1, round(percentage * PARTS / 100))
            copy["fraction"] = {"numerator": numerator, "denominator": PARTS}
        return {"type": "RequestMirror", "requestMirror": copy}

    def _share(self, share: Share, single: bool) -> dict[str, Any]:
        backend = share.version.backends[self._frontend.name]
        filters = [
            {"type": f"{which}HeaderModifier", f"{which.lower()}HeaderModifier": {"set": _named(headers)}}
            for which, headers in (
                ("Request", dict(backend.set_headers)),
                ("Response", share.response_headers(self._options.app_version_header)),
            )
            if headers
        ]
        ref = self._ref(backend) | {"weight": 1 if single else share.weight}
        return ref | {"filters": filters} if filters else ref

    def _ref(self, backend: Backend) -> dict[str, Any]:
        ref: dict[str, Any] = {"group": "", "kind": "Service", "name": backend.name, "port": backend.port}
        return ref if backend.namespace == self._policy.namespace else ref | {"namespace": backend.namespace}


def _named(headers: dict[str, str]) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in headers.items()]
