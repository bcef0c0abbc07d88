"""What the router gateway-api writes, on the wire of istiod and Envoy: order, headers, copies, refusals."""

import json
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any, NamedTuple

import pytest

from tests.mesh.calls import ask, versions
from tests.mesh.copies import settled
from tests.mesh.load import Load, failed
from tests.mesh.objects import on_loopback, service
from tests.mesh.site import MeshSite
from tests.mesh.statistics import expected_split
from tests.support import wait_until
from tests.support.echo import Answer, Client, Echo
from tests.support.mesh import SYSTEM, Envoy, Node
from tests.support.waiting import free_port
from turnout.plugin import Backend, Frontend, Match, Mirror, RoutePlan, Rule, Share, Version
from turnout.testing.builders import policy, version
from turnout_gateway_api.options import GatewayApiOptions
from turnout_gateway_api.router import GatewayApi

ROUTER = GatewayApi()
CALLS = 1000
pytestmark = pytest.mark.parametrize("router", ["gateway-api"])


class Request(NamedTuple):
    """A request of a table."""

    path: str = "/"
    method: str = "GET"
    headers: tuple[tuple[str, str], ...] = ()


PLAIN = Request()


class Http:
    """A model that is served over HTTP, whose versions have a Service each."""

    def __init__(self, site: MeshSite, echoes: dict[str, Echo]) -> None:
        self.site = site
        self.echoes = echoes
        self.host = f"wisdom.{site.namespace}.example"
        for name, echo in echoes.items():
            site.serve(name, 80, echo.address, echo.port, protocol="http")

    def version(self, name: str, **fields: Any) -> Version:
        """A version. `fields`: its Backend's others."""
        return version(name, backends={"http": Backend(name, self.site.namespace, 80, **fields)})

    def share(self, name: str, weight: int = 1, **fields: Any) -> Share:
        return Share(self.version(name, **fields), weight)

    def route(self, *rules: Rule) -> None:
        """Write the routes of a plan, and wait until a controller has accepted them and calls are answered."""
        frontend = Frontend("http", self.site.namespace, (self.host,), 80, "http")
        of = policy(*self.echoes, namespace=self.site.namespace)
        plan = RoutePlan(of, (frontend,), rules)
        options = GatewayApiOptions(gateway=f"{SYSTEM}/models")
        assert list(ROUTER.objections(plan, options)) == []
        (manifest,) = ROUTER.render(plan, options)
        document = {
            "apiVersion": f"{manifest.kind.group}/{manifest.kind.versions[0]}",
            "kind": manifest.kind.kind,
            "metadata": {"name": manifest.name},
            **manifest.body,
        }
        self.site.kubectl("apply", "--server-side", "-f", "-", document=json.dumps(document))
        wait_until(lambda: accepted(self.site.get("httproute", manifest.name)), what="accepted")
        assert ROUTER.refusal(self.site.get("httproute", manifest.name)) is None
        wait_until(lambda: self.ask().status == 200, timeout=20, what="answered")

    def ask(self, call: Request = PLAIN) -> Answer:
        with Client(self.site.address, self.host) as client:
            return client.ask(call.path, call.method, dict(call.headers))

    def ask_often(self, number: int) -> dict[str, int]:
        """How many calls each version answers."""
        counts = dict.fromkeys(self.echoes, 0)
        with Client(self.site.address, self.host) as client:
            for _ in range(number):
                counts[client.ask().name] += 1
        return {name: count for name, count in counts.items() if count}


def accepted(route: dict[str, Any]) -> bool:
    """Whether a controller has said something of the route's present generation."""
    return any(
        condition["type"] == "Accepted" and condition["observedGeneration"] == route["metadata"]["generation"]
        for parent in route.get("status", {}).get("parents", ())
        for condition in parent["conditions"]
    )


@pytest.fixture
def http(site: MeshSite) -> Iterator[Http]:
    names = ("wisdom-0", "wisdom-1", "wisdom-2")
    with ExitStack() as stack:
        yield Http(site, {name: stack.enter_context(Echo(name)) for name in names})


def test_the_first_rule_that_matches_wins(http: Http) -> None:
    """Also where a later one is more specific, and Gateway API by itself would prefer that."""
    to_1 = (
        Match(headers=(("user", "exact", "ann"),)),
        Match(path=("prefix", "/v1/models/")),
        Match(query=(("beta", "prefix", "y"),)),
    )
    to_2 = (
        Match(headers=(("stage", "exact", "late"), ("tier", "regex", "gold|silver"))),
        Match(path=("exact", "/v1/models/wisdom"), method="POST"),
        Match(path=("exact", "/health")),
    )
    http.route(
        Rule("one", (http.share("wisdom-1"),), to_1),
        Rule("two", (http.share("wisdom-2"),), to_2),
        Rule("default", (http.share("wisdom-0"),)),
    )
    late, ann = (("stage", "late"), ("tier", "silver")), (("user", "ann"),)
    expected = {
        Request(): "wisdom-0",
        Request(headers=ann): "wisdom-1",
        Request(headers=late): "wisdom-2",
        Request(headers=(*late, *ann)): "wisdom-1",
        Request(headers=(("stage", "late"), ("tier", "golden"))): "wisdom-0",
        Request("/v1/models/wisdom"): "wisdom-1",
        Request("/v1/models/wisdom", "POST"): "wisdom-1",
        Request("/v1/models/"): "wisdom-1",
        Request("/v1/models"): "wisdom-0",
        Request("/v1/models", headers=late): "wisdom-2",
        Request("/v1/modelsx"): "wisdom-0",
        Request("/health"): "wisdom-2",
        Request("/health", headers=ann): "wisdom-1",
        Request("/health?beta=yes"): "wisdom-1",
        Request("/health?beta=no"): "wisdom-2",
        Request("/?beta=y"): "wisdom-1",
    }
    assert {call: http.ask(call).name for call in expected} == expected


def test_each_share_has_its_headers_and_a_rule_its_authority(http: Http) -> None:
    first = http.share("wisdom-0", 30, authority="models.example", set_headers=(("x-version", "0"),))
    second = http.share("wisdom-1", 70, authority="models.example", set_headers=(("x-version", "1"),))
    http.route(Rule("default", (first, Share(second.version, 70, (("x-answered-by", "wisdom-1"),)))))

    expected_split(lambda: http.ask_often(CALLS), {"wisdom-0": 30, "wisdom-1": 70})
    told = {(answer.name, answer.headers.get("x-answered-by")) for answer in (http.ask() for _ in range(30))}
    assert told == {("wisdom-0", None), ("wisdom-1", "wisdom-1")}
    for name, number in (("wisdom-0", "0"), ("wisdom-1", "1")):
        received = http.echoes[name].received
        assert {(one.host, one.headers["x-version"]) for one in received} == {("models.example", number)}


def test_copies_reach_versions_that_need_no_header(http: Http) -> None:
    mirrors = (Mirror(http.version("wisdom-1"), 30), Mirror(http.version("wisdom-2"), 12.5))
    http.route(Rule("default", (http.share("wisdom-0"),), mirrors=mirrors))

    def seen() -> Counter[str]:
        return Counter({name: len(echo.received) for name, echo in http.echoes.items()})

    def counted() -> Counter[str]:
        settled(seen)
        for echo in http.echoes.values():
            echo.received.clear()
        assert http.ask_often(CALLS) == {"wisdom-0": CALLS}
        return settled(seen)

    expected_split(counted, {"wisdom-0": 100, "wisdom-1": 30, "wisdom-2": 12.5}, of=CALLS)


@pytest.mark.parametrize(
    ("config", "told"),
    [
        ({"gateway-api": {"sectionName": "https"}}, "is not Accepted at Gateway istio-system/models"),
        ({"kserve-modelmesh": {"service": "nowhere"}}, "is not ResolvedRefs at Gateway istio-system/models"),
    ],
    ids=["no such listener", "no such Service"],
)
def test_what_istiod_refuses_is_told_until_it_is_mended(
    site: MeshSite, config: dict[str, Any], told: str
) -> None:
    site.deploy("wisdom-0")
    site.start()
    site.apply_policy("blue-green", {"name": "wisdom-0"}, **config)
    wait_until(lambda: site.condition("wisdom", "Routed") == ("False", "RefusedByNetwork"), what="refused")
    says = f"GRPCRoute {site.namespace}/wisdom: istio.io/gateway-controller says that it {told}"
    assert says in site.message("wisdom", "Routed")

    site.declare("blue-green", {"name": "wisdom-0"})
    site.until_in_force({"wisdom-0": 100})


def test_a_route_that_no_controller_takes_is_pending(site: MeshSite) -> None:
    site.deploy("wisdom-0")
    site.start()
    site.apply_policy("blue-green", {"name": "wisdom-0"}, **{"gateway-api": {"gateway": "nowhere/public"}})
    wait_until(lambda: site.condition("wisdom", "Routed") == ("Unknown", "Pending"), what="pending")

    site.declare("blue-green", {"name": "wisdom-0"})


def test_a_gateway_made_for_the_models_is_served_by_the_proxies_of_its_namespace(site: MeshSite) -> None:
    port, labels = free_port(), {"app": "inbound"}
    for document in (service(site.namespace, "inbound", port, labels), on_loopback(site.namespace, port)):
        site.kubectl("apply", "-f", "-", document=json.dumps(document))
    mesh = site.mesh
    node = Node("router", "inbound-0", site.namespace, labels, "127.0.0.3")
    proxy = Envoy(mesh.assets, mesh.istiod, mesh.processes, node)
    proxy.start()
    try:
        site.deploy("wisdom-0")
        site.start()
        address = f"inbound.{site.namespace}.svc.cluster.local"
        options = {"gateway": "models", "gatewayPort": port, "gatewayAddresses": [address]}
        site.declare("blue-green", {"name": "wisdom-0"}, **{"gateway-api": options})
        wait_until(proxy.listeners, timeout=20, what="the proxy listens")
        assert proxy.listeners() == {f"127.0.0.1:{port}"}
        wait_until(proxy.routes, timeout=20, what="the proxy has routes")
        answers = ask(f"127.0.0.1:{port}", site.authority(), 20)
        assert versions(answers) == {"wisdom-0": 20}
        site.kubectl("delete", "routingpolicy", "wisdom")
        wait_until(lambda: not site.names("gateways.gateway.networking.k8s.io"), timeout=20, what="it goes")
    finally:
        proxy.stop()


@pytest.mark.parametrize("deleted", [(), ("wisdom-1",)], ids=["both stay", "one is deleted meanwhile"])
@pytest.mark.parametrize(("before", "after"), [("istio", "gateway-api"), ("gateway-api", "istio")])
def test_a_policy_moves_from_one_router_to_the_other_without_a_failed_call(
    site: MeshSite, before: str, after: str, deleted: tuple[str, ...]
) -> None:
    site.deploy("wisdom-0", "wisdom-1")
    site.start()
    split = ({"name": "wisdom-0", "weight": 20}, {"name": "wisdom-1", "weight": 80})
    kinds = {"istio": "virtualservices", "gateway-api": "grpcroutes"}
    site.router = before
    site.declare("blue-green", *split)
    site.until_in_force({"wisdom-0": 20, "wisdom-1": 80})
    with Load(site.address, site.authority()) as load:
        site.router = after
        site.apply_policy("blue-green", *split)
        for name in deleted:
            site.kubectl("delete", "inferenceservice", name, "--wait=false")
        wait_until(lambda: not site.names(kinds[before]), timeout=30, what="the former routes go")
        assert site.names(kinds[after]) == ["wisdom"]
        for name in deleted:
            wait_until(lambda name=name: not site.get("inferenceservice", name), timeout=30, what="it goes")  # type: ignore[misc]
        time.sleep(2.0)
    site.until_in_force({"wisdom-0": 100} if deleted else {"wisdom-0": 20, "wisdom-1": 80})
    assert len(load.calls()) > 500
    assert not failed(load.calls())
