"""Each strategy on the wire: who answers which calls."""

import time
from typing import Any

import pytest

from tests.mesh.calls import ask, versions
from tests.mesh.load import version_of
from tests.mesh.site import MeshSite, by_each_router
from tests.mesh.statistics import expected_split
from tests.support import wait_until

Headers = tuple[tuple[str, str], ...]
CALLS = 2000


def answered(site: MeshSite, *metadata: tuple[str, str]) -> str | None:
    """The version that answers calls with some headers; None if it is not always the same one."""
    found = versions(ask(site.address, site.authority(), 10, metadata=metadata))
    return next(iter(found)) if len(found) == 1 else None


def header(name: str, **how: str) -> dict[str, Any]:
    return {"headers": {name: how}}


def until_answered(site: MeshSite, version: str, *metadata: tuple[str, str]) -> None:
    """Wait until the gateway sends such calls to a version."""
    wait_until(site.shares_in_force, timeout=20, what="any routes")
    wait_until(lambda: answered(site, *metadata) == version, timeout=20, what=f"{version} answers {metadata}")


@by_each_router
@pytest.mark.parametrize(
    "shares",
    [
        {"wisdom-0": 1, "wisdom-1": 99},
        {"wisdom-0": 0, "wisdom-1": 100},
        {"wisdom-0": 50, "wisdom-1": 30, "wisdom-2": 20},
    ],
    ids=["1-99", "0-100", "three"],
)
def test_blue_green_splits_by_weight(site: MeshSite, shares: dict[str, int]) -> None:
    site.deploy(*shares)
    site.start()
    site.declare("blue-green", *({"name": name, "weight": weight} for name, weight in shares.items()))
    expected = {name: share for name, share in shares.items() if share}
    site.until_in_force(expected)
    expected_split(lambda: versions(ask(site.address, site.authority(), CALLS)), expected)


@by_each_router
def test_all_weights_at_zero_keep_the_routes_in_force(site: MeshSite) -> None:
    """Nobody is left to take the calls, so nothing moves."""
    site.deploy("wisdom-0", "wisdom-1")
    site.start()
    site.declare("blue-green", {"name": "wisdom-0", "weight": 20}, {"name": "wisdom-1", "weight": 80})
    site.until_in_force({"wisdom-0": 20, "wisdom-1": 80})
    before = routes(site)
    site.declare("blue-green", {"name": "wisdom-0", "weight": 0}, {"name": "wisdom-1", "weight": 0})
    split = {"wisdom-0": 20, "wisdom-1": 80}
    expected_split(lambda: versions(ask(site.address, site.authority(), CALLS)), split)
    assert routes(site) == before


@by_each_router
def test_a_policy_that_begins_with_all_weights_at_zero_leads_to_the_primary(site: MeshSite) -> None:
    """There is nothing yet to stay with; until one of them is another."""
    site.deploy("wisdom-0", "wisdom-1")
    site.start()
    site.declare("blue-green", {"name": "wisdom-0", "weight": 0}, {"name": "wisdom-1", "weight": 0})
    site.until_in_force({"wisdom-0": 100})
    assert versions(ask(site.address, site.authority(), 50)) == {"wisdom-0": 50}
    site.declare("blue-green", {"name": "wisdom-0", "weight": 0}, {"name": "wisdom-1", "weight": 1})
    site.until_in_force({"wisdom-1": 100})
    assert versions(ask(site.address, site.authority(), 50)) == {"wisdom-1": 50}


def routes(site: MeshSite) -> list[tuple[str, str]]:
    """What the status lists, with the versions that the API server has of it."""
    listed = site.get("routingpolicy", "wisdom").get("status", {}).get("routes", ())
    found = [site.get(one["kind"].lower(), one["name"]) for one in listed]
    return [(one["kind"], one["metadata"]["resourceVersion"]) for one in found]


@by_each_router
def test_canary_without_a_match_takes_calls_with_the_header_traffic_test(site: MeshSite) -> None:
    site.deploy("wisdom-0", "wisdom-1")
    site.start()
    site.declare("canary", {"name": "wisdom-0"}, {"name": "wisdom-1"})
    until_answered(site, "wisdom-1", ("traffic", "test"))
    assert answered(site) == "wisdom-0"
    assert answered(site, ("traffic", "tester")) == "wisdom-0"


@by_each_router
def test_canaries_take_what_matches_and_the_primary_the_rest(site: MeshSite) -> None:
    """Exact, prefix and regex; alternatives; all headers of one match; of two matches the first version's."""
    site.deploy("wisdom-0", "wisdom-1", "wisdom-2")
    site.start()
    both = {"headers": {"team": {"exact": "a"}, "stage": {"exact": "late"}}}
    site.declare(
        "canary",
        {"name": "wisdom-0"},
        {"name": "wisdom-1", "match": [header("user", exact="ann"), header("user", prefix="test-"), both]},
        {
            "name": "wisdom-2",
            "match": [header("user", regex="t[a-z]+-[0-9]{2}"), header("X-Beta", exact="1")],
        },
    )
    until_answered(site, "wisdom-2", ("x-beta", "1"))
    answers: dict[Headers, str] = {
        (): "wisdom-0",
        (("user", "ann"),): "wisdom-1",
        (("user", "anna"),): "wisdom-0",
        (("user", "test-7"),): "wisdom-1",
        (("user", "team-42"),): "wisdom-2",
        (("user", "team-421"),): "wisdom-0",
        (("user", "test-42"),): "wisdom-1",
        (("team", "a"), ("stage", "late")): "wisdom-1",
        (("team", "a"),): "wisdom-0",
        (("x-beta", "1"), ("user", "ann")): "wisdom-1",
    }
    assert {headers: answered(site, *headers) for headers in answers} == answers


@by_each_router
@pytest.mark.parametrize("strategy", ["blue-green", "canary"])
def test_a_candidate_that_is_still_loading_gets_nothing(site: MeshSite, strategy: str) -> None:
    """A call to it would wait until it is loaded, and this one never is until it is told to be."""
    site.deploy("wisdom-0")
    site.start()
    site.never_loads("wisdom-1")
    site.apply_version("wisdom-1")
    site.declare(strategy, {"name": "wisdom-0"}, {"name": "wisdom-1"})
    wait_until(site.shares_in_force, timeout=20, what="any routes")
    time.sleep(1.0)
    metadata = (("traffic", "test"),)
    assert versions(ask(site.address, site.authority(), 50, metadata=metadata)) == {"wisdom-0": 50}
    site.finish("wisdom-1")
    wait_until(
        lambda: "wisdom-1" in versions(ask(site.address, site.authority(), 20, metadata=metadata)),
        timeout=20,
        what="it gets calls once it is loaded",
    )


@by_each_router
def test_a_canary_that_is_deleted_gets_nothing(site: MeshSite) -> None:
    site.deploy("wisdom-0", "wisdom-1")
    site.start()
    site.declare("canary", {"name": "wisdom-0"}, {"name": "wisdom-1"})
    until_answered(site, "wisdom-1", ("traffic", "test"))
    site.kubectl("delete", "inferenceservice", "wisdom-1", "--wait=false")
    until_answered(site, "wisdom-0", ("traffic", "test"))


@by_each_router
def test_the_response_tells_the_app_version(site: MeshSite) -> None:
    site.deploy("wisdom-0", "wisdom-1")
    site.start()
    split = ({"name": "wisdom-0", "weight": 50}, {"name": "wisdom-1", "weight": 50})
    site.declare("blue-green", *split, **{site.router: {"appVersionHeader": "app-version"}})
    site.until_in_force({"wisdom-0": 50, "wisdom-1": 50})
    answers = ask(site.address, site.authority(), 100)
    told = {(version_of(answer.model_name), answer.metadata.get("app-version")) for answer in answers}
    assert told == {("wisdom-0", "v0"), ("wisdom-1", "v1")}


def test_the_gateway_of_these_tests_listens_on_loopback_alone(site: MeshSite) -> None:
    site.deploy("wisdom-0")
    site.start()
    site.declare("blue-green", {"name": "wisdom-0"})
    site.until_in_force({"wisdom-0": 100})
    assert site.mesh.ingress.listeners() == {f"127.0.0.1:{site.mesh.port}"}


def test_retries_by_default_do_not_cover_what_modelmesh_says_of_a_model_that_is_gone(site: MeshSite) -> None:
    """As docs/traffic.md has it: so they cannot replace the drain."""
    site.deploy("wisdom-0")
    site.start()
    site.declare("blue-green", {"name": "wisdom-0"})
    site.until_in_force({"wisdom-0": 100})
    (told,) = {
        route["route"]["retry_policy"]["retry_on"]
        for config in site.mesh.ingress.routes()
        for host in config["virtual_hosts"]
        if site.authority() in host["domains"]
        for route in host["routes"]
    }
    covered = set(told.split(","))
    assert covered >= {"connect-failure", "refused-stream", "unavailable", "cancelled"}
    assert not covered & {"not-found", "internal", "5xx"}
