"""The router gateway-api."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from turnout.plugin import Feature, Manifest, RoutePlan, Router
from turnout.plugin.reading import service_namespace
from turnout_gateway_api import status
from turnout_gateway_api.gateway import GATEWAY, gateway
from turnout_gateway_api.objections import objections
from turnout_gateway_api.options import GatewayApiOptions
from turnout_gateway_api.routes import GRPC_ROUTE, HTTP_ROUTE, route


class GatewayApi(Router[GatewayApiOptions]):
    """Kubernetes Gateway API: an HTTPRoute or a GRPCRoute for the routes, a Gateway for clients outside.

    Its propagation is that of Istio, whose istiod gathers changes for at most 10 s; other
    implementations may be slower or faster.
    """

    name = "gateway-api"
    options = GatewayApiOptions
    writes = (HTTP_ROUTE, GRPC_ROUTE, GATEWAY)
    carries = frozenset(Feature) - {
        Feature.PATH_REGEX,
        Feature.AUTHORITY_PER_SHARE,
        Feature.MIRROR_HEADERS,
        Feature.MIRROR_AUTHORITY,
    }
    """Not what the API lacks: a host is rewritten for a whole rule, and copies cannot be changed.

    Nor regexes of paths: which of them and other matches is preferred is each implementation's to say,
    and istiod has them behind the rule that takes all calls.
    """

    def reaches(self, options: GatewayApiOptions) -> Iterable[tuple[str, str]]:
        """Not `gateway`: a Gateway of another namespace says itself whose routes it takes (allowedRoutes)."""
        named = (service_namespace(address) for address in options.gateway_addresses)
        return [("gatewayAddresses", namespace) for namespace in dict.fromkeys(named) if namespace]

    def objections(self, plan: RoutePlan, options: GatewayApiOptions) -> Iterable[str]:
        return objections(plan)

    def render(self, plan: RoutePlan, options: GatewayApiOptions) -> Sequence[Manifest]:
        shared = gateway(options)
        manifests = [shared] if shared else []
        for index, frontend in enumerate(plan.frontends):
            model = plan.policy.model_name
            name = model if index == 0 else f"{model}-{frontend.name}"
            manifests.append(route(name, plan, frontend, options))
        return manifests

    def refusal(self, route: Mapping[str, Any]) -> str | None:
        """The word of the controllers that serve the Gateways."""
        return status.refusal(route)

    def pending(self, route: Mapping[str, Any]) -> str | None:
        """Likewise. Of a Gateway: why it has no proxies that could carry the routes, where that is said."""
        return status.unprogrammed(route) if route.get("kind") == GATEWAY.kind else status.pending(route)
