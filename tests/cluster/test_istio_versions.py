"""A cluster whose Istio is older than networking.istio.io/v1."""

import json
from collections.abc import Iterator

import pytest

from tests.cluster.controller import Site
from tests.support import ControlPlane, wait_until

KINDS = ("gateways", "serviceentries", "virtualservices")
GROUP = "networking.istio.io"


@pytest.fixture
def old(site: Site) -> Iterator[Site]:
    """The API server serves the kinds that the router writes, and v1 of none of them."""
    serve_v1(site.control_plane, served=False)
    yield site
    site.close()
    serve_v1(site.control_plane, served=True)


def serve_v1(control_plane: ControlPlane, *, served: bool) -> None:
    """Serve v1 of the kinds, or v1beta1 alone, and return when the API server does."""
    for kind in KINDS:
        crd = f"crd/{kind}.{GROUP}"
        listed = json.loads(control_plane.kubectl("get", crd, "--output=json").stdout)["spec"]["versions"]
        place = next(index for index, one in enumerate(listed) if one["name"] == "v1")
        patch = [{"op": "replace", "path": f"/spec/versions/{place}/served", "value": served}]
        control_plane.kubectl("patch", crd, "--type=json", f"--patch={json.dumps(patch)}")
    wait_until(lambda: serves(control_plane) is served, timeout=20, what=f"v1 is served: {served}")


def serves(control_plane: ControlPlane) -> bool | None:
    """Whether v1 has all of the kinds; None where it has some."""
    done = control_plane.kubectl("get", "--raw", f"/apis/{GROUP}/v1", check=False)
    there = {one["name"] for one in json.loads(done.stdout)["resources"]} if not done.returncode else set()
    found = {kind in there for kind in KINDS}
    return found.pop() if len(found) == 1 else None


def test_all_is_written_in_v1beta1(old: Site) -> None:
    old.version("wisdom-0")
    old.policy("wisdom")
    old.start()
    wait_until(lambda: old.condition("wisdom", "Ready")[0] == "True", timeout=20, what="Ready")

    status = old.get("routingpolicy", "wisdom")["status"]
    assert {route["apiVersion"] for route in status["routes"]} == {f"{GROUP}/v1beta1"}
    for kind, name in zip(KINDS, ("mm-gateway", "wisdom", "wisdom"), strict=True):
        told = old.kubectl("get", f"{kind}.v1beta1.{GROUP}", name, "--output=json", "--show-managed-fields")
        managers = json.loads(told.stdout)["metadata"]["managedFields"]
        assert [one["apiVersion"] for one in managers] == [f"{GROUP}/v1beta1"], kind
