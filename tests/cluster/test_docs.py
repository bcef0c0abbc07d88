"""All commands of the README and the docs, on a real API server; a thread plays ModelMesh's part.

The controller has exactly the rights that the operator's page grants it.
"""

import json
import shutil
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import pytest

from tests.deploy.kubelet import Kubelet
from tests.docs import pages
from tests.docs.play import CLUSTER, PROGRAMS, environment, play, prepare
from tests.docs.shell import Shell
from tests.support import ControlPlane
from tests.support.answering import Answering
from tests.support.assets import find_helm

pytestmark = pytest.mark.cluster

NAMESPACE = "modelmesh-serving"
THERE = f"--namespace={NAMESPACE}"
ACCOUNT = "turnout"
OPERATOR = "docs/operator.md"
INSTALL = "docs/install.md"
IN_CLUSTER = [page for page in pages.names() if any(CLUSTER in block.marks for block in pages.read(page))]


class ModelMesh:
    """Says that InferenceServices without a status are ready, as ModelMesh does with a loaded model."""

    def __init__(self, control_plane: ControlPlane) -> None:
        self._control_plane = control_plane
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="modelmesh")
        self._thread.start()

    def stop(self) -> None:
        self._stopped.set()
        self._thread.join()

    def _run(self) -> None:
        patch = json.dumps({"status": {"conditions": [{"type": "Ready", "status": "True"}]}})
        how = ("--subresource=status", "--type=merge", f"--patch={patch}", THERE)
        while not self._stopped.wait(0.2):
            for name in self._new():
                self._control_plane.kubectl("patch", "inferenceservice", name, *how, check=False)

    def _new(self) -> list[str]:
        there = inference_services(self._control_plane)
        return [one["metadata"]["name"] for one in there if not one.get("status", {}).get("conditions")]


def inference_services(control_plane: ControlPlane) -> list[dict[str, Any]]:
    listed = control_plane.kubectl("get", "inferenceservices", THERE, "--output=json").stdout
    found: list[dict[str, Any]] = json.loads(listed)["items"]
    return found


@pytest.fixture
def cluster(control_plane: ControlPlane) -> Iterator[ControlPlane]:
    """A cluster with ModelMesh in its usual namespace, which is gone afterwards with all that is in it."""
    control_plane.install_crds("istio", "kserve", "turnout")
    control_plane.kubectl("create", "namespace", NAMESPACE)
    modelmesh = ModelMesh(control_plane)
    try:
        yield control_plane
    finally:
        modelmesh.stop()
        release = '--patch={"metadata":{"finalizers":null}}'
        for one in inference_services(control_plane):  # nobody does it once the controller has ended
            name = one["metadata"]["name"]
            control_plane.kubectl("patch", "inferenceservice", name, THERE, "--type=merge", release)
        control_plane.kubectl("delete", "namespace", NAMESPACE, "--timeout=60s")
        control_plane.install_crds("turnout")  # a page may have deleted them


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """As much of a clone as the pages speak of."""
    folder = tmp_path / "clone"
    folder.mkdir()
    prepare(folder)
    return folder


@pytest.mark.parametrize("page", IN_CLUSTER)
def test_commands_do_in_a_cluster_what_the_page_shows(page: str, cluster: ControlPlane, folder: Path) -> None:
    mark = cluster.audit_mark()
    kubeconfig = folder / ".kubeconfig"  # of its own: the pages change it
    shutil.copyfile(cluster.admin.kubeconfig, kubeconfig)
    (folder / PROGRAMS / "kubectl").symlink_to(cluster.assets.kubectl)
    if page == INSTALL:
        (folder / PROGRAMS / "helm").symlink_to(find_helm())
    elif page != OPERATOR:  # these two grant them themselves
        grant(cluster, folder)
    with (
        Answering(_0=20, _1=80) as mesh,  # the pages ask it when they have come to this split
        pods(cluster, folder) if page == INSTALL else nullcontext(),
    ):
        env = environment(folder, KUBECONFIG=str(kubeconfig), GATEWAY=mesh.address)
        with Shell(folder, env) as shell:
            play(shell, pages.read(page), cluster=True)

    calls = cluster.audit(f"system:serviceaccount:{NAMESPACE}:{ACCOUNT}", since=mark)
    asked = {call.resource for call in calls}
    assert asked >= {"routingpolicies", "inferenceservices"}
    assert asked & {"virtualservices", "configmaps"}
    if page != INSTALL:  # it takes the rights from pods that still run
        assert [f"{call.verb} {call.uri}" for call in calls if call.code == 403] == []


@contextmanager
def pods(cluster: ControlPlane, folder: Path) -> Iterator[None]:
    """Meanwhile a Deployment has pods that run."""
    kubelet = Kubelet(cluster, NAMESPACE, folder)
    try:
        yield
    finally:
        kubelet.stop()


def grant(cluster: ControlPlane, folder: Path) -> None:
    """Grant the rights of the operator's page, and have `turnout run` use them and no others."""
    rights = next(block.text for block in pages.read(OPERATOR) if block.file == "rbac.yaml")
    cluster.kubectl("apply", "--filename=-", THERE, input=rights)
    account = cluster.service_account(NAMESPACE, ACCOUNT)
    kubeconfig = json.loads(account.kubeconfig.read_text(encoding="utf-8"))
    kubeconfig["contexts"][0]["context"]["namespace"] = NAMESPACE
    file = folder / PROGRAMS / "account.kubeconfig"
    file.write_text(json.dumps(kubeconfig), encoding="utf-8")
    program = Path(sys.executable).with_name("turnout")
    wrapper = folder / PROGRAMS / "turnout"
    script = f"#!/bin/sh\n[ \"$1\" != run ] || export KUBECONFIG='{file}'\nexec '{program}' \"$@\"\n"
    wrapper.write_text(script, encoding="utf-8")
    wrapper.chmod(0o755)
