"""Whether a controller is at work, as a wait tells it by the Lease."""

import asyncio
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest

import turnout
from tests.client.policies import WISDOM, declare, served, status
from turnout.client import NoControllerError, NotInTimeError
from turnout.names import LABEL_INSTANCE, ROUTING_POLICY, TRAFFIC_WEIGHTS
from turnout.plugin import Ref
from turnout.runtime.lease import LEASE
from turnout.runtime.transport import ConnectionFailed, Request
from turnout.testing.fastloop import FastLoop
from turnout.testing.memory import InMemoryCluster, StatusError

HELD = {"holderIdentity": "turnout-1", "leaseDurationSeconds": 15, "renewTime": "2026-01-02T03:04:05.000000Z"}
FREE = {"leaseDurationSeconds": 1, "renewTime": "2026-01-02T03:04:05.000000Z"}
REF = Ref(LEASE, "turnout-system", "turnout")


@pytest.fixture
def cluster() -> InMemoryCluster:
    """With a policy that waits, of a controller with a Lease."""
    cluster = served()
    cluster.install(TRAFFIC_WEIGHTS)
    declare(cluster)
    said = status("100%", ready="False", routed=("False", "Moving", "waits"))
    cluster.set_status(WISDOM, {**said, "lease": "turnout-system/turnout"})
    return cluster


@pytest.fixture
def runner() -> Iterator[asyncio.Runner]:
    with asyncio.Runner(loop_factory=FastLoop) as made:
        yield made


class Waited(NamedTuple):
    """How a wait for what does not come has ended, after how many seconds."""

    seconds: float
    error: Exception


def wait(runner: asyncio.Runner, cluster: InMemoryCluster, name: str = "wisdom") -> Waited:
    waiting = turnout.Client(cluster, "models").wait(name, lambda rollout: bool(rollout.ready), timeout=100)
    began = runner.get_loop().time()
    with pytest.raises((NoControllerError, NotInTimeError)) as caught:
        runner.run(waiting)
    return Waited(runner.get_loop().time() - began, caught.value)


def lease(cluster: InMemoryCluster, spec: dict[str, Any]) -> None:
    document = {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"name": "turnout"}}
    cluster.create({**document, "spec": spec}, namespace="turnout-system")


def renewing(cluster: InMemoryCluster, until: int) -> None:
    """Renew the Lease at each look, so many times."""
    looks = iter(range(1, 1000))

    def renew(request: Request) -> None:
        if "leases" in request.path and (number := next(looks)) <= until:
            cluster.on_request = None
            cluster.patch(REF, {"spec": {"renewTime": f"2026-01-02T03:05:{number:02}.000000Z"}})
            cluster.on_request = renew

    cluster.on_request = renew


def test_a_lease_that_nobody_renews_has_run_out(cluster: InMemoryCluster, runner: asyncio.Runner) -> None:
    """After twice as long as it says, by the clock of whoever looks."""
    lease(cluster, HELD)
    waited = wait(runner, cluster)
    assert waited.seconds >= 30
    told = (
        "turnout-1 does not renew the Lease turnout-system/turnout, last done at 2026-01-02T03:04:05.000000Z"
    )
    assert str(waited.error) == f"RoutingPolicy models/wisdom: no controller is at work: {told}"


def test_one_that_says_a_long_time_is_waited_for_twice_as_long(
    cluster: InMemoryCluster, runner: asyncio.Runner
) -> None:
    lease(cluster, {**HELD, "leaseDurationSeconds": 40})
    assert wait(runner, cluster).seconds >= 80


def test_one_that_was_let_go_may_be_taken_up_by_a_new_pod(
    cluster: InMemoryCluster, runner: asyncio.Runner
) -> None:
    lease(cluster, FREE)
    waited = wait(runner, cluster)
    assert waited.seconds >= 30
    assert "nobody has the Lease turnout-system/turnout, let go at" in str(waited.error)


def test_one_that_does_not_exist_may_come_yet(cluster: InMemoryCluster, runner: asyncio.Runner) -> None:
    waited = wait(runner, cluster)
    assert waited.seconds >= 30
    assert "its Lease turnout-system/turnout does not exist" in str(waited.error)


def test_one_that_is_renewed_is_waited_for(cluster: InMemoryCluster, runner: asyncio.Runner) -> None:
    lease(cluster, HELD)
    renewing(cluster, until=10)
    assert wait(runner, cluster).seconds >= 50


def test_time_without_a_connection_does_not_count(cluster: InMemoryCluster, runner: asyncio.Runner) -> None:
    lease(cluster, HELD)
    looks = iter(range(1000))

    def fails(request: Request) -> None:
        if "leases" in request.path and next(looks) == 6:
            raise ConnectionFailed("connection refused")

    cluster.on_request = fails
    waited = wait(runner, cluster)
    assert isinstance(waited.error, NoControllerError)
    assert waited.seconds >= 44


def test_without_a_lease_nothing_is_known(cluster: InMemoryCluster, runner: asyncio.Runner) -> None:
    cluster.set_status(WISDOM, status("100%", ready="False"))
    assert isinstance(wait(runner, cluster).error, NotInTimeError)


def test_where_it_may_not_be_read_nothing_is_known(cluster: InMemoryCluster, runner: asyncio.Runner) -> None:
    lease(cluster, FREE)

    def refused(request: Request) -> None:
        if "leases" in request.path:
            raise StatusError(403, "Forbidden", "leases is forbidden")

    cluster.on_request = refused
    assert isinstance(wait(runner, cluster).error, NotInTimeError)


def test_a_policy_that_nobody_has_looked_at_goes_by_others_of_its_instance(
    cluster: InMemoryCluster, runner: asyncio.Runner
) -> None:
    lease(cluster, FREE)
    declare(cluster, "mill")
    assert wait(runner, cluster, "mill").seconds >= 30
    cluster.patch(Ref(ROUTING_POLICY, "models", "mill"), {"metadata": {"labels": {LABEL_INSTANCE: "b"}}})
    assert isinstance(wait(runner, cluster, "mill").error, NotInTimeError)


def test_weights_are_written_all_the_same(cluster: InMemoryCluster, runner: asyncio.Runner) -> None:
    lease(cluster, FREE)
    shifting = turnout.Client(cluster, "models").set_weights("wisdom", {"wisdom-0": 20, "wisdom-1": 80})
    with pytest.raises(NoControllerError):
        runner.run(shifting)
    written = cluster.get(Ref(TRAFFIC_WEIGHTS, "models", "wisdom"))
    assert written
    assert written["spec"] == {"weights": {"wisdom-0": 20, "wisdom-1": 80}}


def test_a_wait_that_is_short_looks_at_no_lease(cluster: InMemoryCluster, runner: asyncio.Runner) -> None:
    cluster.set_status(WISDOM, {**status("20%", "80%"), "lease": "turnout-system/turnout"})
    client = turnout.Client(cluster, "models")
    runner.run(client.wait("wisdom", lambda rollout: bool(rollout.ready), timeout=5))
    assert not [call for call in cluster.calls if call.resource == str(LEASE)]
