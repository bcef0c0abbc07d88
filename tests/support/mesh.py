"""A mesh on one machine: istiod, and Envoys that it configures. Nothing leaves the loopback interface."""

import json
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.error import HTTPError

from tests.support.assets import MeshAssets
from tests.support.control_plane import ControlPlane
from tests.support.processes import ProcessGroup
from tests.support.waiting import answers, fetch, free_port

SYSTEM = "istio-system"
INGRESS_HOST = f"istio-ingressgateway.{SYSTEM}.svc.cluster.local"
INGRESS_LABELS = {"istio": "ingressgateway"}
DEBOUNCE_SECONDS = 1.0
"""For how long istiod gathers changes at most before it pushes them; by its default 10 s."""


class Istiod:
    """istiod, for the proxies of a test run.

    It has no certificates of its own: it serves its webhook with the API server's, whose file
    holds the authority that signed it.
    """

    def __init__(self, assets: MeshAssets, control_plane: ControlPlane, processes: ProcessGroup) -> None:
        self._control_plane = control_plane
        self._processes = processes
        self.program = assets.pilot_discovery
        self.grpc_port, self._http_port, self._monitoring_port = free_port(), free_port(), free_port()
        self.webhook_port = free_port()
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it on the ports that it always has, and return when it is ready."""
        mesh = self._control_plane.directory / "mesh.yaml"
        # With it on, clusters would wait for certificates that no agent serves.
        mesh.write_text("enableAutoMtls: false\n", encoding="utf-8")
        certificate = self._control_plane.ca_file
        authority = certificate.with_name("istiod-ca.crt")  # a file of its own: it will not watch one twice
        shutil.copyfile(certificate, authority)
        arguments = {
            "kubeconfig": self._control_plane.user("istiod", "system:masters").kubeconfig,
            "meshConfig": mesh,
            "grpcAddr": f"127.0.0.1:{self.grpc_port}",
            "httpAddr": f"127.0.0.1:{self._http_port}",
            "monitoringAddr": f"127.0.0.1:{self._monitoring_port}",
            "httpsAddr": f"127.0.0.1:{self.webhook_port}",
            "secureGRPCAddr": "",
            "ctrlz_port": 0,
            "tlsCertFile": certificate,
            "tlsKeyFile": certificate.with_suffix(".key"),
            "caCertFile": authority,
        }
        flags = [f"--{name}={value}" for name, value in arguments.items()]
        self._process = self._processes.start(self.program, ["discovery", *flags], environment=_ENVIRONMENT)
        self._processes.wait_ready(
            self._process, lambda: answers(f"http://127.0.0.1:{self._http_port}/ready")
        )

    def stop(self, *, kill: bool = False) -> None:
        """End it; proxies keep what they have."""
        if self._process:
            self._processes.end(self._process, kill=kill)
            self._process = None

    def debug(self, what: str) -> Any:
        """What istiod tells at /debug/<what>, from JSON."""
        return json.loads(fetch(f"http://127.0.0.1:{self._monitoring_port}/debug/{what}"))


_ENVIRONMENT = {
    "POD_NAME": "istiod-0",
    "POD_NAMESPACE": SYSTEM,
    "REVISION": "default",
    "CLUSTER_ID": "Kubernetes",
    "ENABLE_CA_SERVER": "false",
    "PILOT_CERT_PROVIDER": "none",
    "VALIDATION_WEBHOOK_CONFIG_NAME": "",
    "INJECTION_WEBHOOK_CONFIG_NAME": "",
    "PILOT_DEBOUNCE_MAX": f"{DEBOUNCE_SECONDS:g}s",
    # Gateways are served by the Envoys of the tests.
    "PILOT_ENABLE_GATEWAY_API_DEPLOYMENT_CONTROLLER": "false",
    # These filters exist only in Istio's own build of Envoy.
    "PILOT_ENABLE_METADATA_EXCHANGE": "false",
    "PILOT_ENABLE_ALPN_FILTER": "false",
}


@dataclass(frozen=True)
class Node:
    """Who a proxy is to istiod."""

    role: str
    """`router` for a gateway, `sidecar` for a workload's proxy."""
    name: str
    namespace: str
    labels: Mapping[str, str]
    address: str = "127.0.0.2"
    """No endpoint's: istiod takes a proxy for what serves at its address."""

    @property
    def id(self) -> str:
        domain = f"{self.namespace}.svc.cluster.local"
        return f"{self.role}~{self.address}~{self.name}.{self.namespace}~{domain}"


class Envoy:
    """A proxy that has all of its configuration from istiod."""

    def __init__(self, assets: MeshAssets, istiod: Istiod, processes: ProcessGroup, node: Node) -> None:
        self.node = node
        self._program = assets.envoy
        self._istiod = istiod
        self._processes = processes
        self._admin = free_port()
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, and return when istiod has configured it."""
        flags = {
            "config-yaml": json.dumps(self._bootstrap()),
            "concurrency": "1",
            "log-level": "warning",
        }
        arguments = [word for name, value in flags.items() for word in (f"--{name}", value)]
        self._process = self._processes.start(self._program, [*arguments, "--use-dynamic-base-id"])
        self._processes.wait_ready(self._process, lambda: answers(f"{self._url}/ready"))

    def stop(self) -> None:
        """End it at once."""
        if self._process:
            self._processes.end(self._process, kill=True)
            self._process = None

    def stats(self, matching: str) -> dict[str, int]:
        """Envoy's counters and gauges whose names match a regular expression."""
        listed = json.loads(fetch(f"{self._url}/stats?format=json&filter={matching}"))["stats"]
        return {stat["name"]: stat["value"] for stat in listed if "name" in stat}

    def listeners(self) -> set[str]:
        """The addresses at which it accepts calls."""
        listed = json.loads(fetch(f"{self._url}/listeners?format=json")).get("listener_statuses", ())
        found = (one["local_address"]["socket_address"] for one in listed)
        return {f"{address['address']}:{address['port_value']}" for address in found}

    def routes(self) -> list[dict[str, Any]]:
        """The route configurations in force."""
        try:
            dumped = json.loads(fetch(f"{self._url}/config_dump?resource=dynamic_route_configs"))
        except HTTPError as error:
            if error.code == HTTPStatus.NOT_FOUND:  # it has none yet
                return []
            raise
        return [config["route_config"] for config in dumped.get("configs", ())]

    @property
    def _url(self) -> str:
        return f"http://127.0.0.1:{self._admin}"

    def _bootstrap(self) -> dict[str, Any]:
        ads = {"ads": {}, "initial_fetch_timeout": "0s", "resource_api_version": "V3"}
        to_istiod = {"address": "127.0.0.1", "port_value": self._istiod.grpc_port}
        http2: dict[str, Any] = {"explicit_http_config": {"http2_protocol_options": {}}}
        options = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"
        return {
            "node": {
                "id": self.node.id,
                "cluster": f"{self.node.name}.{self.node.namespace}",
                "metadata": {
                    "NAMESPACE": self.node.namespace,
                    "CLUSTER_ID": "Kubernetes",
                    "ISTIO_VERSION": "1.31.0",
                    "LABELS": dict(self.node.labels),
                },
            },
            "admin": {"address": _socket_address("127.0.0.1", self._admin)},
            "dynamic_resources": {
                "lds_config": ads,
                "cds_config": ads,
                "ads_config": {
                    "api_type": "GRPC",
                    "transport_api_version": "V3",
                    "set_node_on_first_message_only": True,
                    "grpc_services": [{"envoy_grpc": {"cluster_name": "istiod"}}],
                },
            },
            "static_resources": {
                "clusters": [
                    {
                        "name": "istiod",
                        "type": "STATIC",
                        "typed_extension_protocol_options": {
                            options: {"@type": f"type.googleapis.com/{options}", **http2}
                        },
                        "load_assignment": {
                            "cluster_name": "istiod",
                            "endpoints": [
                                {"lb_endpoints": [{"endpoint": {"address": {"socket_address": to_istiod}}}]}
                            ],
                        },
                    }
                ]
            },
        }


def _socket_address(address: str, port: int) -> dict[str, Any]:
    return {"socket_address": {"address": address, "port_value": port}}
