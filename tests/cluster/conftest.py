"""A namespace in which `turnout run` serves, as a process of its own with a minimal Role."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster.controller import Site
from tests.support import ControlPlane

VERSIONS = ("inferenceservices", "deployments", "statefulsets", "services")
"""What versions are made of."""


@pytest.fixture
def site(control_plane: ControlPlane, namespace: str, tmp_path: Path) -> Iterator[Site]:
    """All CRDs, and a service account that may do what role.yaml says. No controller runs yet."""
    control_plane.install_crds("istio", "kserve", "turnout")
    made = Site(control_plane, namespace, tmp_path)
    made.grant()
    yield made
    made.close()
    release = json.dumps({"metadata": {"finalizers": None}})
    for kind in VERSIONS:
        for name in made.names(kind):  # nobody does it once the controller has ended
            made.kubectl("patch", kind, name, "--type=merge", "--patch", release)
