"""Every environment with every strategy and every router: a plan, or a refusal by name."""

import json
from itertools import product
from typing import Any

import pytest

from tests.decision.world import REGISTRY
from tests.support.combinations import COMBINATIONS, KNATIVE, decided
from turnout.decision.accept import Refused
from turnout.decision.render import Rendered
from turnout.reasons import Reason

KINDS = {
    "envoy": {"ConfigMap"},
    "gateway-api": {"Gateway", "HTTPRoute"},
    "istio": {"Gateway", "ServiceEntry", "VirtualService"},
    "toy-table": {"ConfigMap"},
}
"""What each router writes, for frontends of HTTP."""


def able(environment: str, strategy: str) -> list[str]:
    """The routers that can carry a combination."""
    match environment, strategy:
        case (("toy-hosts" | "kserve in Knative mode"), "mirror"):
            # Envoy copies a request after its route has changed the host: Istio and Gateway API have no
            # route for the copy, and the router envoy has no address.
            return []
        case "kserve-modelmesh", "mirror":
            # Gateway API cannot change what a copy carries.
            return ["envoy", "istio"]
        case _, ("canary" | "mirror"):
            return ["envoy", "gateway-api", "istio"]
        case (("toy-hosts" | "kserve in Knative mode"), _):
            # Gateway API has one host for all shares of a rule.
            return ["envoy", "istio", "toy-table"]
    return ["envoy", "gateway-api", "istio", "toy-table"]


def instead(environment: str, strategy: str, router: str) -> str:
    """What is offered instead of a combination."""
    if (strategy, router) == ("mirror", "toy-table"):
        environment = (
            "kserve-modelmesh" if environment == "kserve-modelmesh" else "kserve"
        )  # by the spec alone
    if routers := able(environment, strategy):
        return f"routers that can: {', '.join(routers)}"
    strategies = ", ".join(sorted(one for one in REGISTRY.strategies if router in able(environment, one)))
    return f"routers that can: none that may be used; strategies that would do: {strategies}"


@pytest.mark.parametrize(("environment", "strategy", "router"), COMBINATIONS, ids=map(" ".join, COMBINATIONS))
def test_a_combination_works_or_is_refused_by_name(environment: str, strategy: str, router: str) -> None:
    combination = environment, strategy, router
    if router not in able(environment, strategy):
        with pytest.raises(Refused, match=rf"{router} cannot carry .*; {instead(*combination)}$") as caught:
            decided(*combination)
        assert caught.value.reason is Reason.UNSUPPORTED
        return

    written = decided(*combination)

    grpc = environment == "kserve-modelmesh"
    assert set(written) == {"GRPCRoute" if grpc and kind == "HTTPRoute" else kind for kind in KINDS[router]}


def shares(written: dict[str, Rendered]) -> dict[str, Any]:
    """The weights that routes give, whoever carries them, by what tells the versions apart."""
    data = written["ConfigMap"].body["data"] if "ConfigMap" in written else {}
    if table := data.get("table.json"):
        rows, *_ = json.loads(table).values()
        return {
            row["authority"] or row["headers"].get("mm-vmodel-id", row["address"]): row["weight"]
            for row in rows
        }
    if response := data.get("routes.json"):
        (route,) = json.loads(response)["resources"][0]["virtual_hosts"][0]["routes"]
        clusters = route["route"]["weighted_clusters"]["clusters"]
        return {_told_by_envoy(cluster): cluster["weight"] for cluster in clusters}
    if route := written.get("HTTPRoute", written.get("GRPCRoute")):
        refs = route.body["spec"]["rules"][-1]["backendRefs"]
        return {_told_by_reference(ref): ref["weight"] for ref in refs}
    return {
        _told(route): route["weight"] for route in written["VirtualService"].body["spec"]["http"][-1]["route"]
    }


def _told(route: dict[str, Any]) -> str:
    sets = route.get("headers", {}).get("request", {}).get("set", {})
    host, port = route["destination"]["host"], route["destination"]["port"]["number"]
    told: str = sets.get("Host") or sets.get("mm-vmodel-id") or f"{host.partition('.svc.')[0]}:{port}"
    return told


def _told_by_envoy(cluster: dict[str, Any]) -> str:
    if authority := cluster.get("host_rewrite_literal"):
        return str(authority)
    for header in cluster.get("request_headers_to_add", ()):
        return str(header["header"]["value"])
    (state,) = cluster["typed_per_filter_config"].values()
    host, port = (
        one["format_string"]["text_format_source"]["inline_string"] for one in state["on_request_headers"]
    )
    return f"{host.partition('.svc.')[0]}:{port}"


def _told_by_reference(ref: dict[str, Any]) -> str:
    for one in ref.get("filters", ()):
        return str(one["requestHeaderModifier"]["set"][0]["value"])
    return f"{ref['name']}.models:{ref['port']}"


SHARES = {"blue-green": (50, 50), "toy-steps": (90, 10)}
SUFFIXES = {
    "deployment": ".models:8080",
    "kserve": "-predictor.models:80",
    KNATIVE: ".models.svc.cluster.local",
    "kserve-modelmesh": "",
    "toy-hosts": ".example.com",
}
ABLE = [(*combination, router) for combination in product(SUFFIXES, SHARES) for router in able(*combination)]


@pytest.mark.parametrize(("environment", "strategy", "router"), ABLE, ids=map(" ".join, ABLE))
def test_the_shares_arrive_whatever_the_network(environment: str, strategy: str, router: str) -> None:
    written = decided(environment, strategy, router)

    suffix, weights = SUFFIXES[environment], SHARES[strategy]
    assert shares(written) == {f"wisdom-0{suffix}": weights[0], f"wisdom-1{suffix}": weights[1]}
