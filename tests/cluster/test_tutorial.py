"""The tutorial, word for word: its manifests and values, kubectl, and a controller with a minimal Role."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cluster.controller import Process, Site
from tests.support import ControlPlane, wait_until

NAMESPACE = "modelmesh-serving"
HOSTS = [
    "wisdom.modelmesh-serving",
    "wisdom.modelmesh-serving.svc",
    "wisdom.modelmesh-serving.svc.cluster.local",
]
LEFTOVERS = (
    "virtualservices",
    "gateways.networking.istio.io",
    "serviceentries",
    "routingpolicies",
    "trafficweights",
    "inferenceservices",
)


@pytest.fixture
def tutorial(control_plane: ControlPlane, tmp_path: Path) -> Iterator[Site]:
    """The namespace that the tutorial speaks of."""
    control_plane.install_crds("istio", "kserve", "turnout")
    control_plane.kubectl("create", "namespace", NAMESPACE)
    site = Site(control_plane, NAMESPACE, tmp_path)
    site.grant()
    yield site
    site.close()
    release = '--patch={"metadata":{"finalizers":null}}'
    for name in site.names("inferenceservices"):
        site.kubectl("patch", "inferenceservice", name, "--type=merge", release)
    control_plane.kubectl("delete", "namespace", NAMESPACE, "--timeout=60s")


def to(version: str, **weight: int) -> dict[str, Any]:
    """A route of the VirtualService."""
    host = "modelmesh-serving.modelmesh-serving.svc.cluster.local"
    return {
        "destination": {"host": host, "port": {"number": 8033}},
        "headers": {"request": {"set": {"mm-vmodel-id": version}}},
        **weight,
    }


def virtual_service(*routes: dict[str, Any]) -> dict[str, Any]:
    """The spec of the VirtualService, to the letter."""
    return {"gateways": ["mm-gateway", "mesh"], "hosts": HOSTS, "http": [{"route": list(routes)}]}


def routed(site: Site, *routes: dict[str, Any]) -> None:
    """Wait until the VirtualService is as it should be."""
    expected = virtual_service(*routes)
    wait_until(
        lambda: site.get("virtualservice", "wisdom").get("spec") == expected, timeout=20, what=str(routes)
    )


def split(site: Site) -> str:
    """The column SPLIT of `kubectl get rp`."""
    header, row = site.kubectl("get", "rp", "wisdom").stdout.splitlines()
    return row[header.index("SPLIT") : header.index("READY")].strip()


def shown(site: Site, expected: str) -> None:
    """Wait until `kubectl get rp` shows a split."""
    wait_until(lambda: split(site) == expected, what=f"kubectl get rp shows {expected}")


Again = Callable[[Process], Process]


def keep(site: Site) -> Again:
    """The controller runs through."""
    return lambda process: process


def kill(site: Site) -> Again:
    """Before each step the controller is killed; another one is started when the step is done."""

    def again(process: Process) -> Process:
        process.kill()
        return site.start()

    return again


@pytest.mark.parametrize("between", [keep, kill])
def test_the_tutorial(tutorial: Site, between: Callable[[Site], Again]) -> None:
    """Each step's VirtualService to the letter; nothing gets stuck, and nothing is left."""
    site, again = tutorial, between(tutorial)

    # 2. Deploy the primary.
    process = site.start("--log-format=json")
    site.kubectl("apply", "-f", "-", document=site.tutorial("1-primary.yaml"))
    site.ready("wisdom-0")

    # 3. Initialize the rollout: everything goes to the primary.
    site.kubectl("apply", "-f", "-", document=site.template("2-initialize-values.yaml"))
    process = again(process)
    routed(site, to("wisdom-0"))
    shown(site, "wisdom-0 100%")
    wait_until(lambda: site.get("gateways.networking.istio.io", "mm-gateway"), what="the Gateway")
    assert site.get("gateways.networking.istio.io", "mm-gateway")["spec"] == {
        "selector": {"istio": "ingressgateway"},
        "servers": [{"hosts": ["*"], "port": {"name": "http", "number": 80, "protocol": "HTTP"}}],
    }
    assert site.get("serviceentry", "wisdom")["spec"] == {
        "hosts": HOSTS,
        "location": "MESH_INTERNAL",
        "ports": [{"name": "http", "number": 8033, "protocol": "HTTP"}],
        "resolution": "DNS",
        "workloadSelector": {"labels": {"modelmesh-service": "modelmesh-serving"}},
    }

    # 5. Deploy a candidate: once it is ready, the two share by halves.
    site.kubectl("apply", "-f", "-", document=site.tutorial("3-candidate.yaml"))
    wait_until(
        lambda: site.get("inferenceservice", "wisdom-1")["metadata"].get("finalizers"), what="protected"
    )
    routed(site, to("wisdom-0"))
    site.ready("wisdom-1")
    process = again(process)
    routed(site, to("wisdom-0", weight=50), to("wisdom-1", weight=50))
    shown(site, "wisdom-0 50% / wisdom-1 50%")

    # 6. Modify the weights.
    site.kubectl("apply", "-f", "-", document=site.template("4-modify-weights-values.yaml"))
    process = again(process)
    routed(site, to("wisdom-0", weight=20), to("wisdom-1", weight=80))
    shown(site, "wisdom-0 20% / wisdom-1 80%")

    # 7. Promote: the primary takes over the candidate's model.
    promote(site)
    process = again(process)
    promoted(site)

    # The weights hold for later candidates as well.
    site.kubectl("apply", "-f", "-", document=site.tutorial("3-candidate.yaml"))
    site.ready("wisdom-1")
    process = again(process)
    routed(site, to("wisdom-0", weight=20), to("wisdom-1", weight=80))

    # 8. Clean up.
    site.kubectl("delete", "inferenceservice", "wisdom-1", "--timeout=30s")
    document = site.template("2-initialize-values.yaml")
    site.kubectl("delete", "-f", "-", "--timeout=30s", document=document)
    process = again(process)
    site.kubectl("delete", "inferenceservice", "wisdom-0", "--timeout=30s")
    wait_until(lambda: not any(map(site.names, LEFTOVERS)), timeout=20, what="nothing is left")
    assert site.denied() == []


def promote(site: Site) -> None:
    site.kubectl("replace", "-f", "-", document=site.tutorial("5-promoted-primary.yaml"))
    site.kubectl("delete", "inferenceservice", "wisdom-1", "--wait=false")


def promoted(site: Site) -> None:
    """Everything goes to the new primary, and the candidate's deletion has not got stuck."""
    routed(site, to("wisdom-0"))
    shown(site, "wisdom-0 100%")
    site.kubectl("wait", "--for=delete", "inferenceservice/wisdom-1", "--timeout=30s")
    metadata = site.get("inferenceservice", "wisdom-0")["metadata"]
    assert metadata["finalizers"] == ["turnout.dev/drain"]
    assert metadata["labels"]["app.kubernetes.io/version"] == "v1"
