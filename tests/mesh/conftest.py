"""The mesh that tests share, and a namespace with a stand-in for ModelMesh for each of them."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.mesh.site import Mesh, MeshSite
from tests.mesh.webhook import BAD, configuration, dry_run
from tests.support import ControlPlane, wait_until
from tests.support.assets import find_mesh_assets


@pytest.fixture(scope="session")
def mesh(control_plane: ControlPlane, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mesh]:
    """istiod and Envoy."""
    assets = find_mesh_assets()
    running = Mesh(control_plane, assets, tmp_path_factory.mktemp("mesh"))
    try:
        running.start()
        yield running
    finally:
        running.stop()


@pytest.fixture(scope="module")
def webhook(mesh: Mesh) -> Iterator[None]:
    """What is written passes istiod's own validation; it fails otherwise, and with it the test."""
    kubectl = mesh.control_plane.kubectl
    kubectl("apply", "-f", "-", input=json.dumps(configuration(mesh)))
    wait_until(
        lambda: "denied the request" in dry_run(mesh, json.dumps(BAD)).stderr, what="the webhook is asked"
    )
    yield
    kubectl("delete", "validatingwebhookconfiguration", "istiod")


@pytest.fixture
def router() -> str:
    """Who writes the routes, where a test does not say otherwise by a parameter of this name."""
    return "istio"


@pytest.fixture
def bare_site(mesh: Mesh, webhook: None, namespace: str, tmp_path: Path, router: str) -> Iterator[MeshSite]:
    """All is there but versions and what serves them, policies and a controller."""
    with MeshSite(mesh, namespace, tmp_path, router=router) as made:
        yield made


@pytest.fixture
def site(bare_site: MeshSite) -> MeshSite:
    """The same with ModelMesh."""
    bare_site.open_modelmesh()
    return bare_site
