"""A client inside the mesh: by the names that the ServiceEntry makes known, and through the gateway."""

import json
import secrets
from collections.abc import Iterator

import pytest

from tests.cluster.controller import Object
from tests.mesh.calls import ask, versions
from tests.mesh.copies import received
from tests.mesh.routes_watch import shares_of
from tests.mesh.site import MODELMESH_PORT, MeshSite, in_the_mesh
from tests.mesh.statistics import expected_split
from tests.support import wait_until
from tests.support.mesh import INGRESS_HOST, SYSTEM, Envoy, Node

CALLS = 600


class Sidecar(Envoy):
    """The proxy of a workload. It listens at an address of its own, where the workload sends its calls."""

    def __init__(self, site: MeshSite) -> None:
        self.address = (
            f"127.{secrets.randbelow(200) + 20}.{secrets.randbelow(250)}.{secrets.randbelow(250) + 1}"
        )
        node = Node("sidecar", "client", site.namespace, {"app": "client"}, self.address)
        super().__init__(site.mesh.assets, site.mesh.istiod, site.mesh.processes, node)

    def sidecar(self, gateway_port: int) -> str:
        """Calls are not redirected here, so the sidecar listens on the ports that clients would call.

        A listener with a port knows the services of that port alone: copies need the gateway's too.
        What it does not know it would pass on to where it was sent; that, too, is told to it here.
        """
        gateway = {"host": INGRESS_HOST, "port": {"number": gateway_port}}
        spec = {
            "workloadSelector": {"labels": {"app": "client"}},
            "egress": [self._listener(MODELMESH_PORT, "./*"), self._listener(gateway_port, f"{SYSTEM}/*")],
            "outboundTrafficPolicy": {"mode": "ALLOW_ANY", "egressProxy": gateway},
        }
        return json.dumps(
            {
                "apiVersion": "networking.istio.io/v1",
                "kind": "Sidecar",
                "metadata": {"name": "client"},
                "spec": spec,
            }
        )

    def _listener(self, port: int, hosts: str) -> Object:
        named = {"number": port, "protocol": "HTTP", "name": f"http-{port}"}
        return {"port": named, "bind": self.address, "captureMode": "NONE", "hosts": [hosts]}


@pytest.fixture
def client(site: MeshSite) -> Iterator[Sidecar]:
    made = Sidecar(site)
    site.kubectl("apply", "-f", "-", document=made.sidecar(site.mesh.port))
    made.start()
    yield made
    made.stop()


@pytest.mark.parametrize("name", ["wisdom.{}", "wisdom.{}.svc", "wisdom.{}.svc.cluster.local"])
def test_calls_by_each_of_the_models_names_are_split(site: MeshSite, client: Sidecar, name: str) -> None:
    site.deploy("wisdom-0", "wisdom-1")
    site.start()
    site.declare("blue-green", {"name": "wisdom-0", "weight": 20}, {"name": "wisdom-1", "weight": 80})
    site.until_in_force({"wisdom-0": 20, "wisdom-1": 80})
    host = name.format(site.namespace)
    wait_until(
        lambda: shares_of(client, host) == {"wisdom-0": 20, "wisdom-1": 80},
        timeout=20,
        what="the sidecar has them",
    )
    address, authority = f"{client.address}:{MODELMESH_PORT}", f"{host}:{MODELMESH_PORT}"
    split = {"wisdom-0": 20, "wisdom-1": 80}
    expected_split(lambda: versions(ask(address, authority, CALLS)), split)


@in_the_mesh
def test_calls_to_the_gateway_are_split_there(site: MeshSite, client: Sidecar) -> None:
    """The gateway's routes alone decide: the sidecar of a client that calls the gateway knows no model."""
    site.deploy("wisdom-0", "wisdom-1")
    site.start()
    site.declare("blue-green", {"name": "wisdom-0", "weight": 20}, {"name": "wisdom-1", "weight": 80})
    split = {"wisdom-0": 20, "wisdom-1": 80}
    site.until_in_force(split)
    address, authority = f"{client.address}:{site.mesh.port}", site.authority()
    before = taken(site.mesh.ingress)
    expected_split(lambda: versions(ask(address, authority, CALLS)), split)
    assert taken(site.mesh.ingress) - before >= CALLS


def taken(proxy: Envoy) -> int:
    """How many calls have come to a proxy."""
    return sum(proxy.stats(r"http\.outbound.*downstream_rq_total$").values())


def test_copies_of_calls_from_inside_go_through_the_gateway(site: MeshSite, client: Sidecar) -> None:
    site.deploy("wisdom-0", "wisdom-1")
    site.start()
    site.declare("mirror", {"name": "wisdom-0"}, {"name": "wisdom-1"}, mirror={"percentage": 100})
    address, host = f"{client.address}:{MODELMESH_PORT}", f"{site.authority()}:{MODELMESH_PORT}"
    wait_until(lambda: shares_of(client, site.authority()), timeout=20, what="the sidecar has routes")
    wait_until(
        lambda: ask(address, host, 20) and site.asked()["wisdom-1"] > 0, timeout=20, what="copies arrive"
    )
    before = taken(site.mesh.ingress)
    found = received(site, CALLS, least=2 * CALLS, address=address, authority=host)
    assert found == {"wisdom-0": CALLS, "wisdom-1": CALLS}
    assert taken(site.mesh.ingress) - before >= CALLS
