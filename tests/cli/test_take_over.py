"""`turnout migrate --take-over` at the prompt: what it says, and how it ends."""

import asyncio
from pathlib import Path

import pytest
from click.testing import CliRunner

from tests.migration.charts import NAMESPACE, Chart
from tests.takeover.world import POLICY, ROUTEMAP, ROUTES, World, entry
from turnout.cli import main
from turnout.cli.exits import Exit, NoCluster
from turnout.cli.take_over import How, take_over
from turnout.migration import carry
from turnout.runtime.client import Client
from turnout.runtime.transport import Request
from turnout.takeover.reading import read
from turnout.testing.memory import Answer

AT_ONCE = How(settle=0.0)


def world(**values: object) -> World:
    made = World(Chart(**values))  # type: ignore[arg-type]
    made.cluster.create(entry(made.chart), namespace=NAMESPACE)
    return made


def run(made: World, how: How = AT_ONCE) -> Exit:
    async def taken() -> Exit:
        artifacts = await read(Client(made.cluster), None)
        return (await take_over(made.cluster, artifacts, carry(artifacts), how)).code

    return asyncio.run(taken())


class TestTakeOver:
    def test_says_what_is_done(self, capsys: pytest.CaptureFixture[str]) -> None:
        made = world()
        assert run(made) == 0
        said, told = capsys.readouterr()
        assert said.splitlines()[:2] == [
            "routingpolicy.turnout.dev/wisdom created",
            "configmap/wisdom-routemap taken from Iter8",
        ]
        assert told == ""

    def test_refuses_routes_that_would_be_others(self, capsys: pytest.CaptureFixture[str]) -> None:
        made = world()
        made.iter8((50, 150))
        assert run(made) == 1
        said, told = capsys.readouterr()
        assert said == ""
        assert told.splitlines()[0] == (
            "Error: VirtualService modelmesh-serving/wisdom: spec.http[0].route[0].weight: "
            'found "25%", turnout would write "50%"'
        )
        assert made.cluster.get(POLICY) is None

    def test_gives_back_what_an_ended_run_has_left_to_nobody(
        self, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """A version went meanwhile, which Iter8's controller has not followed, and turnout's could not."""
        made = world()
        made.cluster.patch(ROUTEMAP, {"metadata": {"labels": {"iter8.tools/kind": "routemap-taken-over"}}})
        made.ready("wisdom-1", ready=False)
        before = made.cluster.revision
        assert run(made, How(dry_run=True, settle=0.0)) == 1
        assert made.cluster.revision == before
        assert run(made) == 1
        said, told = capsys.readouterr()
        assert said == "configmap/wisdom-routemap given back to Iter8\n"
        assert "spec.http[0].route[1]: found {" in told
        assert made.label() == "routemap"
        made.iter8((50, 0))
        assert run(made) == 0
        assert made.label() == "routemap-taken-over"

    def test_gives_nothing_back_of_routes_that_a_policy_has(self) -> None:
        made = world()
        assert run(made) == 0
        made.cluster.patch(ROUTES, {"metadata": {"labels": {"turnout.dev/policy": "mill"}}})
        owner = {"apiVersion": "turnout.dev/v1alpha1", "kind": "RoutingPolicy", "name": "mill", "uid": "1"}
        made.cluster.collects_garbage = False
        made.cluster.patch(ROUTES, {"metadata": {"ownerReferences": [owner]}})
        assert run(made) == 1
        assert made.label() == "routemap-taken-over"

    def test_prints_the_fields_of_others_as_characters(self, capsys: pytest.CaptureFixture[str]) -> None:
        made = world()
        made.cluster.patch(ROUTES, {"spec": {"\x1b[2J": 1}})
        assert run(made) == 1
        _, told = capsys.readouterr()
        assert "spec.\\u001b[2J: found 1" in told
        assert "\x1b" not in told

    def test_only_says_what_it_would_do(self, capsys: pytest.CaptureFixture[str]) -> None:
        made = world()
        before = made.cluster.revision
        assert run(made, How(dry_run=True, settle=0.0)) == 0
        said, _ = capsys.readouterr()
        assert said.splitlines() == [
            "would create RoutingPolicy modelmesh-serving/wisdom",
            "would hand over ServiceEntry modelmesh-serving/wisdom",
            "would hand over VirtualService modelmesh-serving/wisdom",
            *(
                f"would release {kind} modelmesh-serving/wisdom-{index}{rest}"
                for index in (0, 1)
                for kind, rest in (("ConfigMap", "-weight-config"), ("InferenceService", ""))
            ),
        ]
        assert made.cluster.revision == before

    def test_of_several_models_refuses_one(self, capsys: pytest.CaptureFixture[str]) -> None:
        made = world()
        other = Chart(model="mill", names=("mill-0", "mill-1"))
        for document in (*other.documents(), entry(other)):
            made.cluster.create(document, namespace=NAMESPACE)
        made.iter8((50, 150))
        assert run(made) == 1
        said, told = capsys.readouterr()
        assert "routingpolicy.turnout.dev/mill created" in said
        assert made.cluster.get(POLICY) is None
        assert "wisdom: spec.http[0].route[0].weight" in told

    def test_writes_nothing_if_anything_is_forbidden(self, capsys: pytest.CaptureFixture[str]) -> None:
        made = world()
        other = Chart(model="mill", names=("mill-0", "mill-1"))
        for document in (*other.documents(), entry(other)):
            made.cluster.create(document, namespace=NAMESPACE)

        def forbid(request: Request) -> Answer | None:
            if request.method == "PATCH" and request.path.endswith("/virtualservices/wisdom"):
                told = 'User "wise" cannot patch resource "virtualservices"'
                return Answer(403, {"kind": "Status", "reason": "Forbidden", "message": told, "code": 403})
            return None

        made.cluster.on_request = forbid
        before = made.cluster.revision
        with pytest.raises(NoCluster) as raised:
            run(made)
        assert raised.value.message == (
            "patch VirtualService modelmesh-serving/wisdom: "
            'User "wise" cannot patch resource "virtualservices" (403 Forbidden)'
        )
        assert made.cluster.revision == before
        assert capsys.readouterr().out == ""

    def test_waits_for_the_controller(self, capsys: pytest.CaptureFixture[str]) -> None:
        made = world()
        assert run(made, How(timeout=0.2, settle=0.0)) == Exit.NOT_IN_TIME
        said, told = capsys.readouterr()
        assert "virtualservice.networking.istio.io/wisdom handed over\n" in said
        assert told.splitlines()[-1].startswith(
            "Error: RoutingPolicy modelmesh-serving/wisdom: not within 0.2 s"
        )

    def test_tells_that_iter8_still_runs(self, capsys: pytest.CaptureFixture[str]) -> None:
        """It puts its finalizer back."""
        made = world()

        def held(request: Request, _: object) -> None:
            body = request.body if isinstance(request.body, dict) else {}
            released = "finalizers" in body.get("metadata", {})
            if request.path.endswith("/wisdom-1") and released and not request.query.get("dryRun"):
                made.hold("wisdom-1")

        made.cluster.on_response = held
        assert run(made) == 0
        _, told = capsys.readouterr()
        assert told == (
            "Note: Iter8's controller runs, and has put its finalizer back on "
            "InferenceService modelmesh-serving/wisdom-1; "
            "run this again once it is stopped, or deletions hang\n"
        )

    def test_decides_by_the_controllers_settings(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        file = tmp_path / "settings.yaml"
        file.write_text("plugins: {istio: {defaults: {timeout: 5s}}}", encoding="utf-8")
        assert run(world(), How(settings_file=file, settle=0.0)) == 1
        _, told = capsys.readouterr()
        assert 'spec.http[0].timeout: found nothing, turnout would write "5s"' in told


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        pytest.param(("--take-over",), "needs the names of models, or --all", id="no model"),
        pytest.param(("wisdom", "--take-over", "--all"), "needs the names of models, or --all", id="both"),
        pytest.param(("wisdom", "--take-over", "-f", "-"), "and a cluster", id="files"),
        pytest.param(("wisdom", "--take-over", "-o", "json"), "--output is for manifests", id="output"),
        pytest.param(("--dry-run",), "are for --take-over", id="a dry run of nothing"),
        pytest.param(("--all",), "are for --take-over", id="all of nothing"),
    ],
)
def test_wrong_usage_is_told(arguments: tuple[str, ...], told: str) -> None:
    done = CliRunner().invoke(main, ["migrate", *arguments])
    assert (done.exit_code, done.stdout) == (2, "")
    assert told in done.stderr
