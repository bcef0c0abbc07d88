"""Versions that are served in another namespace than the policy's."""

import json
import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster.controller import Object
from tests.mesh.calls import ask, versions
from tests.mesh.site import Mesh, MeshSite, by_each_router
from tests.mesh.statistics import expected_split
from tests.support import wait_until
from turnout.inference import InferenceError

SPLIT = ({"name": "wisdom-0", "weight": 30}, {"name": "wisdom-1", "weight": 70})


@pytest.fixture
def elsewhere(mesh: Mesh) -> Iterator[str]:
    """The other namespace."""
    name = f"elsewhere-{secrets.token_hex(3)}"
    mesh.control_plane.kubectl("create", "namespace", name)
    yield name
    mesh.control_plane.kubectl("delete", "namespace", name, "--wait=false")


@pytest.fixture
def site(
    mesh: Mesh, webhook: None, namespace: str, elsewhere: str, tmp_path: Path, router: str
) -> Iterator[MeshSite]:
    """ModelMesh's Service is elsewhere, and policies may name it."""
    with MeshSite(mesh, namespace, tmp_path, router=router, reaches=elsewhere) as made:
        made.open_modelmesh(elsewhere)
        yield made


def grant(site: MeshSite, namespace: str) -> None:
    """The other namespace's owner lets the routes of the site's lead to its Service."""
    document: Object = {
        "apiVersion": "gateway.networking.k8s.io/v1beta1",
        "kind": "ReferenceGrant",
        "metadata": {"name": "models", "namespace": namespace},
        "spec": {
            "from": [
                {"group": "gateway.networking.k8s.io", "kind": "GRPCRoute", "namespace": site.namespace}
            ],
            "to": [{"group": "", "kind": "Service", "name": "modelmesh-serving"}],
        },
    }
    site.control_plane.kubectl("apply", "-f", "-", input=json.dumps(document))


def status_of_a_call(site: MeshSite) -> str:
    """The gRPC status with which it fails."""
    with pytest.raises(InferenceError) as caught:
        ask(site.address, site.authority())
    return caught.value.code


@by_each_router
def test_calls_are_split_between_versions_of_another_namespace(site: MeshSite, elsewhere: str) -> None:
    site.deploy("wisdom-0", "wisdom-1")
    site.start()
    there = {site.environment: {"namespace": elsewhere}}
    if site.router == "gateway-api":
        site.apply_policy("blue-green", *SPLIT, **there)
        refused = ("False", "RefusedByNetwork")
        wait_until(lambda: site.condition("wisdom", "Routed") == refused, timeout=20, what="refused")
        assert "RefNotPermitted" in site.message("wisdom", "Routed")
        # istiod may tell its verdict before the proxies have the route: until then HTTP 404, UNIMPLEMENTED.
        failing = "UNKNOWN"  # as gRPC has it for HTTP 500
        wait_until(lambda: status_of_a_call(site) == failing, timeout=20, what="calls fail with UNKNOWN")
        grant(site, elsewhere)
    site.declare("blue-green", *SPLIT, **there)
    site.until_in_force({"wisdom-0": 30, "wisdom-1": 70})
    expected_split(
        lambda: versions(ask(site.address, site.authority(), 600)), {"wisdom-0": 30, "wisdom-1": 70}
    )


def test_the_administrator_has_to_allow_it(site: MeshSite, elsewhere: str) -> None:
    site.deploy("wisdom-0")
    site.start(settings="{}")
    site.apply_policy("blue-green", {"name": "wisdom-0"}, **{site.environment: {"namespace": elsewhere}})
    refused = ("False", "NamespaceNotAllowed")
    wait_until(lambda: site.condition("wisdom", "Accepted") == refused, timeout=20, what="refused")
    assert site.names("virtualservices") == []
