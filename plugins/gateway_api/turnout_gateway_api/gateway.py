"""The Gateway that routes are for: one that exists, or one that serves every model of its namespace."""

from typing import Any

from turnout.plugin import Kind, Manifest, Role
from turnout_gateway_api.options import GatewayApiOptions

GROUP = "gateway.networking.k8s.io"
GATEWAY = Kind(GROUP, ("v1",), "Gateway", "gateways")


def gateway(options: GatewayApiOptions) -> Manifest | None:
    """The Gateway, with what the API server would fill in; none where it is another namespace's.

    Its listener takes the routes of its own namespace, and any host.
    """
    if "/" in options.gateway:
        return None
    listener = {
        "name": "http",
        "port": options.gateway_port,
        "protocol": "HTTP",
        "allowedRoutes": {"namespaces": {"from": "Same"}},
    }
    spec: dict[str, Any] = {"gatewayClassName": options.gateway_class_name, "listeners": [listener]}
    if options.gateway_addresses:
        spec["addresses"] = [{"type": "Hostname", "value": value} for value in options.gateway_addresses]
    return Manifest(GATEWAY, options.gateway, {"spec": spec}, Role.SHARED)


def parent(options: GatewayApiOptions) -> dict[str, str]:
    """The Gateway as a route's ParentReference, with what the API server would fill in."""
    namespace, _, name = options.gateway.rpartition("/")
    found = {"group": GROUP, "kind": GATEWAY.kind, "name": name}
    if namespace:
        found["namespace"] = namespace
    if options.section_name:
        found["sectionName"] = options.section_name
    return found
