"""What Istio is told: hosts, destinations, headers, mirrors; and what it answers."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given

from tests.decision.generating import JSON
from tests.decision.world import World
from turnout.decision.accept import Refused
from turnout.plugin import (
    Backend,
    Frontend,
    Manifest,
    Match,
    Mirror,
    Policy,
    Role,
    RoutePlan,
    Rule,
    Share,
    Version,
)
from turnout.testing.builders import FRONTEND, backend, plan, policy, spec, version
from turnout_istio.mirror import chain, mark
from turnout_istio.options import IstioOptions
from turnout_istio.router import Istio

ROUTER = Istio()
HTTP = Frontend("http", "models", ("wisdom.example.com",), 80, "http", virtual=False)
POST = Match(method="POST")


def render(of: RoutePlan, **options: Any) -> list[Manifest]:
    return list(ROUTER.render(of, IstioOptions.model_validate(options)))


def named(of: RoutePlan, **options: Any) -> list[str]:
    return [f"{manifest.kind.kind} {manifest.name}" for manifest in render(of, **options)]


def spec_of(manifests: list[Manifest], kind: str = "VirtualService") -> Mapping[str, Any]:
    found: Mapping[str, Any] = next(one.body["spec"] for one in manifests if one.kind.kind == kind)
    return found


def http(of: RoutePlan, **options: Any) -> list[dict[str, Any]]:
    """The rules of the first VirtualService."""
    found: list[dict[str, Any]] = spec_of(render(of, **options))["http"]
    return found


def headers(entry: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The request headers that each destination of an entry sets."""
    return [route["headers"]["request"]["set"] for route in entry["route"]]


def own(name: str, **fields: Any) -> Version:
    """A version with a Service of its own: no header tells it apart."""
    return version(name, backends={FRONTEND.name: Backend(name, "models", 8080, **fields)})


PLAN = plan({"wisdom-0": 100})


def test_a_policy_has_a_gateway_an_entry_and_a_route() -> None:
    assert [(f"{one.kind.kind} {one.name}", one.role) for one in render(PLAN)] == [
        ("Gateway mm-gateway", Role.SHARED),
        ("ServiceEntry wisdom", Role.SUPPORT),
        ("VirtualService wisdom", Role.ROUTE),
    ]


def test_a_gateway_of_another_namespace_is_used_and_not_written() -> None:
    options = {"externalGateway": "istio-ingress/public"}

    assert named(PLAN, **options) == ["ServiceEntry wisdom", "VirtualService wisdom"]
    assert spec_of(render(PLAN, **options))["gateways"] == ["istio-ingress/public", "mesh"]


def test_no_entry_is_written_where_a_service_has_the_name() -> None:
    reached = version("wisdom-0", backends={"http": backend("wisdom-0")})
    of = plan(Rule("default", (Share(reached, 1),)), frontends=(HTTP,))

    assert named(of)[1:] == ["VirtualService wisdom"]


def test_an_entry_selects_no_pods_where_the_environment_names_none() -> None:
    assert "workloadSelector" not in spec_of(render(PLAN), "ServiceEntry")


def test_each_frontend_has_a_route_of_its_own() -> None:
    both = version("wisdom-0", backends={"inference": backend("a"), "http": Backend("b", "models", 80)})
    of = plan(Rule("default", (Share(both, 1),)), frontends=(FRONTEND, HTTP))

    assert named(of)[1:] == ["ServiceEntry wisdom", "VirtualService wisdom", "VirtualService wisdom-http"]
    first, second = (one.body["spec"] for one in render(of) if one.kind.kind == "VirtualService")
    assert (first["hosts"], second["hosts"]) == (["wisdom.models"], ["wisdom.example.com"])
    assert second["http"] == [
        {"route": [{"destination": {"host": "b.models.svc.cluster.local", "port": {"number": 80}}}]}
    ]


def test_a_services_full_name_has_the_clusters_domain() -> None:
    of = plan({"wisdom-0": 1}, policy=policy(cluster_domain="cluster.test"))

    assert http(of)[0]["route"][0]["destination"]["host"] == "model-server.models.svc.cluster.test"


def test_what_is_no_service_goes_by_the_host_it_was_given() -> None:
    of = plan(Rule("default", (Share(own("models.example.com", kind="ServiceEntry"), 1),)))

    assert http(of)[0]["route"] == [{"destination": {"host": "models.example.com", "port": {"number": 8080}}}]


def test_an_authority_is_set_through_the_header_host() -> None:
    of = plan(Rule("default", (Share(own("a", authority="a.example.com"), 1),)))

    assert headers(http(of)[0]) == [{"Host": "a.example.com"}]


@pytest.mark.parametrize(
    ("app_version", "told"),
    [("v1", {"app-version": "v1"}), (None, None), ("100%REQ(:path)%", None), ("v1\n", None)],
)
def test_clients_are_told_the_app_version_where_it_may_stand_in_a_header(
    app_version: str | None, told: dict[str, str] | None
) -> None:
    first, second = replace(version("wisdom-0"), app_version=app_version), version("wisdom-1")
    of = RoutePlan(policy(), (FRONTEND,), (Rule("default", (Share(first, 20), Share(second, 80))),))

    routes = http(of, appVersionHeader="app-version")[0]["route"]
    assert routes[0]["headers"].get("response") == ({"set": told} if told else None)
    assert "response" not in http(of)[0]["route"][0]["headers"]


def test_response_headers_are_set_for_a_share_alone() -> None:
    cookie = (("set-cookie", "version=wisdom-1"),)
    of = plan(Rule("default", (Share(own("wisdom-0"), 1), Share(own("wisdom-1"), 1, cookie))))

    first, second = http(of)[0]["route"]

    assert "headers" not in first
    assert second["headers"] == {"response": {"set": {"set-cookie": "version=wisdom-1"}}}


@pytest.mark.parametrize(
    ("match", "said"),
    [
        pytest.param(Match((("X-A", "exact", "1"),)), {"headers": {"x-a": {"exact": "1"}}}, id="header"),
        pytest.param(Match((("a", "prefix", "1"),)), {"headers": {"a": {"prefix": "1"}}}, id="header prefix"),
        pytest.param(Match((("a", "regex", "1+"),)), {"headers": {"a": {"regex": "1+"}}}, id="header regex"),
        pytest.param(Match(query=(("A", "exact", "1"),)), {"queryParams": {"A": {"exact": "1"}}}, id="query"),
        pytest.param(Match(path=("prefix", "/v2")), {"uri": {"prefix": "/v2"}}, id="path"),
        pytest.param(POST, {"method": {"exact": "POST"}}, id="method"),
        pytest.param(
            Match((("a", "exact", "1"),), path=("exact", "/"), method="GET"),
            {"headers": {"a": {"exact": "1"}}, "uri": {"exact": "/"}, "method": {"exact": "GET"}},
            id="all of it",
        ),
    ],
)
def test_matches_in_istios_words(match: Match, said: Mapping[str, Any]) -> None:
    of = plan(Rule("one", (Share(version("wisdom-1"), 1),), (match, POST)), {"wisdom-0": 1})

    assert http(of)[0]["match"] == [said, {"method": {"exact": "POST"}}]


def mirroring(*percentages: float, shares: tuple[Share, ...] = (), made: Any = version) -> Rule:
    """The primary's rule, with copies to wisdom-1 and so on."""
    mirrors = tuple(Mirror(made(f"wisdom-{n}"), one) for n, one in enumerate(percentages, 1))
    return Rule("default", shares or (Share(made("wisdom-0"), 1),), mirrors=mirrors)


def test_versions_with_services_of_their_own_are_mirrored_plainly() -> None:
    (entry,) = http(plan(mirroring(30, 100, made=own)))

    assert entry["mirrors"] == [
        {
            "destination": {"host": f"wisdom-{n}.models.svc.cluster.local", "port": {"number": 8080}},
            "percentage": {"value": percentage},
        }
        for n, percentage in ((1, 30.0), (2, 100.0))
    ]
    assert "headers" not in entry["route"][0]


def test_a_copy_that_needs_a_header_goes_through_the_gateway_with_a_mark() -> None:
    of = plan(mirroring(30))
    secret = mark(of.policy, "wisdom-1")

    marked, primary = http(of)

    assert marked["match"] == [{"headers": {"x-turnout-mirror": {"exact": secret}}}]
    assert marked["route"][0]["headers"]["request"] == {
        "set": {"x-model-version": "wisdom-1"},
        "remove": ["x-turnout-mirror"],
    }
    assert "mirror" not in marked
    assert headers(primary) == [{"x-model-version": "wisdom-0", "x-turnout-mirror": secret}]
    assert primary["mirror"] == {
        "host": "istio-ingressgateway.istio-system.svc.cluster.local",
        "port": {"number": 80},
    }
    assert primary["mirrorPercentage"] == {"value": 30.0}


def test_every_share_of_a_mirrored_rule_marks_its_requests() -> None:
    shares = (Share(version("wisdom-0"), 1), Share(version("wisdom-3"), 2))

    primary = http(plan(mirroring(100, shares=shares)))[-1]

    assert [one["x-turnout-mirror"] for one in headers(primary)] == [mark(policy(), "wisdom-1")] * 2


def test_the_gateway_that_copies_go_through_is_the_options() -> None:
    options = {"gatewayPort": 8080, "ingressHost": "ingress.edge.svc.cluster.local"}

    primary = http(plan(mirroring(100)), **options)[-1]

    assert primary["mirror"] == {"host": "ingress.edge.svc.cluster.local", "port": {"number": 8080}}


def test_each_later_copy_is_a_part_of_the_copies_before_it() -> None:
    """20% of all calls are 40% of the half that came by; the largest comes first."""
    hops = chain(policy(), mirroring(20, 50, 10).mirrors)

    assert [(hop.mirror.version.name, hop.percentage) for hop in hops] == [
        ("wisdom-2", 50),
        ("wisdom-1", 40),
        ("wisdom-3", 50),
    ]


def followed(entries: list[dict[str, Any]]) -> dict[str, float]:
    """The percentage of all calls that reaches each version, by following the marks as proxies do."""
    by_mark = {
        entry["match"][0]["headers"]["x-turnout-mirror"]["exact"]: entry
        for entry in entries
        if "x-turnout-mirror" in str(entry.get("match"))
    }
    entry, part, reached = entries[-1], 1.0, {}
    while True:
        said = entry["route"][0]["headers"]["request"]
        reached[said["set"]["x-model-version"]] = round(100 * part, 2)
        if "mirror" not in entry:
            assert entry is entries[-1] or said["remove"] == ["x-turnout-mirror"]
            return reached
        part *= entry["mirrorPercentage"]["value"] / 100
        entry = by_mark[said["set"]["x-turnout-mirror"]]


@pytest.mark.parametrize(
    "percentages",
    [(100,), (100, 100, 100), (20, 50, 10), (0.1, 99.9), (33.3, 33.3, 1)],
    ids=["one", "all of it", "parts", "extremes", "odd parts"],
)
def test_along_the_chain_each_version_gets_its_percentage(percentages: tuple[float, ...]) -> None:
    reached = followed(http(plan(mirroring(*percentages))))

    assert reached == {
        "wisdom-0": 100,
        **{f"wisdom-{n}": pytest.approx(one, abs=0.01) for n, one in enumerate(percentages, 1)},
    }


def test_marked_rules_come_before_all_others() -> None:
    """A copy must not meet a rule for the calls themselves, whatever it matches besides."""
    matched = Rule("post", (Share(version("wisdom-1"), 1),), (POST,), (Mirror(version("wisdom-2")),))

    entries = http(plan(matched, mirroring(100)))

    assert ["x-turnout-mirror" in str(entry.get("match")) for entry in entries] == [True, True, False, False]


def test_copies_of_each_rules_calls_go_ways_of_their_own() -> None:
    """Both rules mirror to wisdom-1, and only the second on to wisdom-2."""
    matched = Rule("post", (Share(version("wisdom-3"), 1),), (POST,), (Mirror(version("wisdom-1")),))

    entries = http(plan(matched, mirroring(100, 100)))

    marks = [entry["match"][0]["headers"]["x-turnout-mirror"]["exact"] for entry in entries[:3]]
    assert len(set(marks)) == 3
    assert ["mirror" in entry for entry in entries] == [False, True, False, True, True]
    assert headers(entries[3])[0]["x-turnout-mirror"] == marks[0]
    assert headers(entries[4])[0]["x-turnout-mirror"] == marks[1]


def test_a_mark_stays_the_same_and_nobody_can_guess_it() -> None:
    one = mark(policy(uid="a"), "wisdom-1")

    assert one == mark(policy(uid="a"), "wisdom-1")
    others = {
        mark(policy(uid="b"), "wisdom-1"),
        mark(policy(uid="a"), "wisdom-2"),
        mark(policy(uid="a"), "wisdom-1", 1),
    }
    assert one not in others
    assert len(one) == 32


def test_mirroring_adds_no_host_names() -> None:
    """Another name could be that of somebody else's model."""
    assert spec_of(render(plan(mirroring(100, 100))))["hosts"] == ["wisdom.models"]


def matching(match: Match) -> Policy:
    """A policy whose candidate has one match."""
    return policy(spec("wisdom-0"), spec("wisdom-1", None, match))


def test_a_header_that_istio_ignores_is_refused() -> None:
    """A match of it alone would match every call."""
    (fault,) = Istio().check(matching(Match(headers=(("Authority", "exact", "a"),))), IstioOptions())
    assert str(fault) == (
        "spec.modelVersions[1].match[0].headers.Authority: "
        "Istio ignores a header of this name; use path or method"
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        pytest.param(
            {"externalGateway": "a/b/c"}, 'externalGateway: found "a/b/c", expected a string', id="path"
        ),
        pytest.param({"externalGateway": "My_GW"}, 'externalGateway: found "My_GW", expected', id="gateway"),
        pytest.param({"gatewayPort": 0}, "gatewayPort: found 0, expected an integer 1..65535", id="port"),
        pytest.param(
            {"gatewaySelector": {}},
            "gatewaySelector: found {}, expected an object of at least 1 key",
            id="selector of nothing",
        ),
        pytest.param(
            {"gatewaySelector": {"istio": 1}},
            "gatewaySelector.istio: found 1, expected a string",
            id="selector that is no label",
        ),
        pytest.param(
            {"gatewaySelector": {"istio": "a gateway"}},
            'gatewaySelector.istio: found "a gateway", expected a string of at most 63 characters',
            id="selector with no label's value",
        ),
        pytest.param(
            {"gatewaySelector": {"istio": "a" * 64}},
            'gatewaySelector.istio: found "aaa',
            id="selector with a long value",
        ),
        pytest.param(
            {"gatewaySelector": {"is tio": "a"}},
            'gatewaySelector: found key "is tio", expected a string of at most 317 characters',
            id="selector with no label's name",
        ),
        pytest.param(
            {"gatewaySelector": {"Istio.IO/a": "a"}},
            'gatewaySelector: found key "Istio.IO/a", expected a string',
            id="selector whose prefix is no DNS name",
        ),
        pytest.param(
            {"ingressHost": "ingress:80"},
            'ingressHost: found "ingress:80", expected a string',
            id="host with port",
        ),
        pytest.param(
            {"gateway": "x"}, ': unknown field "gateway"; did you mean "gatewayPort"?', id="misspelt"
        ),
    ],
)
def test_options_that_are_wrong_are_named(options: dict[str, Any], message: str) -> None:
    with pytest.raises(Refused) as caught:
        World(config={"istio": options})

    path = "spec.config.istio"
    assert str(caught.value).startswith(f"{path}{message if message.startswith(':') else f'.{message}'}")


@pytest.mark.parametrize(
    "selector",
    [
        {"istio": ""},
        {"app": "Inbound_1.x"},
        {"gateway.networking.k8s.io/gateway-name": "a" * 63},
        {"A_b.c": "0"},
    ],
)
def test_a_gateway_selects_by_any_labels(selector: dict[str, str]) -> None:
    assert spec_of(render(PLAN, gatewaySelector=selector), "Gateway")["selector"] == selector


ERROR = {"level": "ERROR", "type": {"code": "IST0101"}, "documentationUrl": "https://istio.io/IST0101"}


@pytest.mark.parametrize(
    ("status", "told"),
    [
        pytest.param(None, None, id="null"),
        pytest.param({}, None, id="empty"),
        pytest.param("failed", None, id="text"),
        pytest.param({"validationMessages": None}, None, id="null messages"),
        pytest.param({"validationMessages": {"level": "ERROR"}}, None, id="messages that are no list"),
        pytest.param({"validationMessages": ["ERROR"]}, None, id="messages that are text"),
        pytest.param({"validationMessages": [{**ERROR, "level": "WARNING"}]}, None, id="a warning"),
        pytest.param(
            {"validationMessages": [{**ERROR, "level": ["ERROR"]}]}, None, id="a level of another type"
        ),
        pytest.param(
            {"validationMessages": [ERROR]},
            "istiod reports IST0101: see https://istio.io/IST0101",
            id="an error",
        ),
        pytest.param(
            {"validationMessages": [{**ERROR, "level": 3}]},
            "istiod reports IST0101: see https://istio.io/IST0101",
            id="an error by its number",
        ),
        pytest.param(
            {"validationMessages": [{"level": "WARNING"}, {"level": "ERROR"}]},
            "istiod reports an error: see its log",
            id="an error that says nothing",
        ),
    ],
)
def test_istiods_verdict_is_read_from_the_route(status: Any, told: str | None) -> None:
    assert ROUTER.refusal({"status": status}) == told


@given(JSON)
def test_a_status_of_any_shape_is_read(status: Any) -> None:
    assert ROUTER.refusal({"status": status}) is None
