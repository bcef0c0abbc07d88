"""`turnout release`: what it takes, what it says and how it ends. What it does is in tests/runtime."""

import asyncio
import json
import os
import signal
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from tests.runtime.harness import fail, isvc, refuse, version
from tests.support import faketime
from turnout.cli.completion import candidates
from turnout.cli.release import asked, command, run
from turnout.cli.release_report import Report
from turnout.names import FINALIZER_DRAIN
from turnout.plugin import Kind
from turnout.registry import Registry
from turnout.runtime.marked import Place
from turnout.runtime.release import AT_ONCE, DryRun
from turnout.testing.memory import InMemoryCluster
from turnout_kserve_modelmesh.environment import INFERENCE_SERVICE, KServeModelMesh

KIND = "inferenceservice.serving.kserve.io"
REGISTRY = Registry.of(KServeModelMesh())


@pytest.fixture
def cluster() -> InMemoryCluster:
    """With wisdom-0, which lives, and wisdom-1, which is being deleted; both are protected."""
    cluster = InMemoryCluster()
    cluster.install(INFERENCE_SERVICE)
    deploy(cluster, "wisdom-0", FINALIZER_DRAIN)
    deploy(cluster, "wisdom-1", FINALIZER_DRAIN)
    cluster.delete(isvc("wisdom-1"))
    return cluster


def deploy(cluster: InMemoryCluster, name: str, *finalizers: str, namespace: str = "models") -> None:
    metadata: dict[str, Any] = {"finalizers": list(finalizers)}
    cluster.apply_manifest(version(name, **metadata), namespace=namespace)


def released(
    cluster: InMemoryCluster,
    *names: str,
    output: str | None = None,
    namespaces: Sequence[str] | None = ("models",),
    living: bool = False,
    held_for: Sequence[str] = (),
    dry_run: DryRun = DryRun.NONE,
    loop: Callable[[Any], int] = faketime.run,
) -> int:
    """Run the command on a cluster. Returns the exit code."""
    where: Sequence[str | None] = [None] if namespaces is None else namespaces
    places = [Place(kind, one, name) for one in where for kind, name in asked(REGISTRY, names, ())]
    report = Report(output, dry_run, namespaces, living=living, held_for=held_for)
    return loop(run(report, places, cluster))


Said = pytest.CaptureFixture[str]


def test_what_is_released_is_on_stdout_and_the_rest_on_stderr(cluster: InMemoryCluster, capsys: Said) -> None:
    assert released(cluster) == 0
    said = capsys.readouterr()
    assert said.out == f"{KIND}/wisdom-1 released\n"
    assert said.err == "Note: 1 not being deleted and left protected; --all releases these too\n"


def test_the_second_time_there_is_nothing_to_release(cluster: InMemoryCluster, capsys: Said) -> None:
    for _ in range(2):
        assert released(cluster, living=True) == 0
    said = capsys.readouterr()
    assert said.out == f"{KIND}/wisdom-0 released\n{KIND}/wisdom-1 released\n"
    assert said.err == "Nothing to release in models\n"


def test_what_is_held_for_others_is_told_and_left(cluster: InMemoryCluster, capsys: Said) -> None:
    """By its name, where it was asked for by its name."""
    for living in (False, True):
        assert released(cluster, living=living, held_for=("ours", "mine")) == 0
        told = "Note: 2 held for policies of models and left protected\nNothing to release in models\n"
        assert capsys.readouterr().err == told
    released(cluster, "wisdom-1", held_for=("ours",))
    why = f"Note: {KIND}/wisdom-1 is held for policies of models, which --held-for does not name\n"
    assert capsys.readouterr().err.startswith(why)


def test_of_several_namespaces_each_line_names_its_own(cluster: InMemoryCluster, capsys: Said) -> None:
    released(cluster, namespaces=None)
    assert capsys.readouterr().out == f"{KIND}/wisdom-1 released in namespace models\n"
    released(cluster, namespaces=None)
    assert capsys.readouterr().err.endswith("Nothing to release in any namespace\n")


@pytest.mark.parametrize(
    ("dry_run", "words"), [(DryRun.CLIENT, "(dry run)"), (DryRun.SERVER, "(server dry run)")]
)
def test_a_dry_run_says_so(cluster: InMemoryCluster, capsys: Said, dry_run: DryRun, words: str) -> None:
    assert released(cluster, dry_run=dry_run) == 0
    assert capsys.readouterr().out == f"{KIND}/wisdom-1 released {words}\n"


def test_names_alone_for_scripts(cluster: InMemoryCluster, capsys: Said) -> None:
    """In a form that is taken as well."""
    released(cluster, output="name", dry_run=DryRun.CLIENT)
    name = capsys.readouterr().out.strip()
    assert name == f"{KIND}/wisdom-1"
    released(cluster, name, output="name")
    assert capsys.readouterr().out.strip() == name


def test_json_is_a_list_that_kubectl_can_read(cluster: InMemoryCluster, capsys: Said) -> None:
    """With what still holds an object."""
    cluster.patch(isvc("wisdom-0"), {"metadata": {"finalizers": ["kserve/own", FINALIZER_DRAIN]}})
    uid = (cluster.get(isvc("wisdom-0")) or {})["metadata"]["uid"]
    released(cluster, output="json", living=True)
    listed = json.loads(capsys.readouterr().out)
    assert (listed["apiVersion"], listed["kind"]) == ("v1", "List")
    first, second = listed["items"]
    assert first == {
        "apiVersion": "serving.kserve.io/v1beta1",
        "kind": "InferenceService",
        "metadata": {"namespace": "models", "name": "wisdom-0", "uid": uid, "finalizers": ["kserve/own"]},
    }
    assert "deletionTimestamp" in second["metadata"]
    released(cluster, output="json", living=True)
    assert json.loads(capsys.readouterr().out)["items"] == []


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("wisdom-0", f"{KIND}/wisdom-0 is not being deleted; --all releases it all the same"),
        ("plain", f"{KIND}/plain does not have the finalizer turnout.dev/drain"),
        ("held", f"{KIND}/held does not have the finalizer turnout.dev/drain; it has kserve/own"),
        ("absent", "there is no absent in namespace models"),
    ],
)
def test_a_name_of_which_nothing_is_released_is_told_why(
    cluster: InMemoryCluster, capsys: Said, name: str, said: str
) -> None:
    deploy(cluster, "plain")
    deploy(cluster, "held", "kserve/own")
    cluster.delete(isvc("held"))
    assert released(cluster, name) == 0
    assert capsys.readouterr().err == f"Note: {said}\nNothing to release in models\n"


def test_who_else_holds_a_deletion_is_told(cluster: InMemoryCluster, capsys: Said) -> None:
    cluster.patch(isvc("wisdom-1"), {"metadata": {"finalizers": [FINALIZER_DRAIN]}})
    deploy(cluster, "held", "kserve/own", FINALIZER_DRAIN)
    cluster.delete(isvc("held"))
    released(cluster, "held", "wisdom-1")
    assert capsys.readouterr().err == f"Note: {KIND}/held has other finalizers and waits for kserve/own\n"


def test_a_crd_that_is_missing_is_a_note(capsys: Said) -> None:
    assert released(InMemoryCluster()) == 0
    note, nothing = capsys.readouterr().err.splitlines()
    assert "does not serve inferenceservices.serving.kserve.io" in note
    assert nothing == "Nothing to release in models"


def test_what_is_denied_is_said_once_with_the_rights_that_are_needed(
    cluster: InMemoryCluster, capsys: Said
) -> None:
    for number in range(3):
        deploy(cluster, f"other-{number}", FINALIZER_DRAIN)
    cluster.on_request = refuse(verb="patch", name="")
    assert released(cluster, living=True) == 3
    first, second = capsys.readouterr().err.splitlines()
    assert first.startswith("Error: patch InferenceService models/")
    needed = "needed are list and patch on inferenceservices.serving.kserve.io in namespace models"
    assert first.endswith(f"(403 Forbidden); {needed}")
    assert "the same for 4 more: patch inferenceservices.serving.kserve.io in namespace models" in second


def test_what_cannot_be_changed_makes_the_exit_code_1(cluster: InMemoryCluster, capsys: Said) -> None:
    """The others are released."""
    deploy(cluster, "invalid", FINALIZER_DRAIN)
    cluster.on_request = refuse(verb="patch", name="invalid", code=400, reason="BadRequest")
    assert released(cluster, living=True) == 1
    said = capsys.readouterr()
    assert said.out == f"{KIND}/wisdom-0 released\n{KIND}/wisdom-1 released\n"
    assert said.err.startswith("Error: patch InferenceService models/invalid:")


def test_a_cluster_that_is_lost_is_said_with_what_is_left(cluster: InMemoryCluster, capsys: Said) -> None:
    def hook(request: Any) -> None:
        if request.method == "PATCH" and request.path.endswith("wisdom-0"):
            fail("no connection")

    cluster.on_request = hook
    assert released(cluster, living=True) == 3
    assert capsys.readouterr().err.splitlines() == [
        "Error: no connection",
        "1 released, 1 not",
    ]


@pytest.mark.parametrize("method", ["GET", "PATCH"])
def test_a_cluster_that_never_answers_is_asked_once(
    cluster: InMemoryCluster, capsys: Said, method: str
) -> None:
    """And while it is waited for, that is said."""

    async def hook(request: Any) -> None:
        if request.method == method:
            await asyncio.sleep(100)

    async def main() -> tuple[int, float, str]:
        clock = asyncio.get_running_loop().time
        began = clock()
        places = [Place(kind, "models", name) for kind, name in asked(REGISTRY, (), ())]
        running = asyncio.ensure_future(
            run(Report(None, DryRun.NONE, ("models",), living=True), places, cluster)
        )
        await asyncio.sleep(6)
        said = capsys.readouterr().err
        return await running, clock() - began, said

    cluster.on_request = hook
    code, seconds, said = faketime.run(main())
    assert (code, said) == (3, "Waiting for the API server to answer …\n")
    assert 29 < seconds < 31
    assert "30" in capsys.readouterr().err.splitlines()[0]


@pytest.mark.parametrize("signals", [1, 2])
def test_ctrl_c_finishes_what_has_begun_and_a_second_one_does_not(
    cluster: InMemoryCluster, capsys: Said, signals: int
) -> None:
    for number in range(100):
        deploy(cluster, f"other-{number}", FINALIZER_DRAIN)
    begun: list[int] = []

    async def hook(request: Any) -> None:
        if request.method != "PATCH":
            return
        begun.append(1)
        if len(begun) == AT_ONCE:
            for _ in range(signals):
                os.kill(os.getpid(), signal.SIGINT)
                await asyncio.sleep(0.1)
        await asyncio.sleep(0.3)

    cluster.on_request = hook
    assert released(cluster, living=True, loop=asyncio.run) == 130
    said = capsys.readouterr()
    done = AT_ONCE if signals == 1 else 0
    assert len(said.out.splitlines()) == done
    assert said.err == f"Interrupted: {done} released, {102 - done} not\n"
    left = [one for one in cluster.objects(INFERENCE_SERVICE) if one["metadata"].get("finalizers")]
    assert len(left) == 102 - done


def test_ctrl_c_before_anything_is_found_ends_at_once(cluster: InMemoryCluster, capsys: Said) -> None:
    async def hook(request: Any) -> None:
        os.kill(os.getpid(), signal.SIGINT)
        await asyncio.sleep(20)

    cluster.on_request = hook
    assert released(cluster, loop=asyncio.run) == 130
    assert capsys.readouterr().err == "Interrupted: 0 released\n"


# what it takes


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        pytest.param(["-A", "-n", "a"], "--all-namespaces and --namespace exclude each other", id="scopes"),
        pytest.param(["-A", "wisdom-1"], "--all-namespaces and NAME exclude each other", id="name in all"),
        pytest.param(["-n", "Team_A"], "expected a DNS label", id="namespace"),
        pytest.param(["a,b"], 'found "a,b", expected NAME or KIND/NAME', id="name"),
        pytest.param(["--kind", "inferenceservicf"], 'did you mean "inferenceservice"?', id="near kind"),
        pytest.param(
            ["--kind", "xyz"],
            "environments watch deployments.apps, inferenceservices.serving.kserve.io",
            id="kind",
        ),
        pytest.param(["pod/wisdom-1"], 'no environment watches the kind "pod"', id="kind of a name"),
        pytest.param(["--dry-run=maybe"], "'none', 'client', 'server'", id="dry run"),
    ],
)
def test_wrong_usage(arguments: list[str], said: str) -> None:
    result = CliRunner().invoke(command, arguments)
    assert result.exit_code == 2
    assert said in " ".join(result.stderr.split())


@pytest.mark.parametrize(
    ("arguments", "dry_run", "names"),
    [
        (["a"], "none", ("a",)),
        (["--dry-run", "a"], "client", ("a",)),
        (["--dry-run=server", "a"], "server", ("a",)),
        (["a", "b", "--dry-run"], "client", ("a", "b")),
        (["--", "--dry-run"], "none", ("--dry-run",)),
    ],
)
def test_dry_run_alone_takes_no_value_as_with_kubectl(
    arguments: list[str], dry_run: str, names: tuple[str, ...]
) -> None:
    given = command.make_context("release", arguments).params
    assert (given["dry_run"], given["names"]) == (dry_run, names)


@pytest.mark.parametrize(
    "text",
    [
        "inferenceservices",
        "InferenceService",
        "inferenceservice.serving.kserve.io",
        "inferenceservices.serving.kserve.io",
    ],
)
def test_a_kind_has_the_names_that_kubectl_knows(text: str) -> None:
    assert asked(REGISTRY, (), (text,)) == [(INFERENCE_SERVICE, None)]
    assert asked(REGISTRY, (f"{text}/wisdom-1",), ()) == [(INFERENCE_SERVICE, "wisdom-1")]


def test_without_a_kind_all_that_environments_watch_are_meant() -> None:
    """Once each, though two environments watch one."""

    class Other(KServeModelMesh):
        name = "other"
        watches = (INFERENCE_SERVICE, Kind("example.com", ("v1",), "Model", "models"))  # type: ignore[assignment]

    registry = Registry.of(KServeModelMesh(), Other())
    found = [str(kind) for kind, _ in asked(registry, (), ())]
    assert found == ["inferenceservices.serving.kserve.io", "models.example.com"]
    assert [name for _, name in asked(registry, ("a", "models/b", "a"), ())] == ["a", "a", "b"]


def test_kinds_are_completed() -> None:
    assert candidates(["release", "--kind"], "inf") == ["inferenceservices", ":4"]


def test_versions_of_an_environment_that_is_kept_out_by_name_can_be_released(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No controller with these settings does it."""
    monkeypatch.setenv("KUBECONFIG", "/nowhere")
    settings = tmp_path / "settings.yaml"
    settings.write_text("pluginNames: {block: [kserve, kserve-modelmesh]}")
    result = CliRunner().invoke(command, [f"{KIND}/wisdom-1", "--settings", str(settings)])
    assert result.exit_code == 3, result.stderr


def test_without_a_cluster_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBECONFIG", "/nowhere")
    result = CliRunner().invoke(command, ["-n", "models"])
    assert (result.exit_code, result.stdout) == (3, "")
    assert "KUBECONFIG names /nowhere, and there is no such file" in result.stderr
