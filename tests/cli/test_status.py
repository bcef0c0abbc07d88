"""`turnout status` and `turnout explain`, on a cluster in memory, and what they draw on a terminal."""

import asyncio
import io
import json
import logging
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result

from tests.client.policies import WISDOM, declare, served, status
from turnout.cli import main, status_run, terminal
from turnout.cli.status_run import Live, Shown
from turnout.cli.status_text import BAD, OPEN, Cell, Line, bar, lines
from turnout.client import Client, DeletedError, Survey
from turnout.client.survey import LeaseSeen, RouteSeen, ShiftSeen, Writer
from turnout.names import TRAFFIC_WEIGHTS
from turnout.plugin import Kind, Ref
from turnout.rollout import Rollout
from turnout.runtime.transport import ConnectionFailed, Request
from turnout.testing.fastloop import FastLoop
from turnout.testing.memory import InMemoryCluster, StatusError

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
HOSTILE = "\x1b[31mred\x9b\nforged\u202e"
SERVED = (
    Kind("serving.kserve.io", ("v1beta1",), "InferenceService", "inferenceservices"),
    Kind("networking.istio.io", ("v1",), "VirtualService", "virtualservices"),
    Kind("networking.istio.io", ("v1",), "ServiceEntry", "serviceentries"),
    Kind("networking.istio.io", ("v1",), "Gateway", "gateways"),
    TRAFFIC_WEIGHTS,
)


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> InMemoryCluster:
    """What the commands connect to, with the policies wisdom, which has a status, and mill."""
    cluster = served()
    for kind in SERVED:
        cluster.install(kind)
    declare(cluster)
    declare(cluster, "mill")
    cluster.set_status(WISDOM, status("20%", "80%"))

    @asynccontextmanager
    async def connect(namespace: str = "", *, context: str | None = None, **_: Any) -> AsyncIterator[Client]:
        yield Client(cluster, namespace or "models")

    monkeypatch.setattr(Client, "connect", connect)
    return cluster


def run(*arguments: str, stdin: str | None = None) -> Result:
    return CliRunner().invoke(main, arguments, input=stdin)


def model(cluster: InMemoryCluster, name: str, ready: str = "True") -> None:
    document = {
        "apiVersion": "serving.kserve.io/v1beta1",
        "kind": "InferenceService",
        "metadata": {"name": name},
        "status": {
            "conditions": [{"type": "Ready", "status": ready, "lastTransitionTime": "2026-01-02T03:04:05Z"}]
        },
    }
    cluster.create(document, namespace="models")


def survey(said: dict[str, Any], **fields: Any) -> Survey:
    spec = {
        "targetEnv": "kserve-modelmesh",
        "trafficStrategy": "blue-green",
        "router": "istio",
        "modelVersions": [{"name": "wisdom-0"}, {"name": "wisdom-1"}],
    }
    metadata = {"name": "wisdom", "namespace": "models", "generation": 1}
    return Survey(Rollout.read({"metadata": metadata, "spec": spec, "status": said}), None, **fields)


def plain(found: list[Line]) -> str:
    return "\n".join(terminal.painted(line, colours=False) for line in found)


def shown(found: Survey, *, observed: dict[str, float] | None = None, wide: bool = False) -> str:
    return plain(lines(found, NOW, observed=observed, wide=wide))


class TestText:
    def test_has_versions_with_bars(self) -> None:
        _, ready, _, head, first, second = shown(survey(status("20%", "80%"))).splitlines()
        assert ready == "Ready, split: wisdom-0 20% / wisdom-1 80%"
        assert head.split() == [
            "VERSION",
            "ROLE",
            "APP",
            "READY",
            "SINCE",
            "WEIGHT",
            "DESIRED",
            "APPLIED",
            "OBSERVED",
        ]
        assert first.split() == ["wisdom-0", "primary", "?", "True", "?", "?", "20%", "?", "████" + "░" * 16]
        assert second.split()[-1] == "█" * 16 + "░" * 4

    def test_has_what_was_counted(self) -> None:
        first = shown(survey(status("20%", "80%")), observed={"wisdom-0": 0.1987}).splitlines()[4]
        assert "20%      19.9%" in first

    def test_tells_what_is_waited_for_and_why(self) -> None:
        said = status("100%", "0%", ready="False", routed=("False", "Moving", "waits for wisdom-1"))
        said["versions"][1] |= {"ready": "False", "reason": "NoStatus", "message": "no Ready condition yet"}
        told = shown(survey(said))
        assert "Not ready, split: wisdom-0 100% / wisdom-1 0%" in told
        assert "Waits: Routed is False: Moving: waits for wisdom-1" in told
        assert "wisdom-1 is not ready: NoStatus: no Ready condition yet" in told

    @pytest.mark.parametrize(
        ("holder", "renewed", "told"),
        [
            ("pod-1", NOW - timedelta(seconds=2), "Controller: pod-1, by the Lease a/b, renewed 2s ago"),
            ("", NOW - timedelta(minutes=5), "Controller: none has the Lease a/b, renewed 5m ago"),
            ("", None, "Controller: none has the Lease a/b, never renewed"),
        ],
    )
    def test_tells_of_the_controller_by_its_lease(
        self, holder: str, renewed: datetime | None, told: str
    ) -> None:
        found = survey(status("20%", "80%"), lease=LeaseSeen("a/b", holder, renewed))
        assert told in shown(found).splitlines()
        assert "Controller" not in shown(survey(status("20%", "80%")))

    def test_a_controller_that_is_late_stands_out(self) -> None:
        def style(seconds: float) -> str:
            lease = LeaseSeen("a/b", "pod-1", NOW - timedelta(seconds=seconds))
            found = lines(survey(status("20%", "80%"), lease=lease), NOW, observed=None, wide=False)
            return next(line[0].style for line in found if line and line[0].text == "Controller: ")

        assert (style(2), style(61)) == ("", OPEN)

    def test_tells_who_else_wrote_routes(self) -> None:
        writers = (
            Writer("kubectl-edit", "Update", NOW - timedelta(seconds=30)),
            Writer("turnout", "Apply", NOW - timedelta(hours=3)),
        )
        routes = (
            RouteSeen("VirtualService", "models", "wisdom", True, writers),
            RouteSeen("ServiceEntry", "models", "wisdom", False),
            RouteSeen("Table", "models", "wisdom", None),
        )
        told = shown(survey(status("20%", "80%"), routes=routes))
        assert "VirtualService wisdom  kubectl-edit 30s ago, turnout 3h ago" in told
        assert "ServiceEntry wisdom    it does not exist" in told
        assert "Table wisdom           ? (it cannot be read)" in told

    def test_has_the_last_shifts_and_wide_all_of_them(self) -> None:
        shifts = tuple(ShiftSeen(NOW - timedelta(minutes=2 * n), f"shift {n}") for n in range(1, 6))
        found = survey(status("20%", "80%"), shifts=shifts)
        assert shown(found).splitlines()[-4:] == [
            "SHIFTS",
            "2m ago  shift 1",
            "4m ago  shift 2",
            "6m ago  shift 3",
        ]
        assert shown(found, wide=True).splitlines()[-1] == "10m ago  shift 5"

    @pytest.mark.parametrize(
        ("share", "full"), [("0%", 0), ("<0.1%", 1), ("1%", 1), ("50%", 10), ("100%", 20), ("match", None)]
    )
    def test_bars_are_as_long_as_shares_are_large(self, share: str, full: int | None) -> None:
        assert bar(share) == ("" if full is None else "█" * full + "░" * (20 - full))


class Terminal(io.StringIO):
    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


class TestTerminal:
    @pytest.mark.parametrize(
        ("stream", "environ", "wanted"),
        [
            pytest.param(Terminal(), {"TERM": "xterm"}, True, id="a terminal"),
            pytest.param(io.StringIO(), {"TERM": "xterm"}, False, id="a file"),
            pytest.param(Terminal(), {"NO_COLOR": "1"}, False, id="NO_COLOR"),
            pytest.param(Terminal(), {"NO_COLOR": ""}, True, id="an empty NO_COLOR"),
            pytest.param(Terminal(), {"TERM": "dumb"}, False, id="a dumb terminal"),
        ],
    )
    def test_colours_are_for_terminals(
        self, stream: io.StringIO, environ: dict[str, str], wanted: bool
    ) -> None:
        assert terminal.coloured(stream, environ) is wanted

    def test_a_line_is_cut_and_then_coloured(self) -> None:
        line = (Cell("wisdom  "), Cell("False", BAD), Cell("   "))
        assert terminal.painted(line, colours=True) == "wisdom  \x1b[31mFalse\x1b[0m"
        assert terminal.painted(line, colours=True, width=10) == "wisdom  \x1b[31mFa\x1b[0m"
        assert terminal.painted(line, colours=False, width=3) == "wis"

    def test_bars_are_ascii_where_blocks_cannot_be_written(self) -> None:
        stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
        assert terminal.encodes_blocks(stream) is False
        assert terminal.painted((Cell("█░"),), colours=False, blocks=False) == "#."

    def test_a_frame_is_one_write_over_the_last_one(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("COLUMNS", "6")
        monkeypatch.setenv("LINES", "4")
        stream = Terminal()
        written: list[str] = []
        stream.write = written.append  # type: ignore[method-assign,assignment]  # counts writes
        screen = terminal.Screen(stream, colours=False)
        screen.show([(Cell("a"),), (Cell("b"),)])
        screen.show([(Cell("a long line"),), (Cell("c"),), (Cell("d"),), (Cell("e"),)])
        screen.show([(Cell("f"),)])
        assert written == [
            "\x1b[?7la\x1b[K\nb\x1b[K\n\x1b[?7h\x1b[J",
            "\x1b[2A\x1b[?7la lon\x1b[K\nc\x1b[K\n2 mor\x1b[K\n\x1b[?7h\x1b[J",
            "\x1b[3A\x1b[?7lf\x1b[K\n\x1b[?7h\x1b[J",
        ]

    def test_a_terminal_of_another_size_is_drawn_anew(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Lines that it has wrapped meanwhile are somewhere else."""
        stream = Terminal()
        screen = terminal.Screen(stream, colours=False)
        for columns in ("60", "60", "20"):
            monkeypatch.setenv("COLUMNS", columns)
            stream.truncate(stream.seek(0))
            screen.show([(Cell("a"),)])
            assert stream.getvalue().startswith("\x1b[H\x1b[2J") is (columns == "20")

    @pytest.mark.parametrize(
        ("stream", "term", "wanted"),
        [(Terminal(), "xterm", True), (Terminal(), "dumb", False), (io.StringIO(), "xterm", False)],
    )
    def test_a_dumb_terminal_is_written_like_a_file(
        self, stream: io.StringIO, term: str, wanted: bool
    ) -> None:
        assert terminal.moves(stream, {"TERM": term}) is wanted

    def test_a_lost_connection_is_told_on_the_smallest_terminal(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("COLUMNS", "80")
        monkeypatch.setenv("LINES", "3")
        stream = Terminal()
        view = Live(Shown(None, None, stream))
        view.show(survey(status("20%", "80%")))
        view.lost("refused")
        assert "the connection is lost: refused" in stream.getvalue()


class TestStatus:
    def test_is_text(self, cluster: InMemoryCluster) -> None:
        model(cluster, "wisdom-0")
        done = run("status", "wisdom")
        assert (done.exit_code, done.stderr) == (0, "")
        assert done.stdout.startswith("RoutingPolicy models/wisdom: kserve-modelmesh, blue-green, istio\n")
        assert "\x1b" not in done.stdout

    def test_is_of_all(self, cluster: InMemoryCluster) -> None:
        done = run("status", "--all")
        assert [line for line in done.stdout.splitlines() if line.startswith("RoutingPolicy")] == [
            "RoutingPolicy models/mill: kserve-modelmesh, blue-green, istio",
            "RoutingPolicy models/wisdom: kserve-modelmesh, blue-green, istio",
        ]
        assert "Waits: no controller has looked at it yet" in done.stdout
        done = run("status", "--all", "-n", "empty")
        assert (done.exit_code, done.stdout, done.stderr) == (0, "", "No policies in namespace empty.\n")

    @pytest.mark.parametrize(("output", "read"), [("json", json.loads), ("yaml", yaml.safe_load)])
    def test_is_data(self, cluster: InMemoryCluster, output: str, read: Any) -> None:
        one = read(run("status", "wisdom", "-o", output).stdout)
        assert [version["observed"] for version in one["versions"]] == [None, None]
        assert one["name"] == "wisdom"
        every = read(run("status", "--all", "-o", output).stdout)
        assert [rollout["name"] for rollout in every["rollouts"]] == ["mill", "wisdom"]

    def test_takes_what_verify_has_counted(self, cluster: InMemoryCluster, tmp_path: Path) -> None:
        report = {"versions": [{"name": "wisdom-0", "share": 0.25}, {"name": "other", "share": 0.75}]}
        done = run("status", "wisdom", "-o", "json", "--observed", "-", stdin=json.dumps(report))
        assert [one["observed"] for one in json.loads(done.stdout)["versions"]] == [0.25, 0.0]
        for wrong in (
            "{",
            "[]",
            "[" * 100_000,
            '{"versions": [{}]}',
            *(
                f'{{"versions": [{{"name": "a", "share": {one}}}]}}'
                for one in ('"x"', "NaN", "9" * 400, "-1")
            ),
        ):
            (tmp_path / "report").write_text(wrong)
            done = run("status", "wisdom", "--observed", str(tmp_path / "report"))
            assert done.exit_code == 2
            assert "expected what turnout verify -o json prints" in done.stderr

    def test_shares_of_no_answers_are_not_known(self, cluster: InMemoryCluster) -> None:
        report = {"answered": 0, "versions": [{"name": "wisdom-0", "share": 0.0}]}
        done = run("status", "wisdom", "-o", "json", "--observed", "-", stdin=json.dumps(report))
        assert [one["observed"] for one in json.loads(done.stdout)["versions"]] == [None, None]

    @pytest.mark.parametrize(("output", "read"), [("json", json.loads), ("yaml", yaml.safe_load)])
    @pytest.mark.parametrize("charset", ["utf-8", "latin-1", "ascii"])
    def test_data_fits_the_terminal_and_any_locale(
        self, cluster: InMemoryCluster, output: str, read: Any, charset: str
    ) -> None:
        for message in (HOSTILE, "größe … 型"):
            said = status("20%", "80%")
            said["conditions"][2]["message"] = message
            cluster.set_status(WISDOM, said)
            done = CliRunner(charset=charset).invoke(main, ["status", "wisdom", "-o", output])
            assert done.exit_code == 0, done.stderr
            text = done.stdout_bytes.decode(charset)
            assert text.replace("\n", "").isprintable()
            assert read(text)["conditions"][2]["message"] == message

    def test_text_fits_any_locale(self, cluster: InMemoryCluster) -> None:
        said = status("20%", "80%", ready="False")
        said["conditions"][2]["message"] = "größe … 型"
        cluster.set_status(WISDOM, said)
        done = CliRunner(charset="latin-1").invoke(main, ["status", "wisdom"])
        assert done.exit_code == 0, done.stderr
        assert "größe \\u2026 \\u578b" in done.stdout_bytes.decode("latin-1")

    def test_tells_what_may_not_be_read(self, cluster: InMemoryCluster) -> None:
        def refused(request: Request) -> None:
            if "inferenceservices" in request.path:
                raise StatusError(403, "Forbidden", "inferenceservices is forbidden")

        cluster.on_request = refused
        done = run("status", "wisdom")
        assert done.exit_code == 0
        assert "Note: get InferenceService models/wisdom-0: inferenceservices is forbidden" in done.stderr
        assert done.stdout.splitlines()[4].split()[6] == "20%"

    @pytest.mark.parametrize(
        ("arguments", "told"),
        [
            pytest.param((), "expected the name of a policy, or --all", id="no name"),
            pytest.param(("wisdom", "--all"), "expected the name of a policy, or --all", id="both"),
            pytest.param(("--all", "-w"), "are for one policy", id="all live"),
            pytest.param(("Wisdom",), 'found "Wisdom", expected the name of a policy', id="no name of any"),
        ],
    )
    def test_wrong_usage_is_told(
        self, cluster: InMemoryCluster, arguments: tuple[str, ...], told: str
    ) -> None:
        done = run("status", *arguments)
        assert done.exit_code == 2
        assert told in done.stderr

    def test_a_policy_that_does_not_exist_is_told_with_a_near_name(self, cluster: InMemoryCluster) -> None:
        for command in ("status", "explain"):
            done = run(command, "wisdon")
            assert (done.exit_code, done.stdout) == (5, "")
            assert done.stderr.endswith("did you mean wisdom?\n")
        assert run("status", "wisdon", "-w").exit_code == 5


class TestHostile:
    """What others write into objects, or answer, reaches no terminal as more than characters."""

    @pytest.mark.parametrize("command", ["status", "explain"])
    def test_what_objects_hold_is_escaped(self, cluster: InMemoryCluster, command: str) -> None:
        said = status("20%", "80%")
        said["versions"][0] |= {"appVersion": HOSTILE, "share": HOSTILE, "role": HOSTILE}
        said["conditions"][0]["message"] = HOSTILE
        said["routes"] = [{"apiVersion": "x/v1", "kind": HOSTILE, "namespace": HOSTILE, "name": HOSTILE}]
        cluster.set_status(WISDOM, said)
        model(cluster, "wisdom-0")
        told = run(command, "wisdom").stdout
        assert "red" in told
        assert all(line.isprintable() for line in told.split("\n"))
        assert "\nforged" not in told

    def test_owners_of_routes_are_escaped(self, cluster: InMemoryCluster) -> None:
        model(cluster, "wisdom-0")
        route = {
            "apiVersion": "networking.istio.io/v1",
            "kind": "VirtualService",
            "metadata": {
                "name": "wisdom",
                "labels": {"app.kubernetes.io/managed-by": "turnout", "turnout.dev/policy": "wisdom"},
                "ownerReferences": [{"apiVersion": "v1", "kind": HOSTILE, "name": HOSTILE, "uid": "1"}],
            },
        }
        cluster.create(route, namespace="models")
        told = run("explain", "wisdom").stdout
        assert "is not written over owned by" in told
        assert all(line.isprintable() for line in told.split("\n"))

    @pytest.mark.parametrize("kind", ["inferenceservices", "routingpolicies"])
    def test_what_is_answered_is_one_line(self, cluster: InMemoryCluster, kind: str) -> None:
        def refused(request: Request) -> None:
            if f"/{kind}/" in request.path:
                raise StatusError(403, "Forbidden", 100_000 * HOSTILE)

        cluster.on_request = refused
        told = run("status", "wisdom").stderr
        assert [
            line for line in told.splitlines() if not line.startswith(("Note: get ", "Error: get "))
        ] == []
        assert all(line.isprintable() and len(line) < 5000 for line in told.split("\n"))


class TestWatching:
    def test_each_state_is_a_piece_until_it_is_deleted(self, cluster: InMemoryCluster) -> None:
        """Heartbeats, which say nothing new, are none."""
        steps: list[Callable[[], object]] = [
            lambda: cluster.set_status(WISDOM, {**status("20%", "80%"), "strategyState": {"data": {"x": 1}}}),
            lambda: cluster.set_status(WISDOM, status("0%", "100%")),
            lambda: cluster.delete(WISDOM),
        ]

        def next_step(request: Request) -> None:
            if "/events" in request.path and steps:  # once in each survey
                steps.pop(0)()

        cluster.on_request = next_step
        done = run("status", "wisdom", "-w", "-o", "json")
        pieces = [json.loads(line) for line in done.stdout.splitlines()]
        assert [one["split"] for one in pieces] == [
            "wisdom-0 20% / wisdom-1 80%",
            "wisdom-0 0% / wisdom-1 100%",
        ]
        assert (done.exit_code, done.stderr) == (5, "Error: RoutingPolicy models/wisdom is deleted\n")

    def test_what_is_not_the_policy_itself_is_read_anew(self, cluster: InMemoryCluster) -> None:
        """As events, which come after the status that they tell of; or objects no controller looks at."""
        ready = {
            "conditions": [{"type": "Ready", "status": "True", "lastTransitionTime": "2026-01-02T03:04:05Z"}]
        }
        steps: list[Callable[[], object]] = [
            lambda: None,
            lambda: model(cluster, "wisdom-0"),
            lambda: cluster.set_status(Ref(SERVED[0], "models", "wisdom-0"), ready),
            lambda: cluster.delete(WISDOM),
        ]

        def next_step(request: Request) -> None:
            if "/events" in request.path and steps:  # once in each survey
                steps.pop(0)()

        cluster.on_request = next_step
        stream = io.StringIO()
        following = status_run.watch(Client(cluster, "models"), "wisdom", Shown("json", None, stream))
        with asyncio.Runner(loop_factory=FastLoop) as runner, pytest.raises(DeletedError):
            runner.run(following)
        pieces = [json.loads(line) for line in stream.getvalue().splitlines()]
        assert [bool(one["versions"][0]["since"]) for one in pieces] == [False, True]

    def test_what_plugins_print_does_not_break_the_picture(
        self, cluster: InMemoryCluster, capsys: pytest.CaptureFixture[str]
    ) -> None:
        def prints(request: Request) -> None:
            if "/events" in request.path:
                sys.stdout.write("by a plugin")
                sys.stderr.write("by a plugin")
                logging.getLogger("turnout").warning("by a plugin")
                cluster.on_request = None
                cluster.delete(WISDOM)

        cluster.on_request = prints
        stream = Terminal()
        following = status_run.watch(Client(cluster, "models"), "wisdom", Shown(None, None, stream))
        with asyncio.Runner(loop_factory=FastLoop) as runner, pytest.raises(DeletedError):
            runner.run(following)
        assert "Ready, split: wisdom-0 20% / wisdom-1 80%" in stream.getvalue().replace(
            "\x1b[32m", ""
        ).replace("\x1b[0m", "")
        assert "by a plugin" not in "".join((stream.getvalue(), *capsys.readouterr()))

    def test_a_lost_connection_is_no_end(self, cluster: InMemoryCluster) -> None:
        lost = [ConnectionFailed("get InferenceService models/wisdom-0: connection refused")]

        def fails(request: Request) -> None:
            if "inferenceservices/" in request.path:
                if lost:
                    raise lost.pop()
                cluster.on_request = None
                cluster.delete(WISDOM)

        cluster.on_request = fails
        done = run("status", "wisdom", "-w", "-o", "yaml")
        assert [one["name"] for one in yaml.safe_load_all(done.stdout)] == ["wisdom"]
        assert "Note: get InferenceService models/wisdom-0: connection refused" in done.stderr.splitlines()
        assert done.exit_code == 5


class TestExplain:
    def test_is_what_plan_says_and_then_the_controller(self, cluster: InMemoryCluster) -> None:
        model(cluster, "wisdom-0", "False")
        done = run("explain", "wisdom")
        assert done.exit_code == 0, done.stderr
        told = done.stdout.splitlines()
        assert told[0] == "RoutingPolicy models/wisdom: kserve-modelmesh, blue-green, istio"
        assert "    wisdom-1: InferenceService models/wisdom-1 does not exist" in told
        assert "  held: NoVersionReady" in told
        assert told[-4:] == [
            "  the controller says:",
            "    Accepted is True: Valid",
            "    Routed is True: InForce",
            "    Ready is True: Ready",
        ]
        assert "    nothing yet" in run("explain", "mill").stdout

    def test_is_data_as_plan_has_it(self, cluster: InMemoryCluster) -> None:
        (one,) = json.loads(run("explain", "wisdom", "-o", "json").stdout)["policies"]
        assert (one["name"], one["held"]) == ("wisdom", "NoVersionReady")

    def test_a_refused_policy_is_not_well(self, cluster: InMemoryCluster) -> None:
        cluster.patch(WISDOM, {"spec": {"trafficStrategy": "blu-green"}})
        done = run("explain", "wisdom")
        assert done.exit_code == 1
        assert (
            'refused: UnknownPlugin: unknown strategy "blu-green"; did you mean "blue-green"?' in done.stdout
        )
        assert "    of the policy as it was before" in done.stdout.splitlines()

    def test_what_may_not_be_read_is_told(self, cluster: InMemoryCluster) -> None:
        def refused(request: Request) -> None:
            if "inferenceservices" in request.path:
                raise StatusError(403, "Forbidden", "inferenceservices is forbidden")

        cluster.on_request = refused
        done = run("explain", "wisdom")
        assert (done.exit_code, done.stdout) == (3, "")
        assert done.stderr.startswith("Error: get InferenceService models/wisdom-0: ")
