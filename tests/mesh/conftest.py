"""The mesh that tests share, and a namespace with a stand-in for ModelMesh for each of them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.mesh.site import Mesh, MeshSite
from tests.support import ControlPlane
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


@pytest.fixture
def site(mesh: Mesh, namespace: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[MeshSite]:
    """All is there but versions, policies and a controller. Its parameter: the router, `istio` by default."""
    made = MeshSite(mesh, namespace, tmp_path, router=getattr(request, "param", "istio"))
    made.grant()
    try:
        made.open()
        yield made
    finally:
        made.close()
        for name in made.names("inferenceservices"):
            made.kubectl(
                "patch", "inferenceservice", name, "--type=merge", '--patch={"metadata":{"finalizers":null}}'
            )
