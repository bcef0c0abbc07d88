"""The control plane that tests share, and a namespace for each test."""

import os
import re
import secrets
import signal
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import settings

from tests.support import AssetsMissingError, ControlPlane, find_assets

# Machines that run tests are slow at times; what CI finds has to be found again.
settings.register_profile("default", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI", "").lower() == "true" else "default")

# A shell starts what is in its background deaf to Ctrl-C, and so would be the programs that tests start.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

os.environ.setdefault("GRPC_VERBOSITY", "NONE")  # gRPC tells of every connection that ends

CLUSTER = Path(__file__).with_name("cluster")
MESH = Path(__file__).with_name("mesh")
ENVOY = Path(__file__).with_name("envoy")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what needs a real API server, a mesh on top of it, or Envoy alone, so that others can be run by
    themselves.
    """
    for item in items:
        if {MESH, ENVOY} & {*item.path.parents}:
            item.add_marker(pytest.mark.mesh)
        if CLUSTER in item.path.parents or "control_plane" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.cluster)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup() -> Generator[None]:
    """Skip a test for which something is not on this machine, as `control_plane` or CRDs."""
    with skipping():
        yield


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call() -> Generator[None]:
    with skipping():
        yield


@contextmanager
def skipping() -> Iterator[None]:
    """Not in CI: there nobody would notice."""
    try:
        yield
    except AssetsMissingError as missing:
        if os.environ.get("CI", "").lower() in ("", "0", "false"):
            pytest.skip(str(missing))
        pytest.fail(str(missing), pytrace=False)


@pytest.fixture(scope="session")
def control_plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    """Start a control plane, ready but without CRDs: `install_crds` may be repeated by each test."""
    with ControlPlane(find_assets(), tmp_path_factory.mktemp("control-plane")) as running:
        yield running


@pytest.fixture
def namespace(control_plane: ControlPlane, request: pytest.FixtureRequest) -> Iterator[str]:
    """Create a namespace named for the test, like no other, whose deletion nobody waits for."""
    words = re.sub(r"[^a-z0-9]+", "-", request.node.name.lower()).strip("-")[:40].rstrip("-")
    name = f"{words}-{secrets.token_hex(3)}"
    control_plane.kubectl("create", "namespace", name)
    yield name
    control_plane.kubectl("delete", "namespace", name, "--wait=false")
