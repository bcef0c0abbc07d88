"""`turnout weights` and `turnout abort` in a cluster, by somebody who may move weights and nothing else."""

import json
import signal
from pathlib import Path

import pytest

from tests.cluster.controller import Site
from tests.cluster.proxied import Proxied
from tests.cluster.test_rollouts import ended, turnout
from tests.support import Credentials, wait_until

HALVES = {"wisdom-0": 50, "wisdom-1": 50}
SHIFTED = {"wisdom-0": 20, "wisdom-1": 80}


@pytest.fixture
def manager(site: Site) -> Credentials:
    """Reads the policy, and writes its traffic weights."""
    account = site.reader("get", "list", "watch")
    verbs = (f"--verb={one}" for one in ("get", "list", "watch", "create", "patch", "delete"))
    site.kubectl("create", "role", "manager", *verbs, "--resource=trafficweights")
    to = f"--serviceaccount={site.namespace}:reader"
    site.kubectl("create", "rolebinding", "manager", "--role=manager", to)
    wait_until(
        lambda: site.kubectl("get", "trafficweights", user=account, check=False).returncode == 0,
        what="the role binding counts",
    )
    return account


@pytest.fixture
def halves(site: Site) -> Site:
    """A rollout by halves, with its controller."""
    site.version("wisdom-0")
    site.version("wisdom-1")
    site.policy("wisdom")
    site.start()
    site.until_shares(HALVES)
    wait_until(lambda: site.condition("wisdom", "Ready")[0] == "True", what="Ready")
    return site


def test_a_release_manager_shifts_aborts_and_resets(halves: Site, manager: Credentials) -> None:
    """When the command returns, the routes are there."""
    code, said, told = ended(turnout(halves, manager, "weights", "wisdom", "candidate=80%"))
    assert (code, told) == (0, "") or told.startswith("Waiting: ")
    assert said == "before: wisdom-0 50% / wisdom-1 50%\nafter:  wisdom-0 20% / wisdom-1 80%\n"
    assert halves.shares() == SHIFTED

    code, said, told = ended(turnout(halves, manager, "abort", "wisdom"))
    assert (code, said) == (
        0,
        "before: wisdom-0 20% / wisdom-1 80%\nafter:  wisdom-0 100%\n",
    ), told
    assert halves.shares() == {"wisdom-0": 100}
    halves.ready("wisdom-0", ready=False)
    wait_until(
        lambda: halves.condition("wisdom", "Ready")[1] == "NothingHasWeight", what="no version is left"
    )
    assert halves.shares() == {"wisdom-0": 100}
    halves.ready("wisdom-0")

    code, said, told = ended(turnout(halves, manager, "weights", "wisdom", "--reset", "-o", "json"))
    assert (code, json.loads(said)["after"]["split"]) == (0, "wisdom-0 50% / wisdom-1 50%"), told
    assert halves.shares() == HALVES
    assert halves.get("trafficweights", "wisdom") == {}


def test_an_aborted_candidate_is_deleted_once_its_drain_is_over(halves: Site, manager: Credentials) -> None:
    """With the rights that the docs name, and no others."""
    verbs = ("--verb=get", "--verb=delete")
    halves.kubectl("create", "role", "deletes", *verbs, "--resource=inferenceservices")
    to = f"--serviceaccount={halves.namespace}:reader"
    halves.kubectl("create", "rolebinding", "deletes", "--role=deletes", to)
    wait_until(
        lambda: (
            halves.kubectl("get", "inferenceservice", "wisdom-1", user=manager, check=False).returncode == 0
        ),
        what="the role binding counts",
    )
    code, said, told = ended(turnout(halves, manager, "abort", "wisdom", "--delete"))
    assert (code, said.splitlines()[-1]) == (0, "after:  wisdom-0 100%"), told
    there = f"InferenceService {halves.namespace}/wisdom-1"
    assert told.splitlines()[-2:] == [
        f"Waiting: {there} is being deleted, held by turnout.dev/drain",
        "Deleted: wisdom-1",
    ]
    assert halves.names("inferenceservices") == ["wisdom-0"]


def test_weights_replace_those_that_a_tool_has_applied(halves: Site, manager: Credentials) -> None:
    """Also a percentage, which excludes weights."""
    document = {
        "apiVersion": "turnout.dev/v1alpha1",
        "kind": "TrafficWeights",
        "metadata": {"name": "wisdom"},
        "spec": {"mirrorPercentage": 30},
    }
    halves.kubectl("apply", "--server-side", "-f", "-", document=json.dumps(document))
    code, _, told = ended(turnout(halves, manager, "weights", "wisdom", "20/80"))
    assert code == 0, told
    assert halves.get("trafficweights", "wisdom")["spec"] == {"weights": SHIFTED}
    assert halves.shares() == SHIFTED


def test_what_the_api_server_forbids_is_told(halves: Site) -> None:
    """By the verb and the kind; nothing is written."""
    reader = halves.reader("get", "list", "watch")
    code, said, told = ended(turnout(halves, reader, "weights", "wisdom", "20/80"))
    assert (code, said, told.count("\n")) == (3, "", 1)
    assert 'cannot get resource "trafficweights"' in told


def test_ctrl_c_says_that_the_weights_are_written(site: Site, manager: Credentials) -> None:
    """And the controller that comes goes on with them."""
    site.version("wisdom-0")
    site.version("wisdom-1")
    site.policy("wisdom")
    shifting = turnout(site, manager, "weights", "wisdom", "20/80", "--timeout=5m")
    assert shifting.stderr
    assert shifting.stderr.readline() == "Waiting: no controller has looked at it yet\n"
    shifting.send_signal(signal.SIGINT)
    code, said, told = ended(shifting)
    assert (code, said) == (130, "")
    assert told.startswith("Interrupted: the weights are written, and the controller goes on by itself.\n")
    site.start()
    site.until_shares(SHIFTED)


def test_a_shift_survives_a_lost_connection(halves: Site, manager: Credentials, tmp_path: Path) -> None:
    proxied = Proxied(halves.control_plane, manager, tmp_path)
    for process in halves.processes:
        process.kill()
    try:
        shifting = turnout(halves, proxied, "weights", "wisdom", "20/80", "--timeout=60s")
        wait_until(
            lambda: any("trafficweights" in one and "watch=1" in one for one in proxied.proxy.seen),
            what="it watches",
        )
        proxied.refuse()
        halves.start()
        halves.until_shares(SHIFTED)
        proxied.accept()
        code, said, told = ended(shifting)
    finally:
        proxied.close()
    assert (code, said.splitlines()[-1]) == (0, "after:  wisdom-0 20% / wisdom-1 80%"), told
