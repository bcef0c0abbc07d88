"""What is told of a move, and that nothing is done in vain meanwhile."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from tests.runtime.harness import (
    NAMESPACE,
    Bed,
    gateway,
    refuse,
)
from tests.runtime.moves.moving import DRAIN, TABLE, Refused, moved, shared_by_two
from tests.toys.table import CONFIG_MAP
from turnout.plugin import Manifest, Ref
from turnout.runtime.events import EVENT
from turnout.runtime.observer import Observer
from turnout_istio.gateway import GATEWAY


class Counting(Observer):
    """Counts reconciles of policies."""

    def __init__(self) -> None:
        self.count = 0

    def reconciled(self, key: Any, seconds: float) -> None:
        self.count += type(key).__name__ == "PolicyKey"


def test_a_policy_is_ready_while_its_gateway_is_renamed(halves: Bed) -> None:
    halves.policy(config={"istio": {"externalGateway": "public"}})
    halves.until(lambda: halves.exists(gateway("public")))
    halves.settle()
    assert halves.condition("Ready") == ("True", "Ready")


def test_no_hot_loop_while_a_gateway_may_not_be_written(bed: Bed) -> None:
    observer = Counting()
    bed.version("wisdom-0")
    bed.policy()
    bed.start(drain=DRAIN, observer=observer)
    bed.until(lambda: bed.condition("Routed") == ("True", "InForce"))
    bed.cluster.on_request = refuse(verb="apply", kind=GATEWAY)
    bed.policy(config={"istio": {"externalGateway": "public"}})
    bed.until(lambda: bed.condition("Routed") == ("False", "Forbidden"))
    bed.settle()
    observer.count = 0
    bed.sleep(60)
    assert observer.count < 10


class Hosting(Refused):
    """A table beside a shared object whose network has not said a word."""

    name = "hosting"

    def render(self, plan: Any, options: Any) -> Any:
        from turnout.plugin import Role

        body = {"data": {"shared": "yes"}}
        return (Manifest(CONFIG_MAP, "hosting", body, Role.SHARED), *super().render(plan, options))

    def pending(self, route: Mapping[str, Any]) -> str | None:
        return "it has no word yet" if route["metadata"]["name"] == "hosting" else None


def test_no_loop_while_a_gateway_is_not_up(make_bed: Callable[..., Bed]) -> None:
    bed = make_bed(Hosting())
    observer = Counting()
    bed.version("wisdom-0")
    bed.policy()
    bed.start(drain=DRAIN, observer=observer)
    bed.until(lambda: bed.condition("Routed") == ("True", "InForce"))
    bed.policy(router="hosting")
    bed.until(lambda: "they wait for" in bed.message("Routed"))
    bed.settle()
    observer.count = 0
    bed.sleep(60)
    assert observer.count < 10


@pytest.mark.parametrize("why", ["conflict", "forbidden", "500"])
def test_status_is_not_written_to_and_fro_while_the_new_routes_cannot_be(halves: Bed, why: str) -> None:
    if why == "conflict":
        somebodys = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": TABLE.name}}
        halves.cluster.create(somebodys, namespace=NAMESPACE)
    elif why == "forbidden":
        halves.cluster.on_request = refuse(kind=CONFIG_MAP, verb="apply")
    else:
        halves.cluster.on_request = refuse(kind=CONFIG_MAP, verb="apply", code=500, reason="InternalError")
    halves.policy(router="toy-table")
    halves.until(lambda: halves.condition("Routed")[0] == "False")
    halves.settle(0.5)
    halves.forget_calls()
    halves.sleep(120)
    for word in (False, True):
        halves.ready("wisdom-1", word)
        halves.sleep(2)
    said = [call for call in halves.writes if call.endswith("/status")]
    assert halves.events("Corrected") == []
    assert len(said) <= 2


def test_nothing_is_said_to_be_in_force_before_the_network_has_taken_it(make_bed: Callable[..., Bed]) -> None:
    """With no word yet on it."""
    bed = shared_by_two(make_bed(Refused()))
    bed.version("other-0")
    bed.policy("other", router="refused")
    bed.until(lambda: bed.exists(Ref(CONFIG_MAP, NAMESPACE, "other-table")))
    bed.settle()
    said: list[tuple[str, str]] = []

    def hook(request: Any, response: Any) -> None:
        if request.path.endswith("/wisdom/status"):
            said.append(bed.condition("Routed"))

    bed.cluster.on_response = hook
    bed.policy(router="refused")
    bed.until(lambda: bed.condition("Routed") == ("Unknown", "Pending"))
    assert ("True", "Moving") not in said
    assert [told for told in bed.events("Moving") if "removed once" in told] == []


def test_a_move_alone_is_no_shift(halves: Bed) -> None:
    halves.policy(router="toy-table")
    halves.until(lambda: moved(halves) and halves.condition("Routed") == ("True", "InForce"))
    told = [(e["reason"], e["message"]) for e in halves.cluster.objects(EVENT, NAMESPACE)]
    assert len([reason for reason, _ in told if reason == "Shifted"]) <= 1
