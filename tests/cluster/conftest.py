"""A namespace in which `turnout run` serves, as a process of its own with a minimal Role."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster.controller import Site
from tests.support import ControlPlane


@pytest.fixture
def site(control_plane: ControlPlane, namespace: str, tmp_path: Path) -> Iterator[Site]:
    """All CRDs, and a service account that may do what role.yaml says. No controller runs yet."""
    control_plane.install_crds("istio", "kserve", "turnout")
    made = Site(control_plane, namespace, tmp_path)
    made.grant()
    yield made
    made.close()
    made.release()
