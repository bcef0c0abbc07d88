"""The objects that make a mesh of this machine's processes."""

from collections.abc import Mapping

from tests.cluster.controller import Object
from tests.support.mesh import SYSTEM

NO_CERTIFICATES: Object = {
    "apiVersion": "security.istio.io/v1",
    "kind": "PeerAuthentication",
    "metadata": {"name": "default", "namespace": SYSTEM},
    "spec": {"mtls": {"mode": "DISABLE"}},
}
"""No agent serves any to sidecars."""


def gateway(namespace: str, name: str, port: int, address: str) -> Object:
    """A Gateway of Gateway API for the routes of every namespace, served by the proxies of a Service."""
    listener = {
        "name": "http",
        "port": port,
        "protocol": "HTTP",
        "allowedRoutes": {"namespaces": {"from": "All"}},
    }
    addresses = [{"type": "Hostname", "value": address}]
    return {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "Gateway",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"gatewayClassName": "istio", "addresses": addresses, "listeners": [listener]},
    }


def on_loopback(namespace: str, port: int) -> Object:
    """Gateways listen on every address; those of a namespace shall not, on this port."""
    address = {"socket_address": {"address": "127.0.0.1", "port_value": port}}
    patch = {
        "applyTo": "LISTENER",
        "match": {"context": "GATEWAY", "listener": {"portNumber": port}},
        "patch": {"operation": "MERGE", "value": {"address": address}},
    }
    return {
        "apiVersion": "networking.istio.io/v1alpha3",
        "kind": "EnvoyFilter",
        "metadata": {"name": "loopback", "namespace": namespace},
        "spec": {"configPatches": [patch]},
    }


def service(
    namespace: str, name: str, port: int, selector: Mapping[str, str], protocol: str = "http"
) -> Object:
    """A Service. Without pods it has no endpoints, but istiod knows the proxies that it selects."""
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"ports": [{"name": protocol, "port": port}], "selector": dict(selector)},
    }


def service_entry(namespace: str, name: str, host: str, port: int, local: int) -> Object:
    """A host of the mesh that is served on this machine."""
    return {
        "apiVersion": "networking.istio.io/v1",
        "kind": "ServiceEntry",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {
            "hosts": [host],
            "location": "MESH_INTERNAL",
            "resolution": "STATIC",
            "ports": [{"number": port, "name": "grpc", "protocol": "GRPC"}],
            "endpoints": [{"address": "127.0.0.1", "ports": {"grpc": local}}],
        },
    }
