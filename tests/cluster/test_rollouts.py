"""`turnout list` and `turnout wait` in a cluster, by somebody who may do no more than they need."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from tests.cluster.controller import TURNOUT, Site
from tests.cluster.proxied import Proxied
from tests.support import Credentials, wait_until

HALVES = ("wisdom-0", "wisdom-1")


@pytest.fixture
def reader(site: Site) -> Credentials:
    return site.reader("get", "list", "watch")


def turnout(site: Site, user: Credentials | Proxied, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [TURNOUT, *arguments, "--namespace", site.namespace],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "KUBECONFIG": str(user.kubeconfig)},
    )


def ended(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    said, told = process.communicate(timeout=60)
    return process.returncode, said, told


def test_a_wait_ends_with_the_split_and_needs_the_one_policy_alone(site: Site, reader: Credentials) -> None:
    site.version("wisdom-0")
    site.policy("wisdom")
    site.start()
    waiting = turnout(site, reader, "wait", "wisdom", "--for=split=50/50", "--timeout=30s")
    assert waiting.stderr
    assert waiting.stderr.readline().startswith("Waiting: ")
    site.version("wisdom-1")
    code, said, told = ended(waiting)
    assert (code, said) == (
        0,
        "routingpolicy.turnout.dev/wisdom in force: wisdom-0 50% / wisdom-1 50%\n",
    ), told
    code, said, _ = ended(turnout(site, reader, "wait", "wisdom", "--for=ready", "-o", "json"))
    assert (code, json.loads(said)["ready"]) == (0, True)

    code, said, told = ended(turnout(site, reader, "wait", "other", "--for=ready"))
    assert (code, said) == (3, "")
    assert "Forbidden" in told
    assert told.count("\n") == 1


def test_rollouts_are_listed(site: Site) -> None:
    site.version("wisdom-0")
    site.policy("wisdom")
    site.start()
    wait_until(lambda: site.condition("wisdom", "Ready")[0] == "True", what="Ready")
    admin = site.control_plane.admin
    code, said, _ = ended(turnout(site, admin, "list"))
    assert code == 0
    assert said.splitlines()[1].split()[:2] == ["wisdom", "kserve-modelmesh"]
    assert "wisdom-0 100%" in said


def test_a_wait_survives_a_lost_connection(site: Site, reader: Credentials, tmp_path: Path) -> None:
    site.version("wisdom-0")
    site.policy("wisdom")
    proxied = Proxied(site.control_plane, reader, tmp_path)
    try:
        waiting = turnout(site, proxied, "wait", "wisdom", "--for=ready", "--timeout=30s")
        assert waiting.stderr
        assert waiting.stderr.readline() == "Waiting: no controller has looked at it yet\n"
        wait_until(lambda: any("watch=1" in one for one in proxied.proxy.seen), what="it watches")
        proxied.refuse()
        site.start()
        wait_until(lambda: site.condition("wisdom", "Ready")[0] == "True", what="Ready")
        proxied.accept()
        code, said, told = ended(waiting)
    finally:
        proxied.close()
    assert (code, said) == (0, "routingpolicy.turnout.dev/wisdom ready: wisdom-0 100%\n"), told


def test_a_wait_for_a_controller_that_does_not_run_ends(site: Site, reader: Credentials) -> None:
    """By its Lease, which the status of the policy names; with the right to get that one."""
    what = ("--verb=get", "--resource=leases.coordination.k8s.io", "--resource-name=turnout")
    site.kubectl("create", "role", "lease-reader", *what)
    to = f"--serviceaccount={site.namespace}:reader"
    site.kubectl("create", "rolebinding", "lease-reader", "--role=lease-reader", to)
    site.version("wisdom-0")
    site.policy("wisdom")
    controller = site.start(f"--lease={site.namespace}/turnout")
    wait_until(lambda: site.condition("wisdom", "Ready")[0] == "True", timeout=40, what="Ready")
    assert site.get("routingpolicy", "wisdom")["status"]["lease"] == f"{site.namespace}/turnout"
    controller.terminate()
    controller.wait()
    asked = ("wait", "wisdom", "--for=split=50/50", "--timeout=5m")
    code, said, told = ended(turnout(site, reader, *asked))
    assert (code, said) == (8, ""), told
    gone = f"nobody has the Lease {site.namespace}/turnout, let go at "
    last = told.splitlines()[-1]
    assert last.startswith(f"Error: RoutingPolicy {site.namespace}/wisdom: no controller is at work: {gone}")


@pytest.mark.parametrize(
    "command", [("wait", "wisdom", "--for=ready"), ("status", "wisdom", "-w", "-o", "json")]
)
def test_who_may_not_follow_the_policy_is_told_at_once(site: Site, command: tuple[str, ...]) -> None:
    site.policy("wisdom")
    reader = site.reader("get")
    wait_until(lambda: ended(turnout(site, reader, "status", "wisdom"))[0] == 0, what="the rights count")
    code, _, told = ended(turnout(site, reader, *command))
    assert code == 3
    assert told.splitlines()[-1].startswith("Error: list routingpolicies.turnout.dev in ")
    assert "Forbidden" in told
