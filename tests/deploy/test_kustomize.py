"""`kubectl apply -k` makes the same objects as the chart with its defaults."""

import re
import subprocess
from pathlib import Path

import pytest
import yaml
from deploy.generate import SCOPES, plain

from tests.deploy.chart import CHART, DEPLOY, Object, container, is_hook, objects, only
from tests.support import find_assets

SETTINGS = "turnout-settings"
HASHED = re.compile(rf"{SETTINGS}-[a-z0-9]{{10}}")


def kustomize(folder: Path) -> str:
    """What kustomize makes of a folder."""
    command: list[str | Path] = [find_assets().kubectl, "kustomize", folder]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def built(folder: Path) -> list[Object]:
    """The same, parsed, with the name of the settings as the chart has it."""
    return [*yaml.safe_load_all(HASHED.sub(SETTINGS, kustomize(folder)))]


def by_name(found: list[Object]) -> dict[tuple[str, str], Object]:
    named = {(one["kind"], one["metadata"]["name"]): one for one in found}
    assert len(named) == len(found)
    for one in named.values():
        one["metadata"].pop("namespace", None)
        if one["kind"] == "ConfigMap":
            one["data"] = {key: yaml.safe_load(value) for key, value in one["data"].items()}
        for subject in one.get("subjects", ()):
            subject.pop("namespace", None)
    return named


@pytest.mark.parametrize("scope", SCOPES)
def test_objects_are_those_of_the_chart(scope: str) -> None:
    """But for the marks of Helm, its hooks, and the names that kustomize gives to what it replaces pods by."""
    ours = by_name([plain(one) for one in objects(*SCOPES[scope]) if not is_hook(one)])
    assert by_name(built(DEPLOY / "kustomize" / scope)) == ours


def test_crds_are_those_of_the_chart() -> None:
    crds = [yaml.safe_load(file.read_text(encoding="utf-8")) for file in (CHART / "crds").glob("*.yaml")]
    assert by_name(built(DEPLOY / "kustomize" / "crds")) == by_name(crds)


@pytest.fixture
def overlay(tmp_path: Path) -> Path:
    """A folder whose kustomization takes the cluster-scoped one elsewhere, with settings.yaml from beside it."""
    up = "/".join(["..", *(".." for _ in tmp_path.parts[2:])])  # kustomize takes no absolute paths
    kustomization = {
        "namespace": "elsewhere",
        "resources": [f"{up}{DEPLOY}/kustomize/cluster-scoped"],
        "images": [{"name": "turnout", "newName": "registry.example.com/turnout"}],
        "configMapGenerator": [{"name": SETTINGS, "behavior": "replace", "files": ["settings.yaml"]}],
    }
    (tmp_path / "kustomization.yaml").write_text(yaml.safe_dump(kustomization), encoding="utf-8")
    return tmp_path


def test_an_overlay_chooses_namespace_image_and_settings(overlay: Path) -> None:
    """Other settings give the ConfigMap another name, so the pods are replaced."""
    volumes = []
    for settings in ("{}", "clusterDomain: example.org"):
        (overlay / "settings.yaml").write_text(settings, encoding="utf-8")
        found = [*yaml.safe_load_all(kustomize(overlay))]
        deployment = only(found, "Deployment")
        assert container(deployment)["image"].startswith("registry.example.com/turnout:")
        volumes.append(deployment["spec"]["template"]["spec"]["volumes"])
        spaces = {one["metadata"].get("namespace") for one in found if not one["kind"].startswith("Cluster")}
        every = [subject for one in found for subject in one.get("subjects", ())]
        subjects = {subject["namespace"] for subject in every if subject["kind"] == "ServiceAccount"}
        assert (spaces, subjects) == ({"elsewhere"}, {"elsewhere"})
    assert volumes[0] != volumes[1]
