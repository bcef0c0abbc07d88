"""Every environment with every strategy and every router: a plan, or a refusal by name."""

import json
from itertools import product
from typing import Any

import pytest

from tests.decision.world import REGISTRY, World, knative
from turnout.calling import Calls
from turnout.decision.accept import Refused
from turnout.decision.render import Rendered, render
from turnout.reasons import Reason

KNATIVE = "kserve in Knative mode"
"""Its versions are reached otherwise than those in Standard mode, which "kserve" stands for."""
COMBINATIONS = list(product((*REGISTRY.environments, KNATIVE), REGISTRY.strategies, REGISTRY.routers))
BEYOND_A_TABLE = frozenset({"canary", "mirror"})
"""Strategies that ask for more than shares."""
COPIED_TO_A_HOST = (("toy-hosts", "mirror"), (KNATIVE, "mirror"))
"""Envoy copies a request after its route has changed the host, and Istio has no route for the copy."""


def decided(environment: str, strategy: str, router: str) -> dict[str, Rendered]:
    """What is written when both versions are ready, by kind."""
    named, addresses = ("kserve", knative) if environment == KNATIVE else (environment, None)
    world = World(strategy, environment=named, router=router, addresses=addresses)
    plan = world.ready("wisdom-0", "wisdom-1").ask().plan
    assert plan is not None
    return {item.ref.kind.kind: item for item in render(plan, world.accepted, Calls())}


@pytest.mark.parametrize(("environment", "strategy", "router"), COMBINATIONS, ids=map(" ".join, COMBINATIONS))
def test_a_combination_works_or_is_refused_by_name(environment: str, strategy: str, router: str) -> None:
    able = "none that is installed" if (environment, strategy) in COPIED_TO_A_HOST else "istio"
    if able != "istio" or (router == "toy-table" and strategy in BEYOND_A_TABLE):
        with pytest.raises(Refused, match=rf"{router} cannot carry .* routers that can: {able}") as caught:
            decided(environment, strategy, router)
        assert caught.value.reason is Reason.UNSUPPORTED
        return

    written = decided(environment, strategy, router)

    expected = {"ConfigMap"} if router == "toy-table" else {"Gateway", "ServiceEntry", "VirtualService"}
    assert set(written) == expected


def shares(written: dict[str, Rendered]) -> dict[str, Any]:
    """The weights that a table or a VirtualService gives, by what tells the versions apart."""
    if table := written.get("ConfigMap"):
        rows, *_ = json.loads(table.body["data"]["table.json"]).values()
        return {
            row["authority"] or row["headers"].get("mm-vmodel-id", row["address"]): row["weight"]
            for row in rows
        }
    return {
        _told(route): route["weight"] for route in written["VirtualService"].body["spec"]["http"][-1]["route"]
    }


def _told(route: dict[str, Any]) -> str:
    sets = route.get("headers", {}).get("request", {}).get("set", {})
    host, port = route["destination"]["host"], route["destination"]["port"]["number"]
    told: str = sets.get("Host") or sets.get("mm-vmodel-id") or f"{host.partition('.svc.')[0]}:{port}"
    return told


@pytest.mark.parametrize("router", REGISTRY.routers)
@pytest.mark.parametrize(
    ("environment", "suffix"),
    [
        ("deployment", ".models:8080"),
        ("kserve", "-predictor.models:80"),
        (KNATIVE, ".models.svc.cluster.local"),
        ("kserve-modelmesh", ""),
        ("toy-hosts", ".example.com"),
    ],
    ids=["deployment", "standard", "knative", "modelmesh", "hosts"],
)
@pytest.mark.parametrize(
    ("strategy", "weights"), [("blue-green", (50, 50)), ("toy-steps", (90, 10))], ids=["blue-green", "steps"]
)
def test_the_shares_arrive_whatever_the_network(
    environment: str, suffix: str, strategy: str, weights: tuple[int, int], router: str
) -> None:
    written = decided(environment, strategy, router)

    assert shares(written) == {f"wisdom-0{suffix}": weights[0], f"wisdom-1{suffix}": weights[1]}
