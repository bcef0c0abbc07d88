"""Changes that meet writes under way, and one policy's trouble that is none of the others'."""

import threading
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from tests.runtime.harness import Bed, Object, fail, gateway, refuse, rp, tw
from turnout.names import ROUTING_POLICY
from turnout.plugin import Observation
from turnout.runtime.digest import LAST_APPLIED
from turnout.runtime.transport import Request
from turnout_kserve_modelmesh.environment import KServeModelMesh


def once(bed: Bed, path: str, change: Callable[[], object]) -> list[str]:
    """Make a change at the moment when the controller's write to a path is about to be stored."""
    met: list[str] = []

    def hook(request: Request) -> None:
        if request.method == "PATCH" and request.path.endswith(path) and not met:
            met.append(request.path)
            change()

    bed.cluster.on_request = hook
    return met


def test_a_change_of_a_policy_counts_though_a_status_is_written_right_after_it(halves: Bed) -> None:
    weighted = [{"name": "wisdom-0", "weight": 10}, {"name": "wisdom-1", "weight": 90}]
    met = once(halves, "routingpolicies/wisdom/status", lambda: halves.policy(modelVersions=weighted))
    halves.version("wisdom-1", label="v7")  # the status tells it
    halves.settle()
    assert met
    assert halves.shares() == {"wisdom-0": 10, "wisdom-1": 90}


def test_a_change_of_weights_counts_though_their_status_is_written_right_after_it(halves: Bed) -> None:
    met = once(halves, "trafficweights/wisdom/status", lambda: halves.weights(wisdom_0=0, wisdom_1=100))
    halves.weights(wisdom_0=20, wisdom_1=80)
    halves.settle()
    assert met
    assert halves.shares() == {"wisdom-1": 100}


@pytest.mark.parametrize("path", ["routingpolicies/wisdom/status", "trafficweights/wisdom/status"])
def test_a_status_that_arrives_late_changes_nothing(halves: Bed, path: str) -> None:
    """As from a controller that leads no longer: who leads now has written another one since."""
    sent: list[Request] = []

    def hook(request: Request) -> None:
        if request.method == "PATCH" and request.path.endswith(path):
            sent.append(request)

    halves.cluster.on_request = hook
    halves.weights(wisdom_0=20, wisdom_1=80)
    halves.settle()
    halves.weights(wisdom_0=40, wisdom_1=60)
    halves.settle()
    late, *_, last = sent
    assert late.body != last.body
    before = halves.snapshot()
    assert halves.run(halves.cluster.send(late)).status == 409
    halves.settle()
    assert halves.snapshot() == before


@pytest.mark.parametrize("path", ["routingpolicies/wisdom/status", "trafficweights/wisdom/status"])
def test_a_status_is_written_though_something_else_has_changed_meanwhile(halves: Bed, path: str) -> None:
    """What asks for nothing, and wakes nobody. It is no news, and nothing has failed."""
    halves.weights(wisdom_0=20, wisdom_1=80)
    halves.settle()
    ref = rp() if path.startswith("routingpolicies") else tw()
    patch = {"metadata": {"annotations": {LAST_APPLIED: "{}"}}}
    met = once(halves, path, lambda: halves.cluster.patch(ref, patch))
    halves.weights(wisdom_0=30, wisdom_1=70)
    halves.until(lambda: halves.shares() == {"wisdom-0": 30, "wisdom-1": 70})
    halves.settle()
    assert met
    assert halves.split() == "wisdom-0 30% / wisdom-1 70%"
    told = halves.get(tw())
    assert told["status"]["observedGeneration"] == told["metadata"]["generation"]


def two(bed: Bed, strategy: str = "blue-green") -> None:
    """Two policies, of which the first has a strategy."""
    for name in ("one", "two"):
        bed.version(f"{name}-0")
        bed.version(f"{name}-1")
    bed.policy("one", trafficStrategy=strategy)
    bed.policy("two")


def test_a_state_that_is_refused_keeps_no_gateway_from_others(bed: Bed) -> None:
    two(bed, "toy-steps")
    bed.cluster.on_request = refuse(kind=ROUTING_POLICY, verb="apply", code=422, reason="Invalid", name="one")
    bed.start()
    bed.until(lambda: bed.shares("two") == {"two-0": 50, "two-1": 50})
    bed.until(lambda: bed.exists(gateway()))


def test_a_route_whose_write_is_never_answered_keeps_no_gateway_from_others(bed: Bed) -> None:
    two(bed)

    def hook(request: Request) -> None:
        if request.method == "PATCH" and request.path.endswith("/virtualservices/one"):
            fail("timeout")

    bed.cluster.on_request = hook
    bed.start()
    bed.until(lambda: bed.shares("two") == {"two-0": 50, "two-1": 50})
    bed.until(lambda: bed.exists(gateway()))


def test_instances_do_not_fight_for_the_gateway_of_a_policy_that_changed_hands(bed: Bed) -> None:
    bed.version("wisdom-0")
    bed.policy()
    bed.start()
    bed.start(instance="x")
    bed.until(lambda: bed.condition("Routed") == ("True", "InForce"))
    bed.settle()
    bed.policy(labels={"turnout.dev/instance": "x"}, config={"istio": {"gatewayPort": 8080}})
    bed.until(lambda: _port(bed.get(gateway())) == 8080)
    bed.settle()
    bed.forget_calls()
    bed.sleep(30)
    assert (_port(bed.get(gateway())), bed.writes) == (8080, [])


def _port(of: Object) -> int:
    number: int = of["spec"]["servers"][0]["port"]["number"]
    return number


def test_a_gateway_that_is_given_up_while_nothing_is_decided_is_removed(bed: Bed) -> None:
    """Suspended since before this controller began, so that it has never known of the wish."""
    bed.version("one-0")
    bed.policy("one")
    bed.start()
    bed.until(lambda: bed.exists(gateway()))
    bed.policy("one", suspend=True)
    bed.settle()
    bed.restart()
    bed.settle()
    bed.policy("one", config={"istio": {"externalGateway": "models/public"}})
    bed.until(lambda: not bed.exists(gateway()))


class Stalls(KServeModelMesh):
    """Hangs in one of its methods for as long as it is told to."""

    name = "toy-stalls"

    def __init__(self, where: str) -> None:
        self._where = where
        self.stall = False
        self.go = threading.Event()

    def observe(self, obj: Mapping[str, Any]) -> Observation:
        self._hang("observe")
        return super().observe(obj)

    def backends(self, *given: Any) -> Any:
        self._hang("backends")
        return super().backends(*given)

    def _hang(self, where: str) -> None:
        if self.stall and self._where == where:
            self.go.wait(20)


@pytest.mark.parametrize("where", ["backends", "observe"])
def test_what_changes_during_a_quarantine_is_seen_after_it(make_bed: Callable[..., Bed], where: str) -> None:
    """Whichever call of the plugin it was that hung."""
    plugin = Stalls(where)
    bed = make_bed(plugin)
    for name in ("wisdom-0", "wisdom-1"):
        bed.version(name)
    bed.policy(targetEnv="toy-stalls")
    bed.start()
    bed.until(lambda: bed.shares() == {"wisdom-0": 50, "wisdom-1": 50})
    bed.settle()
    plugin.stall = True
    bed.ready("wisdom-1", False)
    bed.sleep(8)
    plugin.stall = False
    plugin.go.set()
    bed.ready("wisdom-1", True)
    bed.ready("wisdom-0", False)
    bed.sleep(400)
    assert bed.shares() == {"wisdom-1": 100}
