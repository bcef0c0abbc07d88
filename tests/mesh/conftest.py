"""The mesh that tests share, and a namespace with a stand-in for ModelMesh for each of them."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.mesh.town import Mesh, Town
from tests.support import AssetsMissingError, ControlPlane
from tests.support.assets import find_mesh_assets


@pytest.fixture(scope="session")
def mesh(control_plane: ControlPlane, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mesh]:
    """istiod and Envoy; without them tests are skipped, but not in CI."""
    try:
        assets = find_mesh_assets()
    except AssetsMissingError as missing:
        if os.environ.get("CI", "").lower() in ("", "0", "false"):
            pytest.skip(str(missing))
        pytest.fail(str(missing), pytrace=False)
    running = Mesh(control_plane, assets, tmp_path_factory.mktemp("mesh"))
    try:
        running.start()
        yield running
    finally:
        running.stop()


@pytest.fixture
def town(mesh: Mesh, namespace: str, tmp_path: Path) -> Iterator[Town]:
    """All is there but versions, policies and a controller."""
    made = Town(mesh, namespace, tmp_path)
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
