"""The two API servers that the suite runs on."""

import asyncio
import json
from collections.abc import Iterator

import pytest

from tests.contract.api import Api
from tests.contract.kinds import GADGET, WIDGET, crd
from tests.support import ControlPlane
from turnout.runtime.kube import connect
from turnout.testing.memory import InMemoryCluster

MEMORY = pytest.param("memory")
APISERVER = pytest.param("apiserver", marks=pytest.mark.cluster)


@pytest.fixture(params=[MEMORY, APISERVER])
def api(request: pytest.FixtureRequest) -> Iterator[Api]:
    """An API server that serves widgets and gadgets, and an empty namespace of it."""
    if request.param == "apiserver":
        yield request.getfixturevalue("real")
    else:
        with asyncio.Runner() as runner:
            yield Api(runner, request.getfixturevalue("memory"), "contract")


@pytest.fixture
def real(serving: ControlPlane, namespace: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Api]:
    """The real API server."""
    monkeypatch.setenv("KUBECONFIG", str(serving.admin.kubeconfig))
    with asyncio.Runner() as runner:
        transport = runner.run(connect())
        try:
            yield Api(runner, transport, namespace)
        finally:
            runner.run(transport.close())


@pytest.fixture
def memory() -> InMemoryCluster:
    """An in-memory cluster that serves widgets and gadgets."""
    cluster = InMemoryCluster()
    for kind in (WIDGET, GADGET):
        cluster.install_crd(crd(kind))
    return cluster


@pytest.fixture(scope="session")
def serving(control_plane: ControlPlane) -> ControlPlane:
    """The real API server once it serves widgets and gadgets, and their owners are known."""
    crds = {"apiVersion": "v1", "kind": "List", "items": [crd(WIDGET), crd(GADGET)]}
    control_plane.kubectl("apply", "--server-side", "-f", "-", input=json.dumps(crds))
    names = [f"crd/{kind}" for kind in (WIDGET, GADGET)]
    control_plane.kubectl("wait", "--for=condition=Established", "--timeout=60s", *names)
    control_plane.restart_controller_manager()
    return control_plane
