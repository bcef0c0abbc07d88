"""Moves on the heels of each other, halted and resumed, and of many policies at once."""

import time
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from tests.runtime.harness import (
    NAMESPACE,
    Bed,
    gateway,
    service_entry,
    vs,
)
from tests.runtime.moves.moving import DRAIN, TABLE, moved, start, there
from tests.toys.table import CONFIG_MAP
from turnout.plugin import Manifest, Ref, RoutePlan
from turnout_istio.gateway import GATEWAY
from turnout_istio.options import IstioOptions
from turnout_istio.router import Istio
from turnout_istio.virtual_service import VIRTUAL_SERVICE


def test_there_and_back(halves: Bed) -> None:
    uid = halves.get(vs())["metadata"]["uid"]
    halves.policy(router="toy-table")
    halves.until(lambda: halves.exists(TABLE))
    halves.sleep(2)
    halves.policy()
    halves.until(lambda: not halves.exists(TABLE))
    halves.settle()
    assert there(halves) == [True] * 3
    assert halves.get(vs())["metadata"]["uid"] == uid
    assert halves.condition("Routed") == ("True", "InForce")


def test_gateway_there_and_back(halves: Bed) -> None:
    halves.policy(config={"istio": {"externalGateway": "public"}})
    halves.until(lambda: halves.exists(gateway("public")))
    halves.sleep(2)
    halves.policy()
    halves.until(lambda: not halves.exists(gateway("public")))
    halves.settle()
    assert there(halves) == [True] * 3
    assert halves.condition("Routed") == ("True", "InForce")


@pytest.mark.parametrize("how", ["suspend", "refused"])
@pytest.mark.parametrize("again", ["stays", "is killed"])
def test_a_move_that_is_halted_and_goes_on(halves: Bed, how: str, again: str) -> None:
    halves.policy(router="toy-table")
    halves.until(lambda: halves.exists(TABLE))
    said = {"suspend": True} if how == "suspend" else {"trafficStrategy": "no-such"}
    halves.policy(router="toy-table", **said)
    halves.settle()
    if again == "is killed":
        halves.restart(drain=DRAIN)
    halves.sleep(60)
    assert there(halves) == [True] * 3
    assert halves.exists(TABLE)
    halves.policy(router="toy-table")
    halves.until(lambda: moved(halves))


def test_environments_there_and_back(halves: Bed) -> None:
    halves.policy(targetEnv="toy-hosts")
    halves.until(lambda: halves.condition("Routed") == ("False", "Moving"))
    halves.policy()
    halves.until(lambda: halves.condition("Routed") == ("True", "InForce"))
    assert halves.shares() == {"wisdom-0": 50, "wisdom-1": 50}
    assert halves.protected("wisdom-0")


def test_a_move_is_ended_by_another_instance(halves: Bed) -> None:
    halves.start(drain=DRAIN, instance="b")
    halves.policy(router="toy-table")
    halves.until(lambda: halves.exists(TABLE))
    halves.policy(router="toy-table", labels={"turnout.dev/instance": "b"})
    halves.until(lambda: moved(halves))
    halves.policy(labels={"turnout.dev/instance": "b"})
    halves.until(lambda: halves.exists(vs()))
    halves.policy()
    halves.until(lambda: there(halves) == [True] * 3 and not halves.exists(TABLE))


def test_a_gateway_is_renamed_twice(halves: Bed) -> None:
    halves.policy(config={"istio": {"externalGateway": "b"}})
    halves.until(lambda: halves.exists(gateway("b")))
    halves.policy(config={"istio": {"externalGateway": "c"}})
    halves.until(
        lambda: (
            halves.exists(gateway("c")) and not halves.exists(gateway("b")) and not halves.exists(gateway())
        )
    )
    halves.until(lambda: halves.condition("Routed") == ("True", "InForce"))


@pytest.mark.parametrize("again", ["stays", "is killed"])
def test_many_policies_move_at_once(bed: Bed, again: str) -> None:
    names = [f"model-{number}" for number in range(40)]
    for name in names:
        bed.version(f"{name}-0")
        bed.policy(name)
    start(bed)
    bed.until(lambda: all(bed.condition("Routed", name) == ("True", "InForce") for name in names))
    bed.settle()
    missing: list[str] = []

    def hook(request: Any) -> None:
        if request.method == "DELETE" and "/virtualservices/" in request.path:
            name = request.path.rpartition("/")[2]
            if not bed.exists(Ref(CONFIG_MAP, NAMESPACE, f"{name}-table")):
                missing.append(name)

    bed.cluster.on_request = hook
    for name in names:
        bed.policy(name, router="toy-table")
    if again == "is killed":
        bed.until(lambda: sum(bed.exists(Ref(CONFIG_MAP, NAMESPACE, f"{name}-table")) for name in names) > 7)
        bed.restart(drain=DRAIN)
    bed.until(lambda: not bed.cluster.objects(VIRTUAL_SERVICE), within=200)
    bed.sleep(100)
    assert {bed.condition("Routed", name) for name in names} == {("True", "InForce")}
    assert not bed.cluster.objects(VIRTUAL_SERVICE)
    assert not bed.cluster.objects(GATEWAY)
    assert not bed.cluster.objects(service_entry().kind)
    assert missing == []


class Slow(Istio):
    """Takes longer to render routes than the network needs to hear of them."""

    name = "slow"

    def render(self, plan: RoutePlan, options: IstioOptions) -> Sequence[Manifest]:
        time.sleep(0.05)  # a second of the loop
        return super().render(plan, options)


def test_a_gateway_that_arrives_while_routes_are_rendered_is_named_all_the_same(
    make_bed: Callable[..., Bed],
) -> None:
    bed = make_bed(Slow())
    bed.version("wisdom-0")
    bed.policy(router="slow")
    bed.start(drain={"propagationSeconds": {"slow": 0.5}})
    bed.until(lambda: bed.condition("Routed") == ("True", "InForce"))
    bed.policy(router="slow", config={"slow": {"externalGateway": "public"}})
    bed.until(lambda: bed.get(vs())["spec"]["gateways"][0] == "public")
