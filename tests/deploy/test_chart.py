"""The chart as helm renders it: its objects, its snapshots."""

import os
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

import turnout
from deploy import generate
from tests.deploy.chart import CHART, Object, container, helm, objects, only, refused, text
from tests.support.assets import REPOSITORY

GOLDEN = Path(__file__).with_name("golden")
CASES = sorted(file.name.removesuffix(".values.yaml") for file in GOLDEN.glob("*.values.yaml"))
RESTRICTED = {
    "allowPrivilegeEscalation": False,
    "readOnlyRootFilesystem": True,
    "capabilities": {"drop": ["ALL"]},
}


def test_lint_finds_nothing() -> None:
    assert "1 chart(s) linted, 0 chart(s) failed" in helm("lint", "--strict", CHART).stdout


@pytest.mark.parametrize("case", CASES)
def test_manifests_are_the_golden_ones(case: str) -> None:
    """`UPDATE_GOLDEN=1` writes them anew."""
    rendered = text(f"--values={GOLDEN / f'{case}.values.yaml'}")
    file = GOLDEN / f"{case}.yaml"
    if os.environ.get("UPDATE_GOLDEN"):
        file.write_text(rendered, encoding="utf-8")
    assert rendered == file.read_text(encoding="utf-8")


def test_a_cluster_that_has_no_admission_policies_gets_none() -> None:
    oldest = "--kube-version=1.29.0"
    found = {one["kind"] for one in objects("--set=clusterScoped=true", oldest)}
    assert {"ClusterRole"} <= found
    assert not any("Admission" in kind for kind in found)
    assert "found true, expected false: ValidatingAdmissionPolicies came with Kubernetes 1.30" in refused(
        "--set=admissionPolicies.create=true", oldest
    )


def test_releases_of_one_name_in_two_namespaces_have_policies_of_their_own() -> None:
    """Admission policies belong to no namespace. Each binding names the one of its release."""
    first, second = (admission(namespace) for namespace in ("team-a", "team-b"))
    assert len(first) == len(second) == 4
    assert not first.keys() & second.keys()
    for found in (first, second):
        names = {name for kind, name in found if kind == "ValidatingAdmissionPolicy"}
        assert {one["spec"]["policyName"] for (kind, _), one in found.items() if "Binding" in kind} == names


def admission(namespace: str) -> dict[tuple[str, str], Object]:
    """The admission policies of a release for its namespace alone, and their bindings."""
    found = objects("--set=admissionPolicies.create=true", namespace=namespace)
    return {(one["kind"], one["metadata"]["name"]): one for one in found if "Admission" in one["kind"]}


def test_nothing_that_is_generated_is_stale() -> None:
    """`python deploy/generate.py` writes it."""
    stale = [str(file) for file, made in generate.files().items() if file.read_text(encoding="utf-8") != made]
    assert stale == []


def test_version_is_that_of_turnout() -> None:
    about = yaml.safe_load((CHART / "Chart.yaml").read_text(encoding="utf-8"))
    assert about["appVersion"] == about["version"] == turnout.__version__
    for kustomization in REPOSITORY.glob("deploy/kustomize/*/kustomization.yaml"):
        made = yaml.safe_load(kustomization.read_text(encoding="utf-8")).get("configMapGenerator", [])
        labels = [one["options"]["labels"]["app.kubernetes.io/version"] for one in made]
        assert labels in ([], [turnout.__version__])


def test_names_that_look_like_numbers_or_truths_stay_strings() -> None:
    """Other values than strings are where they are with names that nobody could take for something else."""
    everything = (f"--values={GOLDEN / 'everything.values.yaml'}", "--set=admissionPolicies.create=true")
    odd = objects(
        *everything,
        "--set-string=nameOverride=123,serviceAccount.name=0123,priorityClassName=on,namespaces={true,0x1f}",
        "--set-string=environments.toys.kinds={true.123},routers.maps.kinds={null}",
        release="456",
        namespace="789",
    )
    assert [*others_than_strings(odd)] == [*others_than_strings(objects(*everything))]
    spaces = {one["metadata"].get("namespace") for one in odd if one["kind"] == "RoleBinding"}
    assert spaces == {None, "true", "0x1f"}


def others_than_strings(found: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """The numbers, truths and nulls of what helm renders, with where they stand."""
    if isinstance(found, dict | list):
        for key, value in found.items() if isinstance(found, dict) else enumerate(found):
            yield from others_than_strings(value, f"{path}/{key}")
    elif not isinstance(found, str):
        yield path, found


# pods


def annotations(*arguments: str) -> dict[str, str]:
    found: dict[str, str] = only(objects(*arguments), "Deployment")["spec"]["template"]["metadata"][
        "annotations"
    ]
    return found


def test_a_change_of_the_settings_replaces_the_pods_and_nothing_else_does() -> None:
    assert annotations("--set=settings.clusterDomain=example.org") != annotations()
    assert annotations("--set=replicas=3") == annotations()


@pytest.mark.parametrize(("kind", "name"), [("Deployment", "turnout"), ("Job", "turnout-release")])
def test_pods_are_restricted(kind: str, name: str) -> None:
    """tests/deploy/test_install.py has the API server's own word for it."""
    found = only(objects(), kind, name)
    assert container(found)["securityContext"] == RESTRICTED
    assert found["spec"]["template"]["spec"]["securityContext"]["runAsNonRoot"] is True


@pytest.mark.parametrize(
    ("arguments", "scope", "held_for"),
    [
        ((), [], ["--held-for=team-a"]),
        (("--set=clusterScoped=true",), ["--all-namespaces"], []),
        (
            ("--set=namespaces={a,b}",),
            ["--namespace=a", "--namespace=b"],
            ["--held-for=a", "--held-for=b"],
        ),
    ],
)
def test_controller_and_release_have_the_same_scope(
    arguments: tuple[str, ...], scope: list[str], held_for: list[str]
) -> None:
    """And only what policies of these namespaces hold is released."""
    found = objects(*arguments)
    for kind, name in (("Deployment", "turnout"), ("Job", "turnout-release")):
        said = container(only(found, kind, name))["args"]
        assert [one for one in said if "namespace" in one] == scope
    assert [one for one in said if one.startswith("--held-for")] == held_for


@pytest.mark.parametrize(
    ("drain", "events"), [("true", "post-delete"), ("false", "post-upgrade,post-rollback,post-delete")]
)
def test_with_the_drain_switched_off_an_upgrade_releases_too(drain: str, events: str) -> None:
    """All that the Job needs is made for it each time."""
    found = objects(f"--set=settings.drain.enabled={drain}")
    hooks = [one for one in found if one["metadata"]["name"] == "turnout-release"]
    assert {one["kind"] for one in hooks} == {"ServiceAccount", "Role", "RoleBinding", "ConfigMap", "Job"}
    assert {one["metadata"]["annotations"]["helm.sh/hook"] for one in hooks} == {events}


def test_pod_of_the_uninstallation_has_the_labels_of_the_values_and_no_sidecar() -> None:
    """With one, its Job would never end: not even where the controller's pods are to have one."""
    inject = r"sidecar\.istio\.io/inject"
    given = ("--set=podLabels.team=platform,podAnnotations.why=me", f"--set-string=podLabels.{inject}=true")
    pod = only(objects(*given), "Job", "turnout-release")["spec"]["template"]["metadata"]
    assert pod["labels"]["team"] == "platform"
    assert pod["labels"]["sidecar.istio.io/inject"] == "false"
    assert pod["labels"]["app.kubernetes.io/name"] == "turnout-release"
    assert pod["annotations"] == {"why": "me"}
    controller = only(objects(*given), "Deployment")["spec"]["template"]["metadata"]["labels"]
    assert controller["sidecar.istio.io/inject"] == "true"


def test_probes_and_service_use_the_port_that_is_served() -> None:
    """IPv6 too."""
    found = objects("--set=http.port=9000", "--set-string=http.address=[::]")
    controller = container(only(found, "Deployment"))
    assert "--http=[::]:9000" in controller["args"]
    (port,) = controller["ports"]
    assert (port["name"], port["containerPort"]) == ("http", 9000)
    probes = {name: controller[f"{name}Probe"]["httpGet"] for name in ("liveness", "readiness")}
    assert probes["liveness"] == {"path": "/healthz", "port": "http"}
    assert probes["readiness"] == {"path": "/readyz", "port": "http"}
    (served,) = only(found, "Service", "turnout-metrics")["spec"]["ports"]
    assert served == {"name": "http", "port": 9000, "targetPort": "http"}


def test_a_scrape_keeps_the_namespace_of_a_policy() -> None:
    """The Prometheus operator gives every target a label of that name, which would take its place."""
    monitor = only(objects("--set=serviceMonitor.create=true"), "ServiceMonitor")
    assert [one.get("honorLabels") for one in monitor["spec"]["endpoints"]] == [True]


def test_image_is_by_tag_or_by_digest() -> None:
    digest = f"sha256:{'0' * 64}"
    for arguments, image in (
        ((), f"turnout:{turnout.__version__}"),
        (
            ("--set=image.repository=registry.example.com/turnout", "--set=image.tag=v2"),
            "registry.example.com/turnout:v2",
        ),
        ((f"--set=image.digest={digest}",), f"turnout@{digest}"),
    ):
        assert container(only(objects(*arguments), "Deployment"))["image"] == image


def test_source_distribution_has_the_chart() -> None:
    """It is not told to leave anything out."""
    with (REPOSITORY / "pyproject.toml").open("rb") as file:
        build: dict[str, Any] = tomllib.load(file)["tool"]["hatch"]["build"]
    assert "sdist" not in build.get("targets", {})
