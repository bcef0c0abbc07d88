"""Options of the router istio: delegates, what is passed on to every route, and what is refused."""

from collections.abc import Mapping
from typing import Any

import pytest

from tests.decision.world import World
from turnout.decision.accept import Refused
from turnout.plugin import Backend, Match, Mirror, Policy, RoutePlan, Rule, Share, Version
from turnout.testing.builders import FRONTEND, plan, policy, version
from turnout_istio.options import IstioOptions
from turnout_istio.router import Istio

ROUTER = Istio()
SPLIT = plan({"wisdom-0": 20, "wisdom-1": 80})
PATH = "spec.config.istio"
TOLD = {"response": {"set": {"cache-control": "no-store"}}}


def chosen(**options: Any) -> IstioOptions:
    return IstioOptions.model_validate(options)


def written(of: RoutePlan, **options: Any) -> dict[str, Mapping[str, Any]]:
    """The specs, by kind."""
    return {one.kind.kind: one.body["spec"] for one in ROUTER.render(of, chosen(**options))}


def http(of: RoutePlan, **options: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = written(of, **options)["VirtualService"]["http"]
    return found


def own(name: str) -> Version:
    """A version with a Service of its own: no header tells it apart."""
    return version(name, backends={FRONTEND.name: Backend(name, "models", 8080)})


def mirrored(made: Any = version) -> RoutePlan:
    return plan(Rule("default", (Share(made("wisdom-0"), 1),), mirrors=(Mirror(made("wisdom-1"), 30),)))


def faults(of: Policy | None = None, **options: Any) -> list[str]:
    return [str(fault) for fault in ROUTER.check(of or policy(), chosen(**options))]


def objections(of: RoutePlan, **options: Any) -> list[str]:
    return list(ROUTER.objections(of, chosen(**options)))


def test_a_delegate_says_nothing_of_hosts_and_gateways() -> None:
    """Istio takes a VirtualService for a delegate by its lack of hosts, and then refuses gateways."""
    delegate = written(SPLIT, delegate=True)["VirtualService"]

    assert delegate == {"http": http(SPLIT)}


@pytest.mark.parametrize(
    ("mesh", "kinds"),
    [(True, {"ServiceEntry", "VirtualService"}), (False, {"VirtualService"})],
    ids=["mesh", "gateway alone"],
)
def test_a_delegates_gateway_is_somebody_elses_and_its_names_are_not(mesh: bool, kinds: set[str]) -> None:
    assert written(SPLIT, delegate=True, mesh=mesh).keys() == kinds


def test_a_delegate_has_no_host_for_a_probe_to_ask_for() -> None:
    (fault,) = faults(delegate=True, marker=True)

    assert fault.startswith(f"{PATH}.marker: found true, expected false with delegate")
    assert faults(marker=True) == faults(delegate=True) == []


def test_a_delegate_cannot_send_copies_round_by_the_gateway() -> None:
    """Nobody knows whether they would come to the rule for copies."""
    (objection,) = objections(mirrored(), delegate=True)

    assert objection.startswith(f"{PATH}.delegate: found true, expected false where copies go to versions")
    assert objections(mirrored(own), delegate=True) == objections(mirrored(), delegate=False) == []


def test_a_policy_with_such_a_delegate_is_refused_when_it_is_applied() -> None:
    with pytest.raises(
        Refused, match=rf"^spec\.router: istio cannot carry this: {PATH}\.delegate: found true"
    ):
        World("mirror", config={"istio": {"delegate": True}}).ready("wisdom-0").ask()


PASSED: dict[str, Any] = {
    "timeout": "1m30s",
    "retries": {"attempts": 3, "perTryTimeout": "500ms", "retryOn": "5xx,unavailable,503"},
    "corsPolicy": {"allowOrigins": [{"regex": "https://.*"}], "maxAge": "1m", "allowCredentials": False},
    "fault": {
        "abort": {"httpStatus": 503, "percentage": {"value": 0.5}},
        "delay": {"fixedDelay": "2.5s", "percentage": {"value": 10}},
    },
    "headers": {"request": {"set": {"x-a": "1"}, "remove": ["x-b"]}, "response": {"add": {"x-c": "50%%"}}},
}


@pytest.mark.parametrize("name", PASSED)
def test_every_rule_has_what_is_passed_on(name: str) -> None:
    matched = Rule("post", (Share(version("wisdom-1"), 1),), (Match(method="POST"),))
    of = plan(matched, {"wisdom-0": 1})

    plain, found = http(of), http(of, **{name: PASSED[name]})

    assert found == [entry | {name: PASSED[name]} for entry in plain]


def test_what_is_done_to_a_call_is_not_done_again_to_its_copy() -> None:
    """An abort of half of the calls would abort half of the copies of the other half."""
    copies, calls = http(mirrored(), **PASSED)

    assert copies.keys() - {"match", "route"} == {"timeout", "retries"}
    assert calls.keys() >= PASSED.keys()


def test_the_rule_of_the_marker_answers_by_itself() -> None:
    """Istio refuses a direct response with a fault."""
    assert http(SPLIT, marker=True, **PASSED)[0].keys() == {"match", "directResponse"}


@pytest.mark.parametrize(
    ("options", "written_as"),
    [
        pytest.param({"headers": {}}, {}, id="no headers"),
        pytest.param({"headers": {"request": {}}}, {}, id="no operations"),
        pytest.param({"headers": {"request": {"set": {}}, **TOLD}}, {"headers": TOLD}, id="one way"),
        pytest.param({"retries": {"attempts": 0}}, {"retries": {"attempts": 0}}, id="no retries"),
        pytest.param(
            {"fault": {"delay": {"fixedDelay": "1s", "percentage": {"value": 0}}}},
            {"fault": {"delay": {"fixedDelay": "1s", "percentage": {"value": 0}}}},
            id="a fault for later",
        ),
    ],
)
def test_only_what_is_said_is_written(options: dict[str, Any], written_as: dict[str, Any]) -> None:
    (plain,), (found,) = http(SPLIT), http(SPLIT, **options)

    assert found == plain | written_as


def test_routes_and_names_are_exported_alike() -> None:
    specs = written(SPLIT, exportTo=[".", "istio-system"])

    exported = {kind: spec.get("exportTo") for kind, spec in specs.items()}
    assert exported == {
        "Gateway": None,
        "ServiceEntry": [".", "istio-system"],
        "VirtualService": [".", "istio-system"],
    }


def test_the_policys_own_namespace_is_exported_to_once() -> None:
    assert faults(exportTo=[".", "models"]) == [
        f'{PATH}.exportTo: found "." and "models", which are the same'
    ]
    assert faults(exportTo=[".", "others"]) == []


@pytest.mark.parametrize(
    ("headers", "fault"),
    [
        ({"request": {"set": {"Host": "a"}}}, "request.set.Host: the host is how a call finds its routes"),
        ({"response": {"remove": ["host"]}}, "response.remove[0]: the host"),
        ({"request": {"remove": ["a", "X-Turnout-Mirror"]}}, "request.remove[1]: this header is a mark"),
        (
            {"request": {"add": {"x-turnout-probe": "a"}}},
            "request.add.x-turnout-probe: this header is a mark",
        ),
        ({"response": {"set": {"App-Version": "a"}}}, "response.set.App-Version: this header is that of app"),
    ],
)
def test_headers_that_turnout_needs_are_refused(headers: dict[str, Any], fault: str) -> None:
    (found,) = faults(appVersionHeader="app-version", headers=headers)

    assert found.startswith(f"{PATH}.headers.{fault}")


def test_a_mark_in_a_response_is_nobodys() -> None:
    assert faults(headers={"response": {"set": {"x-turnout-mirror": "a"}}}) == []


@pytest.mark.parametrize(
    ("operations", "where"),
    [
        ({"set": {"X-Model-Version": "a"}}, "set.X-Model-Version"),
        ({"add": {"x-model-version": "a"}}, "add.x-model-version"),
        ({"remove": ["x-model-version"]}, "remove[0]"),
    ],
)
def test_headers_that_tell_versions_apart_are_refused(operations: dict[str, Any], where: str) -> None:
    """Envoy does what a route says after what a share of it says."""
    assert objections(SPLIT, headers={"request": operations}) == [
        f"{PATH}.headers.request.{where}: the routes set this header for each version"
    ]
    assert objections(SPLIT, headers={"response": operations}) == []


def test_response_headers_of_the_strategy_are_refused() -> None:
    cookie = (("Set-Cookie", "version=wisdom-1"),)
    of = plan(Rule("default", (Share(own("wisdom-0"), 1), Share(own("wisdom-1"), 1, cookie))))

    assert objections(of, headers={"response": {"remove": ["set-cookie"]}}) == [
        f"{PATH}.headers.response.remove[0]: the routes set this header for each version"
    ]


def test_a_policy_that_overwrites_a_versions_header_is_refused_when_it_is_applied() -> None:
    headers = {"request": {"set": {"mm-vmodel-id": "wisdom-0"}}}

    with pytest.raises(Refused, match=rf"{PATH}\.headers\.request\.set\.mm-vmodel-id: the routes set"):
        World(environment="kserve-modelmesh", config={"istio": {"headers": headers}}).ready("wisdom-0").ask()


DURATION = "expected a duration"
ALL = {"percentage": {"value": 100}}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        pytest.param({"timeout": 10}, ".timeout: found 10, expected a string", id="number"),
        pytest.param({"timeout": "10"}, f'.timeout: found "10": {DURATION} such as 500ms', id="no unit"),
        pytest.param({"timeout": "1d"}, f'.timeout: found "1d": {DURATION} such as 500ms', id="days"),
        pytest.param({"timeout": "-1s"}, f'.timeout: found "-1s": {DURATION} such as', id="negative"),
        pytest.param({"timeout": "0s"}, f'.timeout: found "0s": {DURATION} of 1ms or more', id="nothing"),
        pytest.param({"timeout": "1.5ms"}, f'.timeout: found "1.5ms": {DURATION} of 1ms', id="too precise"),
        pytest.param(
            {"timeout": "9999999h"},
            f'.timeout: found "9999999h": {DURATION} of at most 2562047h',
            id="longer than the CRD can hold",
        ),
        pytest.param({"retries": 3}, ".retries: found 3, expected an object", id="bare retries"),
        pytest.param(
            {"retries": {}}, ".retries.attempts: missing, expected an integer 0..2147483647", id="no attempts"
        ),
        pytest.param(
            {"retries": {"attempts": -1}},
            ".retries.attempts: found -1, expected an integer 0..2147483647",
            id="negative attempts",
        ),
        pytest.param(
            {"retries": {"atempts": 1, "attempts": 1}},
            '.retries: unknown field "atempts"; did you mean "attempts"?',
            id="misspelt",
        ),
        pytest.param(
            {"retries": {"attempts": 0, "retryOn": "5xx"}},
            '.retries: found {"attempts": 0, "retryOn": "5xx"}: expected attempts of 1 or more',
            id="retries that are none",
        ),
        pytest.param(
            {"retries": {"attempts": 1, "retryOn": "5xx, reset"}},
            '.retries.retryOn: found "5xx, reset": expected a list like "5xx,unavailable,503"',
            id="blank",
        ),
        pytest.param(
            {"retries": {"attempts": 1, "retryOn": "999"}},
            '.retries.retryOn: found "999": exp',
            id="no status",
        ),
        pytest.param(
            {"retries": {"attempts": 1, "perTryTimeout": "1"}},
            f'.retries.perTryTimeout: found "1": {DURATION}',
            id="try without unit",
        ),
        pytest.param({"fault": {}}, ".fault: found {}: expected abort, delay or both", id="no fault"),
        pytest.param(
            {"fault": {"abort": {"httpStatus": 503}}},
            ".fault.abort.percentage: missing, expected an object",
            id="no percentage",
        ),
        pytest.param(
            {"fault": {"abort": ALL}},
            '.fault.abort: found {"percentage": {"value": 100}}: expected one of httpStatus and grpcStatus',
            id="no status",
        ),
        pytest.param(
            {"fault": {"abort": {"httpStatus": 503, "grpcStatus": "INTERNAL", **ALL}}},
            '.fault.abort: found {"httpStatus": 503, "grpcStatus": "INTERNAL",',
            id="two statuses",
        ),
        pytest.param(
            {"fault": {"abort": {"httpStatus": 42, **ALL}}},
            ".fault.abort.httpStatus: found 42, expected an integer 200..599",
            id="no HTTP status",
        ),
        pytest.param(
            {"fault": {"abort": {"grpcStatus": "unavailable", **ALL}}},
            '.fault.abort.grpcStatus: found "unavailable", expected OK, CANCELLED',
            id="no gRPC status",
        ),
        pytest.param(
            {"fault": {"delay": {"fixedDelay": "1s", "percentage": {"value": 101}}}},
            ".fault.delay.percentage.value: found 101, expected a number 0..100",
            id="over 100",
        ),
        pytest.param(
            {"fault": {"delay": {"fixedDelay": "1s", "percentage": {"value": 0.00001}}}},
            ".fault.delay.percentage.value: found 1e-05: expected 0 or 0.0001..100",
            id="below the smallest step",
        ),
        pytest.param(
            {"fault": {"delay": {"fixedDelay": "1s", "percentage": 10}}},
            ".fault.delay.percentage: found 10, expected an object",
            id="bare percentage",
        ),
        pytest.param(
            {"corsPolicy": {}}, ".corsPolicy.allowOrigins: missing, expected a list", id="no origins"
        ),
        pytest.param(
            {"corsPolicy": {"allowOrigins": ["https://a"]}},
            '.corsPolicy.allowOrigins[0]: found "https://a", expected an object',
            id="bare origin",
        ),
        pytest.param(
            {"corsPolicy": {"allowOrigins": [{"exact": "a", "prefix": "b"}]}},
            '.corsPolicy.allowOrigins[0]: found {"exact": "a", "prefix": "b"}: expected one of exact',
            id="two ways",
        ),
        pytest.param(
            {"corsPolicy": {"allowOrigins": [{"exact": None}]}},
            '.corsPolicy.allowOrigins[0]: found {"exact": null}: expected one of exact',
            id="a null way",
        ),
        pytest.param(
            {"corsPolicy": {"allowOrigins": [{"regex": "(?=a)"}]}},
            '.corsPolicy.allowOrigins[0].regex: found "(?=a)": expected RE2 syntax, which has no "(?="',
            id="lookahead",
        ),
        pytest.param(
            {"corsPolicy": {"allowOrigins": [{"exact": "a"}], "allowMethods": ["get"]}},
            '.corsPolicy.allowMethods[0]: found "get", expected GET, HEAD',
            id="lower case",
        ),
        pytest.param(
            {"corsPolicy": {"allowOrigins": [{"exact": "a"}], "maxAge": "1500ms"}},
            '.corsPolicy.maxAge: found "1500ms": expected a duration of whole seconds',
            id="parts of seconds",
        ),
        pytest.param(
            {"headers": {"request": {"set": {"x y": "1"}}}},
            '.headers.request.set: found key "x y", expected a string of at most 128 characters that',
            id="header name",
        ),
        pytest.param(
            {"headers": {"request": {"set": {"x": "%REQ(a)%"}}}},
            '.headers.request.set.x: found "%REQ(a)%": expected 1 to 1024 characters',
            id="command",
        ),
        pytest.param(
            {"headers": {"response": {"add": {"x": "a\nb"}}}},
            '.headers.response.add.x: found "a\\nb": expected 1 to 1024 characters',
            id="line break",
        ),
        pytest.param(
            {"headers": {"response": {"set": {"x": ""}}}},
            '.headers.response.set.x: found "": exp',
            id="empty",
        ),
        pytest.param(
            {"headers": {"request": {"remove": "x"}}},
            '.headers.request.remove: found "x", expected a list',
            id="no list",
        ),
        pytest.param({"exportTo": "*"}, '.exportTo: found "*", expected a list', id="bare namespace"),
        pytest.param({"exportTo": ["~"]}, '.exportTo[0]: found "~", expected a string', id="nobody"),
        pytest.param(
            {"exportTo": ["*", "a"]},
            '.exportTo: found ["*", "a"]: expected each namespace once',
            id="all and",
        ),
        pytest.param(
            {"exportTo": ["a", "a"]}, '.exportTo: found ["a", "a"]: expected each namespace once', id="twice"
        ),
    ],
)
def test_a_wrong_value_is_named_once(options: dict[str, Any], message: str) -> None:
    with pytest.raises(Refused) as caught:
        World(config={"istio": options})

    (problem,) = caught.value.problems
    assert problem.startswith(f"{PATH}{message}")


@pytest.mark.parametrize("timeout", ["1ms", "0.001s", "1.5h", "1h2m3s4ms", "90m", "2562047h"])
def test_durations_are_written_as_they_are_said(timeout: str) -> None:
    assert http(SPLIT, timeout=timeout)[0]["timeout"] == timeout
