"""What clients need besides routes: a Gateway for those outside the mesh, a ServiceEntry for those inside."""

from typing import Any

from turnout.plugin import Frontend, Kind, Manifest, Role
from turnout_istio.options import IstioOptions

GATEWAY = Kind("networking.istio.io", ("v1", "v1beta1"), "Gateway", "gateways")
SERVICE_ENTRY = Kind("networking.istio.io", ("v1", "v1beta1"), "ServiceEntry", "serviceentries")


def gateway(options: IstioOptions) -> Manifest | None:
    """The Gateway, which serves every model of its namespace; none where it is another's."""
    if options.delegate or "/" in options.external_gateway:
        return None
    server = {"port": {"number": options.gateway_port, "name": "http", "protocol": "HTTP"}, "hosts": ["*"]}
    body = {"spec": {"selector": dict(options.gateway_selector), "servers": [server]}}
    return Manifest(GATEWAY, options.external_gateway, body, Role.SHARED)


def service_entry(name: str, frontend: Frontend, options: IstioOptions) -> Manifest | None:
    """Makes a model's host names known inside the mesh; none where a Service has that name already.

    The protocol is HTTP for gRPC as well: it selects Istio's HTTP filters, which carry both.
    """
    if not frontend.virtual:
        return None
    spec: dict[str, Any] = {
        "hosts": list(frontend.hosts),
        "location": "MESH_INTERNAL",
        "ports": [{"number": frontend.port, "name": "http", "protocol": "HTTP"}],
        "resolution": "DNS",
    }
    if frontend.selector:
        spec["workloadSelector"] = {"labels": dict(frontend.selector)}
    if options.export_to:
        spec["exportTo"] = list(options.export_to)
    return Manifest(SERVICE_ENTRY, name, {"spec": spec}, Role.SUPPORT)
