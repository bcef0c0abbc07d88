"""The bounds of a drain on a real API server: a deleted version goes in time, whatever is in the way."""

import json
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.cluster.controller import Site
from tests.cluster.proxied import Proxied
from tests.support import wait_until

IN_FLIGHT, PROPAGATION, LIMIT = 1.0, 1.0, 5.0
SETTINGS = f"""\
drain: {{inFlightSeconds: {IN_FLIGHT}, limitSeconds: {LIMIT}, propagationSeconds: {{istio: {PROPAGATION}}}}}
"""
SLACK = 4.0
"""Seconds that a busy machine may need for what takes no time."""
STAMPS = 1.0
"""The API server's times are in whole seconds."""


@pytest.fixture
def halves(site: Site) -> Site:
    """Two versions that share the calls by halves, long enough ago that nothing drains. No controller."""
    for name in ("wisdom-0", "wisdom-1"):
        site.version(name)
    site.policy("wisdom")
    site.start(settings=SETTINGS)
    site.until_shares({"wisdom-0": 50, "wisdom-1": 50})
    return site


def delete(site: Site, name: str = "wisdom-1") -> None:
    site.kubectl("delete", "inferenceservice", name, "--wait=false")


def seconds_until_gone(site: Site, name: str = "wisdom-1") -> float:
    """Since its deletion, by the API server's clock, which is this machine's."""
    began = site.get("inferenceservice", name)["metadata"]["deletionTimestamp"]
    wait_until(lambda: not site.get("inferenceservice", name), timeout=60, what=f"{name} is gone")
    return (datetime.now(UTC) - datetime.fromisoformat(began)).total_seconds()


def told(site: Site) -> None:
    """The log says that a version went at the limit, and so does an event of it."""
    (*_, process) = site.processes
    words = f"InferenceService {site.namespace}/wisdom-1 is let go: its deletion has waited as long as it may"
    process.says(words)
    listed = ("get", "events", "--field-selector=reason=DrainTimedOut", "--output=json")
    wait_until(lambda: json.loads(site.kubectl(*listed).stdout)["items"], what="the event")
    (event,) = json.loads(site.kubectl(*listed).stdout)["items"]
    about = event["regarding"] if "regarding" in event else event["involvedObject"]
    assert (event["type"], about["kind"], about["name"]) == ("Warning", "InferenceService", "wisdom-1")
    assert f"calls of {site.namespace}/wisdom may fail" in event["message"]


def test_under_suspend_a_version_goes_at_the_limit_and_all_is_told(halves: Site) -> None:
    """The routes still lead to it: the policy's status says so, before and after."""
    suspend = json.dumps({"spec": {"suspend": True}})
    halves.kubectl("patch", "routingpolicy", "wisdom", "--type=merge", f"--patch={suspend}")
    wait_until(lambda: halves.condition("wisdom", "Routed") == ("True", "Suspended"), what="suspended")
    delete(halves)
    wait_until(lambda: halves.condition("wisdom", "Routed") == ("False", "Suspended"), what="drifted")
    assert LIMIT - STAMPS <= seconds_until_gone(halves) < LIMIT + STAMPS + SLACK
    told(halves)
    assert halves.shares() == {"wisdom-0": 50, "wisdom-1": 50}
    wait_until(lambda: candidate(halves)["reason"] == "Missing", what="the status knows")
    assert candidate(halves)["share"] == "50%"
    assert candidate(halves)["message"].endswith("does not exist; the routes in force lead to it")


def candidate(site: Site) -> dict[str, str]:
    """What a policy's status says of wisdom-1."""
    listed: list[dict[str, str]] = site.get("routingpolicy", "wisdom")["status"]["versions"]
    return next(one for one in listed if one["name"] == "wisdom-1")


def test_a_router_that_may_not_write_keeps_no_version(halves: Site) -> None:
    """The right to write routes is gone; the version goes at the limit all the same."""
    role = halves.get("role", "turnout")
    for rule in role["rules"]:
        if "networking.istio.io" in rule["apiGroups"]:
            rule["verbs"] = ["get", "list", "watch"]
    halves.kubectl("apply", "-f", "-", document=json.dumps(role))
    may = ("auth", "can-i", "patch", "virtualservices")
    wait_until(
        lambda: halves.kubectl(*may, user=halves.account, check=False).returncode != 0, what="it is denied"
    )
    delete(halves)
    assert LIMIT - STAMPS <= seconds_until_gone(halves) < LIMIT + STAMPS + SLACK
    told(halves)
    assert halves.shares() == {"wisdom-0": 50, "wisdom-1": 50}
    wait_until(lambda: halves.condition("wisdom", "Routed") == ("False", "Forbidden"), what="Forbidden")


@pytest.fixture
def slow(halves: Site, tmp_path: Path) -> Iterator[Proxied]:
    """The controller's only way to the API server, from now on."""
    halves.close()
    network = Proxied(halves.control_plane, halves.account, tmp_path)
    halves.start(settings=SETTINGS, kubeconfig=network.kubeconfig)
    wait_until(lambda: any("watch=1" in seen for seen in network.proxy.seen), what="the controller is there")
    time.sleep(1)
    yield network
    halves.close()
    network.close()


def holds(plural: str, seconds: float, *, others: float = 0.5) -> Callable[[str, str], float]:
    """A delay of the writes of a kind, and of all other calls."""
    return lambda method, target: seconds if method == "PATCH" and f"/{plural}/" in target else others


def test_an_api_server_that_answers_late_does_not_lengthen_the_limit(halves: Site, slow: Proxied) -> None:
    """A write of the routes that hangs is no reason to wait."""
    slow.proxy.delay = holds("virtualservices", 20.0)
    delete(halves)
    assert LIMIT - STAMPS <= seconds_until_gone(halves) < LIMIT + STAMPS + SLACK
    told(halves)


def test_a_write_that_arrives_late_is_given_its_time(halves: Site, slow: Proxied) -> None:
    """The routes move after two seconds: the drain counts from then, and ends before the limit."""
    slow.proxy.delay = holds("virtualservices", 2.0, others=0.0)
    delete(halves)
    halves.until_shares({"wisdom-0": 100})
    moved = time.monotonic()
    took = seconds_until_gone(halves)
    assert time.monotonic() - moved > IN_FLIGHT + PROPAGATION - 0.5
    assert took < LIMIT + STAMPS + SLACK


@pytest.mark.parametrize("moved", [True, False], ids=["routes moved", "routes not moved"])
def test_a_drain_whose_controller_was_killed_is_ended_by_the_next(halves: Site, moved: bool) -> None:
    """Killed between the write of the routes and the release, or before the write, and not replaced for
    longer than the limit: then the routes still move first."""
    if moved:
        delete(halves)
        halves.until_shares({"wisdom-0": 100})
        halves.close()
    else:
        halves.close()
        delete(halves)
        time.sleep(LIMIT + STAMPS)
    assert halves.get("inferenceservice", "wisdom-1")
    halves.start(settings=SETTINGS)
    began = time.monotonic()
    halves.until_shares({"wisdom-0": 100})
    seconds_until_gone(halves)
    took = time.monotonic() - began
    assert took < IN_FLIGHT + PROPAGATION + STAMPS + SLACK
    assert moved or took >= IN_FLIGHT + PROPAGATION
    log = halves.processes[-1].said
    assert "is let go" not in log
