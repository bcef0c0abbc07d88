"""`turnout list` and `turnout wait`, on a cluster in memory."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result

from tests.client.policies import WISDOM, declare, served, status
from turnout.cli import main
from turnout.cli.list import text
from turnout.client import Client
from turnout.rollout import Rollout
from turnout.runtime.errors import NoCluster
from turnout.runtime.transport import ConnectionFailed
from turnout.testing.memory import InMemoryCluster

MOVING = status("20%", "80%", ready="Unknown", routed=("False", "Moving", "waits for wisdom-1"))


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> InMemoryCluster:
    """What the commands connect to, with the policies wisdom and mill."""
    cluster = served()
    declare(cluster)
    declare(cluster, "mill")

    @asynccontextmanager
    async def connect(namespace: str = "", *, context: str | None = None) -> AsyncIterator[Client]:
        if context:
            raise NoCluster(f"no cluster: the context {context!r} is none")
        yield Client(cluster, namespace or "models")

    monkeypatch.setattr(Client, "connect", connect)
    return cluster


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments)


class TestList:
    def test_is_a_table(self, cluster: InMemoryCluster) -> None:
        cluster.set_status(WISDOM, status("20%", "80%"))
        done = run("list")
        assert done.exit_code == 0, done.stderr
        head, mill, wisdom = done.stdout.splitlines()
        assert head.split() == ["NAME", "ENVIRONMENT", "STRATEGY", "SPLIT", "READY", "AGE"]
        assert mill.split()[:5] == ["mill", "kserve-modelmesh", "blue-green", "none", "Unknown"]
        assert "wisdom-0 20% / wisdom-1 80%  True" in wisdom

    def test_is_wide(self, cluster: InMemoryCluster) -> None:
        cluster.set_status(WISDOM, MOVING)
        _, mill, wisdom = run("list", "-o", "wide").stdout.splitlines()
        assert mill.endswith("istio   no controller has looked at it yet")
        assert wisdom.endswith("istio   Routed is False: Moving: waits for wisdom-1")

    def test_is_of_all_namespaces(self, cluster: InMemoryCluster) -> None:
        declare(cluster, "other", namespace="others")
        lines = run("list", "-A").stdout.splitlines()
        assert [line.split()[:2] for line in lines] == [
            ["NAMESPACE", "NAME"],
            ["models", "mill"],
            ["models", "wisdom"],
            ["others", "other"],
        ]
        assert run("list", "-A", "-n", "models").exit_code == 2

    @pytest.mark.parametrize(("output", "read"), [("json", json.loads), ("yaml", yaml.safe_load)])
    def test_is_data(self, cluster: InMemoryCluster, output: str, read: Any) -> None:
        cluster.set_status(WISDOM, status("20%", "80%"))
        _, wisdom = read(run("list", "-o", output).stdout)["rollouts"]
        assert (wisdom["name"], wisdom["ready"], wisdom["inForce"], wisdom["awaits"]) == (
            "wisdom",
            True,
            True,
            "",
        )
        assert [one["share"] for one in wisdom["versions"]] == ["20%", "80%"]

    def test_is_names_for_kubectl(self, cluster: InMemoryCluster) -> None:
        kind = "routingpolicy.turnout.dev"
        assert run("list", "-o", "name").stdout == f"{kind}/mill\n{kind}/wisdom\n"

    @pytest.mark.parametrize(("arguments", "where"), [((), "namespace empty"), (("-A",), "the cluster")])
    def test_is_empty(self, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], where: str) -> None:
        @asynccontextmanager
        async def connect(namespace: str = "", *, context: str | None = None) -> AsyncIterator[Client]:
            yield Client(served(), "empty")

        monkeypatch.setattr(Client, "connect", connect)
        done = run("list", *arguments)
        assert (done.exit_code, done.stdout, done.stderr) == (0, "", f"No policies in {where}.\n")

    @pytest.mark.parametrize(
        ("age", "told"),
        [({"seconds": 119}, "119s"), ({"minutes": 119}, "119m"), ({"hours": 47}, "47h"), ({"days": 9}, "9d")],
    )
    def test_has_ages_in_one_unit(self, age: dict[str, float], told: str) -> None:
        created = "2026-01-02T03:04:05Z"
        found = Rollout.read({"metadata": {"name": "wisdom", "creationTimestamp": created}})
        now = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC) + timedelta(**age)
        assert text([found], now, all_namespaces=False, wide=False)[1].split()[-1] == told


class TestWait:
    def test_says_how_it_is(self, cluster: InMemoryCluster) -> None:
        cluster.set_status(WISDOM, status("20%", "80%"))
        done = run("wait", "wisdom", "--for=ready")
        said = "routingpolicy.turnout.dev/wisdom ready: wisdom-0 20% / wisdom-1 80%\n"
        assert (done.exit_code, done.stdout, done.stderr) == (0, said, "")

    @pytest.mark.parametrize("split", ["20/80", "1/4", "wisdom-1=80,wisdom-0=20"])
    def test_is_for_a_split(self, cluster: InMemoryCluster, split: str) -> None:
        cluster.set_status(WISDOM, status("20%", "80%"))
        done = run("wait", "wisdom", f"--for=split={split}", "-o", "json")
        assert done.exit_code == 0, done.stderr
        assert json.loads(done.stdout)["split"] == "wisdom-0 20% / wisdom-1 80%"

    @pytest.mark.parametrize("goal", ["ready", "in-force", "split=20/80", "split=80/20"])
    def test_ends_in_time(self, cluster: InMemoryCluster, goal: str) -> None:
        cluster.set_status(WISDOM, MOVING)
        done = run("wait", "wisdom", f"--for={goal}", "--timeout=200ms")
        awaits = "Routed is False: Moving: waits for wisdom-1"
        assert (done.exit_code, done.stdout) == (6, "")
        assert done.stderr == (
            f"Waiting: {awaits}\nError: RoutingPolicy models/wisdom: not within 0.2 s: {awaits}\n"
        )

    def test_another_split_in_force_is_told(self, cluster: InMemoryCluster) -> None:
        cluster.set_status(WISDOM, status("20%", "80%"))
        done = run("wait", "wisdom", "--for=split=50/50", "--timeout=0.2")
        assert done.exit_code == 6
        assert done.stderr.endswith("not within 0.2 s: wisdom-0 20% / wisdom-1 80%\n")

    @pytest.mark.parametrize(
        ("arguments", "code", "told"),
        [
            (("wisdm", "--for=ready"), 5, "no RoutingPolicy models/wisdm; did you mean wisdom?"),
            (("wisdom",), 2, "Missing option '--for'"),
            (("wisdom", "--for=redy"), 2, 'found "redy", expected ready, in-force, split=20/80 or split=wis'),
            (("wisdom", "--for=ready=1"), 2, 'found "ready=1", expected ready, in-force, '),
            (("wisdom", "--for=split="), 2, 'found "split=", expected ready, in-force, '),
            (("wisdom", "--for=split=0/0"), 2, 'found "split=0/0", expected weights from 0 to 1000000'),
            (("wisdom", "--for=split=nan/1"), 2, 'found "split=nan/1", expected weights'),
            (("wisdom", "--for=split=1"), 2, "found 1 weights, expected 2: of wisdom-0, wisdom-1"),
            (("wisdom", "--for=split=a=1"), 2, 'found "a", expected versions of the policy: wisdom-0, wis'),
            (("Wisdom", "--for=ready"), 2, 'found "Wisdom", expected the name of a policy'),
            (("wisdom", "--for=ready", "--timeout=0"), 2, 'found "0", expected a duration up to 24h'),
            (("wisdom", "--for=ready", "--timeout=2d"), 2, 'found "2d", expected a duration up to 24h'),
            (("wisdom", "--for=ready", "--context=no"), 3, "the context 'no' is none"),
        ],
    )
    def test_what_is_wrong_is_one_line(
        self, cluster: InMemoryCluster, arguments: tuple[str, ...], code: int, told: str
    ) -> None:
        done = run("wait", *arguments)
        assert (done.exit_code, done.stdout) == (code, "")
        last = done.stderr.splitlines()[-1]
        assert last.startswith("Error: ")
        assert told in last

    @pytest.mark.parametrize("command", [("list",), ("wait", "wisdom", "--for=ready")])
    def test_a_cluster_that_cannot_be_reached_is_told(
        self, cluster: InMemoryCluster, command: tuple[str, ...]
    ) -> None:
        def cut(_: object) -> None:
            raise ConnectionFailed("cut")

        cluster.on_request = cut
        done = run(*command)
        assert (done.exit_code, done.stdout) == (3, "")
        assert done.stderr.startswith("Error: ")
