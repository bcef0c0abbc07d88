"""Whether a call may be one that a match gives to a version: in doubt, it may."""

from typing import Any

import pytest

from turnout.verification.matching import Call, whose

PATH = "/inference.GRPCInferenceService/ModelInfer"


def policy(*matches: dict[str, Any]) -> dict[str, Any]:
    versions: list[dict[str, Any]] = [{"name": "wisdom-0"}, {"name": "wisdom-1"}]
    return {
        "spec": {"modelVersions": [versions[0], versions[1] | ({"match": [*matches]} if matches else {})]}
    }


def header(name: str, **how: str) -> dict[str, Any]:
    return {"headers": {name: how}}


@pytest.mark.parametrize(
    ("match", "met"),
    [
        pytest.param({"method": "POST"}, True, id="method"),
        pytest.param({"method": "GET"}, False, id="another method"),
        pytest.param({"path": {"prefix": "/inference."}}, True, id="prefix"),
        pytest.param({"path": {"exact": PATH}}, True, id="path"),
        pytest.param({"path": {"regex": "/v2/.*"}}, True, id="a regex, which is not evaluated"),
        pytest.param({"path": {"prefix": "/v2/"}}, False, id="another prefix"),
        pytest.param({"path": {"exact": "/inference."}}, False, id="another path"),
        pytest.param({"queryParams": {"trace": {"regex": ".*"}}}, False, id="a query"),
        pytest.param(header("content-type", prefix="application/"), True, id="sent by gRPC"),
        pytest.param(header("User-Agent", regex=".*beta.*"), True, id="sent by gRPC, in any case"),
        pytest.param(header("x-request-id", regex=".*7"), True, id="added by a proxy"),
        pytest.param(header("X-User", exact="me"), True, id="the caller's"),
        pytest.param(header("traffic", exact="test"), False, id="a header that is not sent"),
        pytest.param({"method": "POST", **header("traffic", exact="test")}, False, id="not all of it"),
        pytest.param({"method": "POST", "path": {"prefix": "/"}}, True, id="all of it"),
    ],
)
def test_a_match_is_met_unless_something_rules_it_out(match: dict[str, Any], met: bool) -> None:
    found = whose(policy({"method": "GET"}, match), ["wisdom-1"], Call(PATH, ("x-user",)))
    assert found == ("wisdom-1, by spec.modelVersions[1].match[1]" if met else "")


def test_only_versions_that_get_calls_by_a_match_count() -> None:
    assert whose(policy({"method": "POST"}), [], Call(PATH)) == ""


@pytest.mark.parametrize("said", [policy(), {"spec": {"modelVersions": "?"}}, {}])
def test_a_strategys_own_match_may_be_met_by_the_callers_headers(said: dict[str, Any]) -> None:
    assert whose(said, ["wisdom-1"], Call(PATH)) == ""
    assert whose(said, ["wisdom-1"], Call(PATH, ("a",))) == "wisdom-1, by its strategy's own match"


@pytest.mark.parametrize("odd", [{"path": "?"}, {"headers": 7}, {"path": {"prefix": 1}}, {"headers": {1: 2}}])
def test_what_is_no_match_raises_nothing(odd: dict[str, Any]) -> None:
    whose(policy(odd), ["wisdom-1"], Call(PATH))
