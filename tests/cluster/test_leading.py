"""Several controllers with one Lease: one writes, and another one takes over, whatever becomes of the first."""

import json
import time

import pytest

from tests.cluster.controller import Process, Site
from tests.support import wait_until

DURATION, RENEW = 4.0, 2.5
SETTINGS = """\
drain: {inFlightSeconds: 1, propagationSeconds: {istio: 1}}
lease: {durationSeconds: 4, renewSeconds: 2.5, retrySeconds: 0.5}
"""
STOPPED = 2.0
"""Seconds within which another one leads after a leader that was stopped in order."""
LEADS, STANDS_BY, DEPOSED = "leading, by the Lease", "standing by: ", "leads no longer"
HALVES = {"wisdom-0": 50, "wisdom-1": 50}


class Pair:
    """Two controllers, of which the first leads; the audit log tells their accounts apart."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self._accounts = [site.account, site.another("other")]
        site.version("wisdom-0")
        site.policy("wisdom")
        self.first = self.start(0)
        self.first.says(LEADS)
        self.second = self.start(1)
        self.second.says(STANDS_BY)
        site.until_shares({"wisdom-0": 100})
        wait_until(lambda: site.condition("wisdom", "Ready")[0] == "True", what="Ready")

    def start(self, number: int, *arguments: str) -> Process:
        account = self._accounts[number].kubeconfig
        return self.site.start(
            f"--lease={self.site.namespace}/turnout",
            *arguments,
            settings=SETTINGS,
            kubeconfig=account,
            name=f"turnout-{number}",
        )

    def writes(self, number: int, since: int) -> list[str]:
        """What one of them has written since a mark of the audit log, the Lease aside."""
        calls = self.site.control_plane.audit(self._accounts[number], since=since)
        writes = (call for call in calls if call.verb not in ("get", "list", "watch"))
        return [f"{call.verb} {call.uri}" for call in writes if call.resource != "leases"]

    def route(self) -> str:
        """Changes with every write of the route."""
        return str(self.site.get("virtualservice", "wisdom")["metadata"]["resourceVersion"])


@pytest.fixture
def pair(site: Site) -> Pair:
    return Pair(site)


def test_one_writes_and_the_other_does_not(pair: Pair) -> None:
    mark = pair.site.control_plane.audit_mark()
    pair.site.version("wisdom-1")
    pair.site.until_shares(HALVES)
    assert pair.writes(0, mark)
    assert pair.writes(1, mark) == []


def test_after_a_crash_the_other_takes_over_in_the_time_of_the_lease(pair: Pair) -> None:
    """Nothing that was right is written again."""
    route = pair.route()
    pair.first.kill()
    pair.site.version("wisdom-2")  # none of the policy's
    began = time.monotonic()
    pair.second.says(LEADS)
    assert time.monotonic() - began < DURATION + 2
    assert pair.route() == route
    pair.site.version("wisdom-1")
    pair.site.until_shares(HALVES)


def test_after_a_stop_the_other_takes_over_at_once_and_no_route_is_written(pair: Pair) -> None:
    """As in a rolling update: each leads in turn, and calls stay where they are."""
    route = pair.route()
    stopping, standing = (0, pair.first), (1, pair.second)
    for _ in range(3):
        began = time.monotonic()
        (number, process), (_, other) = stopping, standing
        process.terminate()
        other.says(LEADS)
        assert time.monotonic() - began < STOPPED
        assert process.wait() == 0
        stopping, standing = standing, (number, pair.start(number))
        standing[1].says(STANDS_BY)
    time.sleep(1.0)
    assert pair.route() == route


def test_one_that_was_frozen_writes_nothing_once_another_one_leads(pair: Pair) -> None:
    pair.first.freeze()
    pair.second.says(LEADS)
    mark = pair.site.control_plane.audit_mark()
    pair.site.version("wisdom-1")
    pair.site.until_shares(HALVES)
    pair.first.thaw()
    pair.first.says(DEPOSED)
    pair.first.says(STANDS_BY)
    pair.site.kubectl("delete", "virtualservice", "wisdom")  # which a controller puts back
    pair.site.until_shares(HALVES)
    assert pair.writes(0, mark) == []


def test_an_api_server_that_stalls_leaves_one_that_writes(pair: Pair) -> None:
    mark = pair.site.control_plane.audit_mark()
    with pair.site.control_plane.frozen_apiserver():
        pair.first.says(DEPOSED)
    wait_until(lambda: pair.first.said.count(LEADS) + pair.second.said.count(LEADS) > 1, timeout=20)
    pair.site.version("wisdom-1")
    pair.site.until_shares(HALVES)
    written = [pair.writes(number, mark) for number in (0, 1)]
    leads = pair.second.said.count(LEADS)
    assert written[leads]
    assert written[1 - leads] == []


def test_a_lease_that_is_deleted_stays_with_its_leader(pair: Pair) -> None:
    pair.second.freeze()  # else either may be the first to make it again
    pair.site.kubectl("delete", "lease", "turnout")
    wait_until(lambda: pair.site.get("lease", "turnout"), what="it is made again")
    pair.second.thaw()
    pair.site.version("wisdom-1")
    pair.site.until_shares(HALVES)
    time.sleep(DURATION)
    assert LEADS not in pair.second.said
    assert DEPOSED not in pair.first.said


def test_a_lease_that_is_taken_deposes_at_once_and_has_to_run_out(pair: Pair) -> None:
    mark = pair.site.control_plane.audit_mark()
    patch = json.dumps({"spec": {"holderIdentity": "somebody"}})
    pair.site.kubectl("patch", "lease", "turnout", "--type=merge", f"--patch={patch}")
    pair.first.says(DEPOSED)
    pair.site.version("wisdom-1")
    time.sleep(DURATION - 2)
    assert pair.site.shares() == {"wisdom-0": 100}
    pair.site.until_shares(HALVES)
    assert sum(bool(pair.writes(number, mark)) for number in (0, 1)) == 1


def test_without_the_right_to_leases_it_says_so_and_stands_by(site: Site) -> None:
    """By its message the operator knows what to grant."""
    rules = json.loads(site.kubectl("get", "role", "turnout", "--output=json").stdout)["rules"]
    patch = json.dumps({"rules": [rule for rule in rules if "leases" not in rule["resources"]]})
    site.kubectl("patch", "role", "turnout", "--type=merge", f"--patch={patch}")
    wait_until(lambda: site.kubectl("get", "leases", user=site.account, check=False).returncode != 0)
    process = site.start(f"--lease={site.namespace}/turnout")
    process.says("cannot be had: get Lease")
    process.says('cannot get resource "leases" in API group "coordination.k8s.io"')
