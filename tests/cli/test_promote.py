"""`turnout promote`, on a cluster in memory without a controller: what is asked, told and refused."""

import json
from typing import Any

import pytest
import yaml

from tests.cli.test_rollouts import cluster as policies
from tests.cli.test_rollouts import run
from tests.client.policies import WISDOM, status
from tests.client.promoting import CANDIDATE, ISVC, PRIMARY, RECORD, model
from turnout.calling import PluginError
from turnout.cli import promote as command
from turnout.cli.program import program_name
from turnout.cli.promote import Talk, _show, _told
from turnout.client.promotion import (
    CandidateError,
    ChangedError,
    Progress,
    Promoted,
    PromotionRefusedError,
    TakenBackError,
    UnderWayError,
)
from turnout.names import TRAFFIC_WEIGHTS
from turnout.rollout import Rollout
from turnout.runtime.errors import ApiError
from turnout.runtime.transport import ConnectionFailed
from turnout.testing.memory import InMemoryCluster
from turnout.testing.memory.errors import StatusError

__all__ = ["policies"]

READY = {"conditions": [{"type": "Ready", "status": "True"}]}


@pytest.fixture
def cluster(policies: InMemoryCluster) -> InMemoryCluster:
    """The policy wisdom by halves, with its versions."""
    policies.install(TRAFFIC_WEIGHTS)
    policies.install(ISVC)
    for one in (model("wisdom-0", "v0", "s3://old"), model("wisdom-1", "v1", "s3://new")):
        policies.create(one, namespace="models")
    for ref in (PRIMARY, CANDIDATE):
        policies.set_status(ref, READY)
    said = status("50%", "50%")
    for one in said["versions"]:
        one["reason"] = "Ready"
    policies.set_status(WISDOM, said)
    return policies


def unchanged(cluster: InMemoryCluster) -> bool:
    found = cluster.get(PRIMARY)
    assert found
    untouched = found["metadata"]["labels"]["app.kubernetes.io/version"] == "v0"
    return untouched and cluster.get(RECORD) is None


@pytest.mark.parametrize("how", ["client", "server"])
def test_a_dry_run_is_steps_and_differences(cluster: InMemoryCluster, how: str) -> None:
    done = run("promote", "wisdom", f"--dry-run={how}")
    assert done.exit_code == 0, done.stderr
    lines = done.stdout.splitlines()
    assert [line[:3] for line in lines[:6]] == [f"{number}/6" for number in range(1, 7)]
    assert lines[2] == "3/6 replace InferenceService wisdom-0"
    assert "--- InferenceService models/wisdom-0\tnow" in lines
    assert "-    app.kubernetes.io/version: v0" in lines
    assert "+    app.kubernetes.io/version: v1" in lines
    assert '+      storageUri: "s3://new"' in lines
    assert ("the API server would take all of it" in lines) is (how == "server")
    assert unchanged(cluster)


def test_a_manifest_is_what_people_would_commit(cluster: InMemoryCluster) -> None:
    annotations = {
        "turnout.dev/drain-for": "models",
        "kubectl.kubernetes.io/last-applied-configuration": "{}",
    }
    cluster.patch(PRIMARY, {"metadata": {"annotations": annotations, "finalizers": ["turnout.dev/drain"]}})
    done = run("promote", "wisdom", "--manifest")
    assert (done.exit_code, done.stderr) == (0, "")
    expected = model("wisdom-0", "v1", "s3://new")
    expected["metadata"]["namespace"] = "models"
    assert yaml.safe_load(done.stdout) == expected
    assert unchanged(cluster)


def test_a_manifest_of_what_is_there_is_none(cluster: InMemoryCluster) -> None:
    found = model("wisdom-0", "v1", "s3://new")
    cluster.replace(found, namespace="models")
    done = run("promote", "wisdom", "--manifest")
    assert (done.exit_code, done.stdout) == (0, "")
    assert done.stderr == "Note: wisdom-0 serves that already\n"


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (("wisdm",), 5, "there is no RoutingPolicy models/wisdm; did you mean wisdom?"),
        (
            ("wisdom", "--from=wisdm-1"),
            2,
            'has no candidate "wisdm-1", it has wisdom-1; did you mean wisdom-1?',
        ),
        (("wisdom", "--from=wisdom-0"), 2, "wisdom-0 is the primary of RoutingPolicy models/wisdom"),
        (("wisdom", "--manifest", "-o", "json"), 2, "--manifest, --dry-run and --output exclude each other"),
        (("wisdom", "--timeout=soon"), 2, "expected a duration"),
        (("wisdom", "--context=no"), 3, "the context 'no' is none"),
    ],
)
def test_what_is_wrong_is_one_line(
    cluster: InMemoryCluster, arguments: tuple[str, ...], code: int, told: str
) -> None:
    done = run("promote", *arguments)
    assert (done.exit_code, done.stdout) == (code, ""), done.stderr
    last = done.stderr.splitlines()[-1]
    assert last.startswith("Error: ")
    assert told in last
    assert unchanged(cluster)


def test_without_the_crds_nothing_is_promoted(cluster: InMemoryCluster) -> None:
    cluster.uninstall(TRAFFIC_WEIGHTS)
    done = run("promote", "wisdom")
    assert done.exit_code == 3
    told = "the cluster does not serve trafficweights.turnout.dev in version v1alpha1; is its CRD installed?"
    assert told in done.stderr
    assert unchanged(cluster)


def test_what_is_forbidden_is_told_by_its_verb(cluster: InMemoryCluster) -> None:
    """Before anything is written, though it is among the last of what would be."""

    def forbid(request: Any) -> None:
        if request.method == "DELETE" and request.path.endswith("/wisdom-1"):
            raise StatusError(403, "Forbidden", "cannot delete resource inferenceservices")

    cluster.on_request = forbid
    done = run("promote", "wisdom", "--timeout=2s")
    assert (done.exit_code, done.stdout) == (3, "")
    assert done.stderr == (
        "Error: delete InferenceService models/wisdom-1: cannot delete resource inferenceservices (403 Forbidden)\n"
    )
    assert unchanged(cluster)


ENDINGS: list[tuple[Exception, int, str]] = [
    (PromotionRefusedError("no"), 1, "no; what is written stays; {} promote wisdom goes on from there"),
    (PluginError("mine", "no"), 1, "no; what is written stays; {} promote wisdom goes on from there"),
    (ChangedError("no"), 1, "no"),
    (CandidateError("which"), 2, "which"),
    (UnderWayError("later"), 6, "later"),
    (TakenBackError("back"), 7, "back"),
    (ConnectionFailed("gone"), 3, "gone; what is written stays; {} promote wisdom goes on from there"),
    (
        ApiError(403, "Forbidden", "no"),
        3,
        "no (403 Forbidden); what is written stays; {} promote wisdom goes on",
    ),
]


@pytest.mark.parametrize(("error", "code", "told"), ENDINGS, ids=lambda one: type(one).__name__)
def test_each_ending_has_its_exit_code(error: Exception, code: int, told: str) -> None:
    talk = Talk(Progress(3, "replace"))
    with (
        pytest.raises(Exception, match=r".") as found,
        _told(command.Asked("wisdom", None, None, None), talk),
    ):
        raise error
    assert getattr(found.value, "exit_code", None) == code
    assert told.format(program_name()) in str(getattr(found.value, "message", ""))


def test_an_interruption_says_how_to_go_on(capsys: pytest.CaptureFixture[str]) -> None:
    for talk, told in (
        (Talk(), "nothing is written"),
        (Talk(Progress(2, "all calls")), "what is written stays; "),
    ):
        with pytest.raises(KeyboardInterrupt), _told(command.Asked("wisdom", None, None, None), talk):
            raise KeyboardInterrupt
        assert capsys.readouterr().err.startswith(f"Interrupted: {told}")


def test_what_came_of_it_is_one_line_or_data(capsys: pytest.CaptureFixture[str]) -> None:
    policy = {
        "metadata": {"name": "wisdom"},
        "spec": {"primary": "wisdom-0"},
        "status": {"split": "wisdom-0 100%"},
    }
    done = Promoted(Rollout.read(policy), "wisdom-1", "v1", {"weights": {"wisdom-1": 80}})
    _show(done, None)
    expected = "routingpolicy.turnout.dev/wisdom promoted: wisdom-0 is now what wisdom-1 was, v1; in force: wisdom-0 100%\n"
    assert capsys.readouterr().out == expected
    _show(done, "json")
    found = json.loads(capsys.readouterr().out)
    assert {key: found[key] for key in ("candidate", "primary", "appVersion", "trafficWeights")} == {
        "candidate": "wisdom-1",
        "primary": "wisdom-0",
        "appVersion": "v1",
        "trafficWeights": {"weights": {"wisdom-1": 80}},
    }
    assert found["after"]["split"] == "wisdom-0 100%"
