"""The drain gives proxies their time, also where istiod is busy with other changes."""

import json
import ssl
import threading
import time
import urllib.request
from pathlib import Path

import pytest

from tests.mesh.load import Load, failed
from tests.mesh.objects import service_entry
from tests.mesh.site import Mesh, MeshSite, in_the_mesh
from tests.support import wait_until

EVERY = 0.03
"""Seconds between two changes: istiod waits for a tenth of a second without any before it pushes."""
LATE = 0.7
"""Seconds after which a change has waited for others: without them istiod pushes within a quarter of that."""
NO_TIME = 0.0
"""For calls in flight, so that nothing but the propagation holds a version."""


class Churn:
    """Changes something that all proxies know of, ever again, while it is a context.

    So istiod gathers changes for as long as it may.
    """

    def __init__(self, site: MeshSite) -> None:
        plane = site.control_plane
        self._plane = plane
        self._path = (
            f"{plane.url}/apis/networking.istio.io/v1/namespaces/{site.namespace}/serviceentries/churn"
        )
        self._tls = ssl.create_default_context(cafile=plane.ca_file)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="churn", daemon=True)
        self.changes = 0
        entry = service_entry(site.namespace, "churn", "churn.example", 80, 80)
        site.kubectl("apply", "-f", "-", document=json.dumps(entry))

    def __enter__(self) -> "Churn":
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._stop.set()
        self._thread.join(10)

    def _run(self) -> None:
        headers = {
            "Authorization": f"Bearer {self._plane.admin.token}",
            "Content-Type": "application/merge-patch+json",
        }
        while not self._stop.wait(EVERY):
            patch = json.dumps({"spec": {"hosts": [f"churn-{self.changes}.example"]}}).encode()
            request = urllib.request.Request(self._path, patch, headers, method="PATCH")
            with urllib.request.urlopen(request, timeout=5, context=self._tls):
                self.changes += 1


@in_the_mesh
@pytest.mark.usefixtures("webhook")
def test_proxies_that_follow_late_lose_no_call(
    mesh: Mesh, namespace: str, tmp_path: Path, router: str
) -> None:
    with MeshSite(mesh, namespace, tmp_path, router=router, drain={"inFlightSeconds": NO_TIME}) as site:
        site.open_modelmesh()
        site.deploy("wisdom-0", "wisdom-1")
        site.start()
        site.declare("blue-green", {"name": "wisdom-0"}, {"name": "wisdom-1"})
        site.until_in_force({"wisdom-0": 50, "wisdom-1": 50})
        with Churn(site) as churn, Load(site.address, site.authority(), streams=False) as load:
            delays = [delay_of_a_deletion(site) for _ in range(3)]
        assert churn.changes > 100
        assert max(delays) > LATE, "istiod has not pushed late"
        assert len(load.calls()) > 1000
        assert not failed(load.calls())


def delay_of_a_deletion(site: MeshSite) -> float:
    """Seconds from a candidate's deletion until it is out of the routes in force. Afterwards it is back."""
    site.until_in_force({"wisdom-0": 50, "wisdom-1": 50})
    pushed(site.mesh)
    site.kubectl("delete", "inferenceservice", "wisdom-1", "--wait=false")
    deleted = time.monotonic()
    site.until_in_force({"wisdom-0": 100})
    delay = time.monotonic() - deleted
    wait_until(lambda: not site.get("inferenceservice", "wisdom-1"), timeout=60, what="wisdom-1 is gone")
    site.deploy("wisdom-1")
    return delay


def pushed(mesh: Mesh) -> None:
    """Wait until istiod has just pushed: what is changed now waits for as long as it gathers changes."""

    def pushes() -> int:
        return sum(mesh.ingress.stats(r"listener_manager\.lds\.update_attempt$").values())

    before = pushes()
    wait_until(lambda: pushes() > before, timeout=20, interval=0.01, what="a push")
