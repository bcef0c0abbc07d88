"""All commands of the README and the docs, on a real API server; a thread plays ModelMesh's part."""

import json
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docs import pages
from tests.docs.play import CLUSTER, PROGRAMS, environment, play, prepare
from tests.docs.shell import Shell
from tests.support import ControlPlane

pytestmark = pytest.mark.cluster

NAMESPACE = "modelmesh-serving"
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
        how = ("--subresource=status", "--type=merge", f"--patch={patch}", f"--namespace={NAMESPACE}")
        while not self._stopped.wait(0.2):
            for name in self._new():
                self._control_plane.kubectl("patch", "inferenceservice", name, *how, check=False)

    def _new(self) -> list[str]:
        there = inference_services(self._control_plane)
        return [one["metadata"]["name"] for one in there if not one.get("status", {}).get("conditions")]


def inference_services(control_plane: ControlPlane) -> list[dict[str, dict[str, str]]]:
    get = ("get", "inferenceservices", f"--namespace={NAMESPACE}", "--output=json")
    found: list[dict[str, dict[str, str]]] = json.loads(control_plane.kubectl(*get).stdout)["items"]
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
            name, there = one["metadata"]["name"], f"--namespace={NAMESPACE}"
            control_plane.kubectl("patch", "inferenceservice", name, there, "--type=merge", release)
        control_plane.kubectl("delete", "namespace", NAMESPACE, "--timeout=60s")
        control_plane.install_crds("turnout")  # a page may have deleted them


@pytest.mark.parametrize("page", IN_CLUSTER)
def test_commands_do_in_a_cluster_what_the_page_shows(
    page: str, cluster: ControlPlane, tmp_path: Path
) -> None:
    kubeconfig = tmp_path / "kubeconfig"  # of its own: the pages change it
    shutil.copyfile(cluster.admin.kubeconfig, kubeconfig)
    folder = tmp_path / "clone"
    folder.mkdir()
    prepare(folder)
    (folder / PROGRAMS / "kubectl").symlink_to(cluster.assets.kubectl)
    with Shell(folder, environment(folder, KUBECONFIG=str(kubeconfig))) as shell:
        play(shell, pages.read(page), cluster=True)
