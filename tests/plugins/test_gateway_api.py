"""What Gateway API is told: parents, hosts, rules, filters; what it refuses; and what it answers."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from pydantic import ValidationError

from tests.decision.generating import JSON
from tests.decision.world import World
from turnout.decision.accept import Refused
from turnout.plugin import Backend, Frontend, Manifest, Match, Mirror, Role, RoutePlan, Rule, Share, Version
from turnout.reasons import Reason
from turnout.testing.builders import FRONTEND, plan, policy, spec, version
from turnout_gateway_api.options import GatewayApiOptions
from turnout_gateway_api.router import GatewayApi

ROUTER = GatewayApi()
HTTP = Frontend("http", "models", ("wisdom.example.com",), 80, "http")
PLAN = plan({"wisdom-0": 100})


def render(of: RoutePlan, **options: Any) -> list[Manifest]:
    return list(ROUTER.render(of, GatewayApiOptions.model_validate(options)))


def spec_of(of: RoutePlan, kind: str = "GRPCRoute", **options: Any) -> Mapping[str, Any]:
    found: Mapping[str, Any]
    found = next(one.body["spec"] for one in render(of, **options) if one.kind.kind == kind)
    return found


def rules(of: RoutePlan, kind: str = "GRPCRoute", **options: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = spec_of(of, kind, **options)["rules"]
    return found


def objections(of: RoutePlan) -> list[str]:
    return list(ROUTER.objections(of, GatewayApiOptions()))


def own(name: str, **fields: Any) -> Version:
    """A version with a Service of its own, for both frontends."""
    reached = Backend(name, "models", 8080, **fields)
    return version(name, backends={FRONTEND.name: reached, HTTP.name: reached})


def over_http(*shares: Share, matches: tuple[Match, ...] = (), mirrors: tuple[Mirror, ...] = ()) -> RoutePlan:
    """A plan of one rule for HTTP, and behind it, where it has matches, one for the rest."""
    default = [Rule("default", (Share(own("wisdom-0"), 1),))] if matches else []
    of = plan(Rule("one", shares or (Share(own("wisdom-0"), 1),), matches, mirrors), *default)
    return replace(of, frontends=(HTTP,))


def over_grpc(*matches: Match) -> RoutePlan:
    return replace(over_http(matches=matches), frontends=(FRONTEND,))


def ref(name: str = "model-server", port: int = 8033, weight: int = 1, **fields: Any) -> dict[str, Any]:
    return {"group": "", "kind": "Service", "name": name, "port": port, "weight": weight, **fields}


def setting(value: str, name: str = "x-model-version", which: str = "Request") -> dict[str, Any]:
    modifier = {"set": [{"name": name, "value": value}]}
    return {"type": f"{which}HeaderModifier", f"{which.lower()}HeaderModifier": modifier}


def test_a_policy_has_a_gateway_and_a_route() -> None:
    assert [(f"{one.kind.kind} {one.name}", one.role) for one in render(PLAN)] == [
        ("Gateway model-gateway", Role.SHARED),
        ("GRPCRoute wisdom", Role.ROUTE),
    ]


def test_a_gateway_serves_the_models_of_its_namespace() -> None:
    made = spec_of(PLAN, "Gateway", gatewayClassName="eg", gatewayPort=8080)

    listener = {"name": "http", "port": 8080, "protocol": "HTTP"}
    assert made == {
        "gatewayClassName": "eg",
        "listeners": [{**listener, "allowedRoutes": {"namespaces": {"from": "Same"}}}],
    }


def test_a_gateway_can_be_served_by_proxies_that_are_there() -> None:
    made = spec_of(PLAN, "Gateway", gatewayAddresses=["inbound.edge.svc.cluster.local"])

    assert made["addresses"] == [{"type": "Hostname", "value": "inbound.edge.svc.cluster.local"}]


@pytest.mark.parametrize(
    ("options", "namespaces"),
    [
        ({}, []),
        (
            {"gatewayAddresses": ["a.edge.svc.cluster.local", "b.edge.svc", "c.models.svc"]},
            ["edge", "models"],
        ),
        ({"gatewayAddresses": ["proxies", "proxies.example.com", "svc.example.svc.com"]}, ["example"]),
        ({"gateway": "edge/public"}, []),
    ],
)
def test_proxies_of_a_namespace_are_named_and_a_gateway_says_itself_who_may_use_it(
    options: Any, namespaces: list[str]
) -> None:
    expected = [("gatewayAddresses", namespace) for namespace in namespaces]
    assert list(ROUTER.reaches(GatewayApiOptions.model_validate(options))) == expected


def test_a_gateway_of_another_namespace_is_used_and_not_written() -> None:
    options = {"gateway": "edge/public", "sectionName": "https"}

    assert [one.kind.kind for one in render(PLAN, **options)] == ["GRPCRoute"]
    parent = {"group": "gateway.networking.k8s.io", "kind": "Gateway", "name": "public", "namespace": "edge"}
    assert spec_of(PLAN, **options)["parentRefs"] == [{**parent, "sectionName": "https"}]


@pytest.mark.parametrize("gateway", ["a/b/c", "/a", "a/", "Public", ""])
def test_what_is_no_gateways_name_is_refused(gateway: str) -> None:
    with pytest.raises(ValidationError):
        GatewayApiOptions(gateway=gateway)


def test_each_share_sets_the_headers_of_its_version() -> None:
    of = plan({"wisdom-0": 20, "wisdom-1": 80})

    assert spec_of(of)["hostnames"] == ["wisdom.models"]
    assert rules(of) == [
        {
            "backendRefs": [
                ref(weight=20, filters=[setting("wisdom-0")]),
                ref(weight=80, filters=[setting("wisdom-1")]),
            ]
        }
    ]


def test_one_version_alone_has_the_same_weight_whatever_the_strategy_gives_it() -> None:
    assert (
        rules(PLAN) == rules(plan({"wisdom-0": 7})) == [{"backendRefs": [ref(filters=[setting("wisdom-0")])]}]
    )


def test_a_frontend_of_http_has_an_http_route() -> None:
    of = over_http()

    assert [one.kind.kind for one in render(of)] == ["Gateway", "HTTPRoute"]
    every = {"path": {"type": "PathPrefix", "value": "/"}}
    assert rules(of, "HTTPRoute") == [{"matches": [every], "backendRefs": [ref("wisdom-0", 8080)]}]


def test_each_frontend_has_a_route_of_its_own() -> None:
    of = replace(over_http(), frontends=(FRONTEND, HTTP))

    routes = [f"{one.kind.kind} {one.name}" for one in render(of) if one.role is Role.ROUTE]
    assert routes == ["GRPCRoute wisdom", "HTTPRoute wisdom-http"]


def test_a_service_of_another_namespace_is_named_with_it() -> None:
    of = over_http(Share(version("wisdom-0", backends={"http": Backend("a", "others", 80)}), 1))

    assert rules(of, "HTTPRoute")[0]["backendRefs"] == [ref("a", 80, namespace="others")]


def test_an_authority_is_rewritten_for_the_whole_rule() -> None:
    both = (Share(own("a", authority="m.example"), 1), Share(own("b", authority="m.example"), 2))

    rewrite = {"type": "URLRewrite", "urlRewrite": {"hostname": "m.example"}}
    assert rules(over_http(*both), "HTTPRoute")[0]["filters"] == [rewrite]


@pytest.mark.parametrize(
    ("percentage", "said"),
    [
        (100.0, {}),
        (30.0, {"percent": 30}),
        (1.5, {"fraction": {"numerator": 15_000, "denominator": 1_000_000}}),
        (0.00001, {"fraction": {"numerator": 1, "denominator": 1_000_000}}),
    ],
)
def test_a_copy_has_its_percentage(percentage: float, said: dict[str, Any]) -> None:
    of = over_http(mirrors=(Mirror(own("wisdom-1"), percentage), Mirror(own("wisdom-2"))))

    backend_ref = {"group": "", "kind": "Service", "name": "wisdom-1", "port": 8080}
    first, second = rules(of, "HTTPRoute")[0]["filters"]
    assert first == {"type": "RequestMirror", "requestMirror": {"backendRef": backend_ref, **said}}
    assert second["requestMirror"]["backendRef"]["name"] == "wisdom-2"


@pytest.mark.parametrize(
    ("app_version", "told"),
    [("v1", [setting("v1", "app-version", "Response")]), (None, []), ("100%REQ(:path)%", [])],
)
def test_clients_are_told_the_app_version_where_it_may_stand_in_a_header(
    app_version: str | None, told: list[dict[str, Any]]
) -> None:
    of = over_http(Share(replace(own("wisdom-0"), app_version=app_version), 1))

    (found,) = rules(of, "HTTPRoute", appVersionHeader="app-version")[0]["backendRefs"]
    assert found.get("filters", []) == told
    assert rules(of, "HTTPRoute")[0]["backendRefs"] == [ref("wisdom-0", 8080)]


def test_response_headers_are_set_for_a_share_alone() -> None:
    shares = (Share(own("a"), 1, (("set-cookie", "v=a"),)), Share(own("b"), 1))

    first, second = rules(over_http(*shares), "HTTPRoute")[0]["backendRefs"]
    assert first["filters"] == [setting("v=a", "set-cookie", "Response")]
    assert "filters" not in second


@pytest.mark.parametrize(
    ("match", "said"),
    [
        (Match(method="POST"), {"method": "POST"}),
        (Match(path=("exact", "/v1")), {"path": {"type": "Exact", "value": "/v1"}}),
        (Match(path=("prefix", "/v1/")), {"path": {"type": "PathPrefix", "value": "/v1"}}),
        (
            Match((("User", "exact", "ann"),)),
            {"headers": [{"type": "Exact", "name": "user", "value": "ann"}]},
        ),
        (
            Match((("user", "prefix", "a.b"),)),
            {"headers": [{"type": "RegularExpression", "name": "user", "value": r"^a\.b.*$"}]},
        ),
        (
            Match((("user", "regex", "a|b"),)),
            {"headers": [{"type": "RegularExpression", "name": "user", "value": "^(?:a|b)$"}]},
        ),
        (
            Match(query=(("Beta", "exact", "1"),)),
            {"queryParams": [{"type": "Exact", "name": "Beta", "value": "1"}]},
        ),
    ],
    ids=["method", "path", "path prefix", "header", "header prefix", "header regex", "query"],
)
def test_an_http_match_says(match: Match, said: dict[str, Any]) -> None:
    every = {"path": {"type": "PathPrefix", "value": "/"}}
    assert rules(over_http(matches=(match,)), "HTTPRoute")[0]["matches"] == [every | said]


@pytest.mark.parametrize(
    ("match", "said"),
    [
        (Match(path=("exact", "/a.B/C")), {"method": {"type": "Exact", "service": "a.B", "method": "C"}}),
        (Match(path=("prefix", "/a.B/")), {"method": {"type": "Exact", "service": "a.B"}}),
        (Match(path=("prefix", "/")), {}),
        (
            Match((("traffic", "exact", "test"),)),
            {"headers": [{"type": "Exact", "name": "traffic", "value": "test"}]},
        ),
    ],
    ids=["method", "service", "everything", "header"],
)
def test_a_grpc_match_says(match: Match, said: dict[str, Any]) -> None:
    first, default = rules(over_grpc(match))
    assert first["matches"] == [said]
    assert "matches" not in default


@pytest.mark.parametrize(
    ("of", "told"),
    [
        (over_grpc(Match(method="POST")), "GRPCRoute has no HTTP methods, found POST"),
        (over_grpc(Match(query=(("a", "exact", "1"),))), "GRPCRoute has no query parameters, found a"),
        (
            over_grpc(Match(path=("exact", "/a/b/c"))),
            "found the path exact /a/b/c, expected what GRPCRoute has: /service/method, exact, or the prefix /service/",
        ),
        (
            over_http(matches=(Match(path=("prefix", "/v1")),)),
            "found the path prefix /v1, expected one that ends with /, as HTTPRoute compares whole elements",
        ),
        (
            over_http(matches=(Match(path=("exact", "/a//b")),)),
            "found the path /a//b, which HTTPRoute does not take",
        ),
        (over_http(matches=(Match(method="PURGE"),)), "HTTPRoute has no method PURGE"),
        (
            over_http(matches=(Match((("a", "exact", "1"), ("A", "prefix", "1"))),)),
            "header a is compared twice, and Gateway API would ignore the second",
        ),
        (
            over_http(matches=(Match(query=(("a", "regex", "x" * 1024),)),)),
            "query parameter a is compared with 1030 characters, expected 1 to 1024",
        ),
        (
            over_http(matches=(Match(tuple((f"h{n}", "exact", "1") for n in range(17))),)),
            "more than 16 headers are compared in one match",
        ),
        (
            over_http(Share(own("wisdom-0", kind="ServiceEntry"), 1)),
            "version wisdom-0 is reached at a ServiceEntry, expected a Service",
        ),
        (
            over_http(Share(own("wisdom-0", authority="a.example:80"), 1)),
            "version wisdom-0 is reached by the authority a.example:80, expected a DNS name without a port",
        ),
        (
            replace(over_http(Share(own("wisdom-0", authority="a.example"), 1)), frontends=(FRONTEND,)),
            "version wisdom-0 is reached by an authority of its own, which GRPCRoute cannot set",
        ),
        (
            over_http(
                Share(own("wisdom-0", set_headers=(("a", "1"),)), 1), mirrors=(Mirror(own("wisdom-1")),)
            ),
            "copies of its calls would carry the headers of version wisdom-0: a",
        ),
        (
            replace(over_http(), frontends=(HTTP, replace(FRONTEND, hosts=HTTP.hosts))),
            f"frontends http and inference share the host {HTTP.hosts[0]}; of two routes with one host a Gateway serves the older alone",
        ),
        (
            replace(over_http(), frontends=(replace(HTTP, hosts=("wisdom.example.com:80",)),)),
            "frontend http has the host wisdom.example.com:80, expected a DNS name without a port",
        ),
        (
            replace(over_http(), frontends=(replace(HTTP, hosts=tuple(f"h{n}.example" for n in range(17))),)),
            "a route has room for 16 hosts, found 17 of frontend http",
        ),
        (
            plan(*(Rule(f"r{n}", PLAN.rules[0].shares) for n in range(17))),
            "a route has room for 16 rules, found 17",
        ),
    ],
)
def test_what_cannot_be_said_is_told(of: RoutePlan, told: str) -> None:
    assert objections(of) == [told]


def test_rules_that_together_compare_too_many_headers_are_told() -> None:
    """Each by itself has room; what they have in common has not."""
    first = Match(tuple((f"a{n}", "exact", "1") for n in range(8)))
    second = Match(tuple((f"b{n}", "exact", "1") for n in range(9)))
    shares = PLAN.rules[0].shares
    of = plan(Rule("one", shares, (first,)), Rule("two", shares, (second,)), Rule("default", shares))

    assert objections(of) == ["more than 16 headers are compared in one match"]


def test_a_plan_that_can_be_said_meets_no_objection() -> None:
    assert objections(PLAN) == objections(over_http(matches=(Match(path=("prefix", "/v1/")),))) == []


@pytest.mark.parametrize(
    ("strategy", "matches", "told"),
    [
        ("mirror", (), "gateway-api cannot carry mirror-headers, .* routers that can: envoy, istio"),
        ("canary", (Match(path=("regex", "/.*")),), "gateway-api cannot carry path-regex"),
        ("canary", (Match(method="POST"),), "gateway-api cannot carry this: GRPCRoute has no HTTP methods"),
    ],
)
def test_a_policy_is_refused_before_any_version_is_ready(
    strategy: str, matches: tuple[Match, ...], told: str
) -> None:
    of = policy("wisdom-0", spec("wisdom-1", None, *matches))

    with pytest.raises(Refused, match=told) as caught:
        World(strategy, of, router="gateway-api").ask()
    assert caught.value.reason is Reason.UNSUPPORTED


# what a route's status says


def condition(kind: str, status: str, generation: int | None = 2, **fields: str) -> dict[str, Any]:
    observed = {} if generation is None else {"observedGeneration": generation}
    return {"type": kind, "status": status, "reason": "Because", "message": "of that", **observed, **fields}


def parent(*conditions: Any, name: str = "public") -> dict[str, Any]:
    return {
        "parentRef": {"name": name, "namespace": "edge"},
        "controllerName": "example.com/gateways",
        "conditions": list(conditions),
    }


def route(*parents: Any, generation: int = 2) -> dict[str, Any]:
    return {"metadata": {"generation": generation}, "status": {"parents": list(parents)}}


FINE = (condition("Accepted", "True"), condition("ResolvedRefs", "True"))
TOLD = "example.com/gateways says that it is not {} at Gateway edge/public: Because: of that"


@pytest.mark.parametrize(
    ("of", "told"),
    [
        pytest.param({"metadata": {"generation": 2}}, None, id="no status"),
        pytest.param(route(), None, id="no controller yet"),
        pytest.param(route(parent(*FINE)), None, id="accepted"),
        pytest.param(route(parent(condition("Accepted", "Unknown"))), None, id="unknown"),
        pytest.param(route(parent(condition("Accepted", "False"))), TOLD.format("Accepted"), id="refused"),
        pytest.param(
            route(parent(FINE[0], condition("ResolvedRefs", "False"))),
            TOLD.format("ResolvedRefs"),
            id="references",
        ),
        pytest.param(route(parent(condition("Accepted", "False", 1))), None, id="of an older generation"),
        pytest.param(
            route(parent(condition("Accepted", "False", None))), TOLD.format("Accepted"), id="no generation"
        ),
        pytest.param(
            route(parent(*FINE, name="other"), parent(condition("Accepted", "False"))),
            TOLD.format("Accepted"),
            id="one of two",
        ),
        pytest.param(
            route(parent(*FINE, condition("PartiallyInvalid", "True"))),
            "example.com/gateways says that it is PartiallyInvalid at Gateway edge/public: Because: of that",
            id="in part",
        ),
        pytest.param(
            route(parent(condition("Accepted", "False", message=""))),
            "example.com/gateways says that it is not Accepted at Gateway edge/public: Because",
            id="no message",
        ),
    ],
)
def test_a_controllers_refusal_is_told(of: dict[str, Any], told: str | None) -> None:
    assert ROUTER.refusal(of) == told


PENDING = "no controller has said yet whether it takes this generation"


@pytest.mark.parametrize(
    ("of", "told"),
    [
        pytest.param({"metadata": {"generation": 2}}, PENDING, id="no status"),
        pytest.param(route(), PENDING, id="no controller"),
        pytest.param(route(parent(condition("Accepted", "Unknown"))), PENDING, id="unknown"),
        pytest.param(route(parent(condition("Accepted", "True", 1))), PENDING, id="an older generation"),
        pytest.param(
            {"spec": {"parentRefs": [{"namespace": "edge", "name": "public"}]}},
            f"{PENDING} at Gateway edge/public",
            id="with the Gateway's name",
        ),
        pytest.param(route(parent(*FINE)), None, id="accepted"),
        pytest.param(route(parent(condition("Accepted", "False"))), None, id="refused"),
        pytest.param(route(parent(condition("Accepted", "True", None))), None, id="no generation"),
        pytest.param(route(parent(), parent(*FINE)), None, id="one of two"),
        pytest.param({"kind": "Gateway"}, None, id="a Gateway"),
    ],
)
def test_a_route_is_pending_until_a_controller_has_judged_it(of: dict[str, Any], told: str | None) -> None:
    assert ROUTER.pending(of) == told


@given(JSON, JSON, JSON)
def test_no_status_is_too_odd(whole: Any, one: Any, conditions: Any) -> None:
    for status in (whole, {"parents": whole}, {"parents": [one]}, {"parents": [{"conditions": conditions}]}):
        assert ROUTER.refusal({"metadata": whole, "status": status}) is None
        assert ROUTER.pending({"spec": {"parentRefs": [one]}, "metadata": whole, "status": status})


def test_odd_words_about_a_refusal_are_told_as_far_as_they_go() -> None:
    odd = {"parentRef": 7, "conditions": [{"type": "Accepted", "status": "False", "reason": ["x"]}]}

    assert ROUTER.refusal(route(odd)) == "a controller says that it is not Accepted"


@pytest.mark.parametrize(
    ("status", "told"),
    [
        (None, None),
        ("True", None),
        ("Unknown", "it is not yet Programmed: AddressNotAssigned: no proxies yet"),
        ("False", "it is not Programmed: AddressNotAssigned: no proxies yet"),
    ],
)
def test_a_gateway_that_is_not_up_is_pending(status: str | None, told: str | None) -> None:
    """One of which nobody says anything may be up."""
    said = {
        "type": "Programmed",
        "status": status,
        "reason": "AddressNotAssigned",
        "message": "no proxies yet",
    }
    of = {
        "kind": "Gateway",
        "metadata": {"generation": 2},
        "status": {"conditions": [said] if status else []},
    }
    assert ROUTER.pending(of) == told
    said["observedGeneration"] = 1  # type: ignore[assignment]
    assert ROUTER.pending(of) is None
