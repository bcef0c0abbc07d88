"""What Istio itself says of the manifests: its admission webhook, and `istioctl analyze`."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.mesh.site import Mesh
from tests.mesh.webhook import BAD, dry_run
from tests.support.mesh import SYSTEM

GOLDEN = sorted(Path(__file__).parents[1].joinpath("golden").glob("*/*.yaml"))
SURROUNDINGS = Path(__file__).with_name("surroundings.yaml")
NAMESPACE = "modelmesh-serving"


@pytest.fixture(scope="module")
def surrounded(mesh: Mesh) -> Iterator[Mesh]:
    """What manifests name is there: afterwards no longer, as other tests have a gateway of that name."""
    kubectl = mesh.control_plane.kubectl
    kubectl("apply", "-f", SURROUNDINGS)
    yield mesh
    made = yaml.safe_load_all(SURROUNDINGS.read_text(encoding="utf-8"))
    others = [one for one in made if (one["kind"], one["metadata"]["name"]) != ("Namespace", SYSTEM)]
    kubectl("delete", "--ignore-not-found", "-f", "-", input=yaml.safe_dump_all(others))


@pytest.mark.usefixtures("webhook")
def test_istiods_webhook_accepts_every_manifest(surrounded: Mesh) -> None:
    assert len(GOLDEN) >= 57
    for path in GOLDEN:
        done = dry_run(surrounded, path.read_text(encoding="utf-8"))
        assert (done.returncode, done.stderr) == (0, ""), path


@pytest.mark.usefixtures("webhook")
def test_istiods_webhook_refuses_what_is_wrong(mesh: Mesh) -> None:
    """Else the test above would prove nothing."""
    done = dry_run(mesh, json.dumps(BAD))
    assert "denied the request: configuration is invalid" in done.stderr


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_istioctl_has_nothing_to_say(surrounded: Mesh, path: Path) -> None:
    assert _analyze(surrounded, path) == []


def test_istioctl_says_what_is_wrong(surrounded: Mesh, tmp_path: Path) -> None:
    """It misses a Gateway that is not there, so it does look."""
    documents = yaml.safe_load_all(GOLDEN[0].read_text(encoding="utf-8"))
    left = tmp_path / "without-gateway.yaml"
    left.write_text(yaml.safe_dump_all(one for one in documents if one["kind"] != "Gateway"))
    assert {message["code"] for message in _analyze(surrounded, left)} >= {"IST0101"}


def _analyze(mesh: Mesh, *paths: Path) -> Any:
    command: list[str | Path] = [mesh.assets.istioctl, "analyze", f"--namespace={NAMESPACE}"]
    command += [f"--kubeconfig={mesh.control_plane.admin.kubeconfig}", "--output=json", *paths]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.stdout, done.stderr
    return json.loads(done.stdout)
