"""Every environment with every strategy and every router: a plan, or a refusal by name."""

import json
from itertools import product
from typing import Any

import pytest

from tests.decision.world import REGISTRY, World
from turnout.calling import Calls
from turnout.decision.accept import Refused
from turnout.decision.render import Rendered, render
from turnout.reasons import Reason

COMBINATIONS = list(product(REGISTRY.environments, REGISTRY.strategies, REGISTRY.routers))
BEYOND_A_TABLE = frozenset({"canary", "mirror"})
"""Strategies that ask for more than shares."""
COPIED_TO_A_HOST = ("toy-hosts", "mirror")
"""Envoy copies a request after its route has changed the host: Istio has no route for the copy, and the
router envoy no address."""
KINDS = {
    "envoy": {"ConfigMap"},
    "istio": {"Gateway", "ServiceEntry", "VirtualService"},
    "toy-table": {"ConfigMap"},
}


def decided(environment: str, strategy: str, router: str) -> dict[str, Rendered]:
    """What is written when both versions are ready, by kind."""
    world = World(strategy, environment=environment, router=router).ready("wisdom-0", "wisdom-1")
    plan = world.ask().plan
    assert plan is not None
    return {item.ref.kind.kind: item for item in render(plan, world.accepted, Calls())}


@pytest.mark.parametrize(("environment", "strategy", "router"), COMBINATIONS, ids=map(" ".join, COMBINATIONS))
def test_a_combination_works_or_is_refused_by_name(environment: str, strategy: str, router: str) -> None:
    able = "none that is installed" if (environment, strategy) == COPIED_TO_A_HOST else "envoy, istio"
    if able.startswith("none") or (router == "toy-table" and strategy in BEYOND_A_TABLE):
        with pytest.raises(Refused, match=rf"{router} cannot carry .* routers that can: {able}") as caught:
            decided(environment, strategy, router)
        assert caught.value.reason is Reason.UNSUPPORTED
        return

    written = decided(environment, strategy, router)

    assert set(written) == KINDS[router]


def shares(written: dict[str, Rendered]) -> dict[str, Any]:
    """The weights that routes give, whoever carries them, by what tells the versions apart."""
    data = written["ConfigMap"].body["data"] if "ConfigMap" in written else {}
    if table := data.get("table.json"):
        rows, *_ = json.loads(table).values()
        return {row["authority"] or row["headers"]["mm-vmodel-id"]: row["weight"] for row in rows}
    if response := data.get("routes.json"):
        (route,) = json.loads(response)["resources"][0]["virtual_hosts"][0]["routes"]
        clusters = route["route"]["weighted_clusters"]["clusters"]
        return {_told_apart(cluster): cluster["weight"] for cluster in clusters}
    routes = written["VirtualService"].body["spec"]["http"][-1]["route"]
    sets = [(route["headers"]["request"]["set"], route["weight"]) for route in routes]
    return {said.get("Host") or said["mm-vmodel-id"]: weight for said, weight in sets}


def _told_apart(cluster: dict[str, Any]) -> str:
    """What Envoy gives the requests of a version: an authority, or else a header."""
    name: str = cluster.get("host_rewrite_literal") or cluster["request_headers_to_add"][0]["header"]["value"]
    return name


@pytest.mark.parametrize("router", REGISTRY.routers)
@pytest.mark.parametrize(
    ("environment", "suffix"),
    [("kserve-modelmesh", ""), ("toy-hosts", ".example.com")],
    ids=["modelmesh", "hosts"],
)
@pytest.mark.parametrize(
    ("strategy", "weights"), [("blue-green", (50, 50)), ("toy-steps", (90, 10))], ids=["blue-green", "steps"]
)
def test_the_shares_arrive_whatever_the_network(
    environment: str, suffix: str, strategy: str, weights: tuple[int, int], router: str
) -> None:
    written = decided(environment, strategy, router)

    assert shares(written) == {f"wisdom-0{suffix}": weights[0], f"wisdom-1{suffix}": weights[1]}
