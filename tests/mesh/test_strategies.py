"""Each strategy on the wire: who answers which calls."""

import time
from typing import Any

import pytest

from tests.mesh.calls import ask, versions
from tests.mesh.load import version_of
from tests.mesh.statistics import expected_split
from tests.mesh.town import Town
from tests.support import wait_until

Headers = tuple[tuple[str, str], ...]
CALLS = 2000


def answered(town: Town, *metadata: tuple[str, str]) -> str:
    """The version that answers a call with some headers; always the same one."""
    found = versions(ask(town.address, town.authority(), 10, metadata=metadata))
    assert len(found) == 1, found
    return next(iter(found))


def header(name: str, **how: str) -> dict[str, Any]:
    return {"headers": {name: how}}


def until_answered(town: Town, version: str, *metadata: tuple[str, str]) -> None:
    """Wait until the gateway sends such calls to a version."""
    wait_until(town.shares_in_force, timeout=20, what="any routes")
    wait_until(lambda: answered(town, *metadata) == version, timeout=20, what=f"{version} answers {metadata}")


@pytest.mark.parametrize(
    "shares",
    [
        {"wisdom-0": 1, "wisdom-1": 99},
        {"wisdom-0": 0, "wisdom-1": 100},
        {"wisdom-0": 50, "wisdom-1": 30, "wisdom-2": 20},
    ],
    ids=["1-99", "0-100", "three"],
)
def test_blue_green_splits_by_weight(town: Town, shares: dict[str, int]) -> None:
    town.deploy(*shares)
    town.start()
    town.declare("blue-green", *({"name": name, "weight": weight} for name, weight in shares.items()))
    expected = {name: share for name, share in shares.items() if share}
    town.until_in_force(expected)
    expected_split(lambda: versions(ask(town.address, town.authority(), CALLS)), expected)


def test_all_weights_at_zero_keep_the_routes_in_force(town: Town) -> None:
    """Nobody is left to take the calls, so nothing moves."""
    town.deploy("wisdom-0", "wisdom-1")
    town.start()
    town.declare("blue-green", {"name": "wisdom-0", "weight": 20}, {"name": "wisdom-1", "weight": 80})
    town.until_in_force({"wisdom-0": 20, "wisdom-1": 80})
    before = town.get("virtualservice", "wisdom")["metadata"]["resourceVersion"]
    town.declare("blue-green", {"name": "wisdom-0", "weight": 0}, {"name": "wisdom-1", "weight": 0})
    split = {"wisdom-0": 20, "wisdom-1": 80}
    expected_split(lambda: versions(ask(town.address, town.authority(), CALLS)), split)
    assert town.get("virtualservice", "wisdom")["metadata"]["resourceVersion"] == before


def test_canary_without_a_match_takes_calls_with_the_header_traffic_test(town: Town) -> None:
    town.deploy("wisdom-0", "wisdom-1")
    town.start()
    town.declare("canary", {"name": "wisdom-0"}, {"name": "wisdom-1"})
    until_answered(town, "wisdom-1", ("traffic", "test"))
    assert answered(town) == "wisdom-0"
    assert answered(town, ("traffic", "tester")) == "wisdom-0"


def test_canaries_take_what_matches_and_the_primary_the_rest(town: Town) -> None:
    """Exact, prefix and regex; alternatives; all headers of one match; of two matches the first version's."""
    town.deploy("wisdom-0", "wisdom-1", "wisdom-2")
    town.start()
    both = {"headers": {"team": {"exact": "a"}, "stage": {"exact": "late"}}}
    town.declare(
        "canary",
        {"name": "wisdom-0"},
        {"name": "wisdom-1", "match": [header("user", exact="ann"), header("user", prefix="test-"), both]},
        {
            "name": "wisdom-2",
            "match": [header("user", regex="t[a-z]+-[0-9]{2}"), header("X-Beta", exact="1")],
        },
    )
    until_answered(town, "wisdom-2", ("x-beta", "1"))
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
    assert {headers: answered(town, *headers) for headers in answers} == answers


@pytest.mark.parametrize("strategy", ["blue-green", "canary"])
def test_a_candidate_that_is_still_loading_gets_nothing(town: Town, strategy: str) -> None:
    """A call to it would wait until it is loaded, and this one never is until it is told to be."""
    town.deploy("wisdom-0")
    town.start()
    town.never_loads("wisdom-1")
    town.apply_version("wisdom-1")
    town.declare(strategy, {"name": "wisdom-0"}, {"name": "wisdom-1"})
    wait_until(town.shares_in_force, timeout=20, what="any routes")
    time.sleep(1.0)
    metadata = (("traffic", "test"),)
    assert versions(ask(town.address, town.authority(), 50, metadata=metadata)) == {"wisdom-0": 50}
    town.finish("wisdom-1")
    wait_until(
        lambda: "wisdom-1" in versions(ask(town.address, town.authority(), 20, metadata=metadata)),
        timeout=20,
        what="it gets calls once it is loaded",
    )


def test_a_canary_that_is_deleted_gets_nothing(town: Town) -> None:
    town.deploy("wisdom-0", "wisdom-1")
    town.start()
    town.declare("canary", {"name": "wisdom-0"}, {"name": "wisdom-1"})
    until_answered(town, "wisdom-1", ("traffic", "test"))
    town.kubectl("delete", "inferenceservice", "wisdom-1", "--wait=false")
    until_answered(town, "wisdom-0", ("traffic", "test"))


def test_the_response_tells_the_app_version(town: Town) -> None:
    town.deploy("wisdom-0", "wisdom-1")
    town.start()
    split = ({"name": "wisdom-0", "weight": 50}, {"name": "wisdom-1", "weight": 50})
    town.declare("blue-green", *split, istio={"appVersionHeader": "app-version"})
    town.until_in_force({"wisdom-0": 50, "wisdom-1": 50})
    answers = ask(town.address, town.authority(), 100)
    told = {(version_of(answer.model_name), answer.metadata.get("app-version")) for answer in answers}
    assert told == {("wisdom-0", "v0"), ("wisdom-1", "v1")}


def test_the_gateway_of_these_tests_listens_on_loopback_alone(town: Town) -> None:
    town.deploy("wisdom-0")
    town.start()
    town.declare("blue-green", {"name": "wisdom-0"})
    town.until_in_force({"wisdom-0": 100})
    assert town.mesh.ingress.listeners() == {f"127.0.0.1:{town.mesh.port}"}
