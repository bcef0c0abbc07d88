"""Releases of the chart in the API server that tests share."""

import secrets
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.deploy.installation import Installation
from tests.support import ControlPlane

Make = Callable[..., Installation]


@pytest.fixture(scope="session")
def cluster(control_plane: ControlPlane) -> ControlPlane:
    """With all CRDs."""
    control_plane.install_crds("istio", "kserve", "gateway-api", "turnout")
    return control_plane


@pytest.fixture
def admission_policies(control_plane: ControlPlane) -> None:
    """Skips a test where they are not served: they came with Kubernetes 1.30, and before it the chart has none."""
    served = control_plane.kubectl(
        "api-resources", "--api-group=admissionregistration.k8s.io", "--output=name"
    )
    if "validatingadmissionpolicies" not in served.stdout:
        pytest.skip("this Kubernetes has no ValidatingAdmissionPolicies")


@pytest.fixture
def make(cluster: ControlPlane, tmp_path: Path) -> Iterator[Make]:
    """Makes releases, each in a new namespace unless one is given. All are gone afterwards; the CRDs stay."""
    made: list[Installation] = []

    def one(namespace: str | None = None, name: str = "turnout") -> Installation:
        if namespace is None:
            namespace = f"chart-{secrets.token_hex(3)}"
            cluster.kubectl("create", "namespace", namespace)
        made.append(Installation(cluster, namespace, tmp_path, name))
        return made[-1]

    yield one
    for installation in made:
        installation.close()
        installation.helm("uninstall", "--no-hooks", "--ignore-not-found")
        cluster.kubectl("delete", "namespace", installation.namespace, "--wait=false", "--ignore-not-found")


@pytest.fixture
def installation(make: Make) -> Installation:
    """One with the chart's defaults, but for settings by which nobody waits long."""
    made = make()
    made.install()
    return made
