"""Routes of Gateway API on a real API server: what is written stays as it is, and its limits are told."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support import ControlPlane
from turnout.plugin import Backend, Frontend, Match, Mirror, RoutePlan, Rule, Share, Version
from turnout.testing.builders import policy, version
from turnout_gateway_api.options import GatewayApiOptions
from turnout_gateway_api.router import GatewayApi

ROUTER = GatewayApi()
GOLDEN = [
    path
    for name in ("gateway-api.yaml", "http-route.yaml")
    for path in sorted(Path(__file__).parents[1].joinpath("golden").glob(f"*/{name}"))
]
HTTP = Frontend("http", "models", ("wisdom.example.com",), 80, "http")
GRPC = Frontend("grpc", "models", ("wisdom.example.com",), 8033, "grpc")


def reached(name: str, **fields: Any) -> Version:
    backend = Backend(**{"name": name, "namespace": "models", "port": 80, **fields})
    return version(name, backends={HTTP.name: backend, GRPC.name: backend})


def one_rule(match: Match, frontend: Frontend) -> RoutePlan:
    shares = (Share(reached("wisdom-0"), 1),)
    return RoutePlan(policy(), (frontend,), (Rule("one", shares, (match,)), Rule("default", shares)))


def documents(plan: RoutePlan, **options: Any) -> list[dict[str, Any]]:
    """What is written for a plan."""
    return [
        {
            "apiVersion": f"{one.kind.group}/{one.kind.versions[0]}",
            "kind": one.kind.kind,
            "metadata": {"name": one.name},
            **one.body,
        }
        for one in ROUTER.render(plan, GatewayApiOptions.model_validate(options))
    ]


EVERYTHING = RoutePlan(
    policy(),
    (HTTP,),
    (
        Rule(
            "one",
            (
                Share(reached("wisdom-0", authority="m.example", set_headers=(("a", "1"),)), 999_999),
                Share(
                    reached("wisdom-1", authority="m.example", namespace="others"), 1_000_000, (("b", "2"),)
                ),
            ),
            (
                Match((("a", "prefix", "x.y"), ("b", "regex", "a|b")), (("q", "exact", "1"),), method="POST"),
                Match(path=("prefix", "/v1/models/")),
                Match(query=(("q", "prefix", "2"),)),
            ),
        ),
        Rule("two", (Share(reached("wisdom-1"), 1),), (Match(path=("exact", "/v1/models/m:predict")),)),
        Rule(
            "default",
            (Share(reached("wisdom-0"), 1),),
            mirrors=(
                Mirror(reached("wisdom-1")),
                Mirror(reached("wisdom-2"), 30.0),
                Mirror(reached("m"), 1.5),
            ),
        ),
    ),
)


@pytest.fixture(scope="module")
def cluster(control_plane: ControlPlane) -> ControlPlane:
    control_plane.install_crds("gateway-api")
    return control_plane


WRITTEN = [
    *documents(EVERYTHING, gatewayAddresses=["inbound.edge.svc.cluster.local"], gatewayPort=8080),
    *(
        {**document, "metadata": {"name": document["metadata"]["name"]}}
        for path in GOLDEN
        for document in yaml.safe_load_all(path.read_text(encoding="utf-8"))
    ),
]


@pytest.mark.parametrize("document", WRITTEN, ids=lambda one: one["kind"])
def test_the_api_server_takes_what_is_written_and_adds_nothing(
    cluster: ControlPlane, namespace: str, document: dict[str, Any]
) -> None:
    """Else turnout would take the defaults for somebody's changes."""
    how = ("--server-side", "--output=json", "-f", "-", f"--namespace={namespace}")
    done = cluster.kubectl("apply", *how, input=json.dumps(document))
    assert json.loads(done.stdout)["spec"] == document["spec"]


HTTP_PATHS = [
    "/a",
    "/a/b-c_d.e~f!g$h&i'j(k)l*m+n,o;p=q:r@s",
    "/a%20b",
    "/a/.b",
    "/a//b",
    "/a/./b",
    "/a/../b",
    "/a/..",
    "/a/.",
    "/a%2fb",
    "/a%2Fb",
    "/a#b",
    "/a b",
    "/a%2",
    "/ä",
]
GRPC_PATHS = ["/a/b", "/a.B_c/D", "/_a/b", "/a.1/b", "/1a/b", "/a/1b", "/a-b/c", "/a/b.c", "/.a/b"]


@pytest.mark.parametrize(
    ("frontend", "path"),
    [*((HTTP, path) for path in HTTP_PATHS), *((GRPC, path) for path in GRPC_PATHS)],
    ids=lambda one: one if isinstance(one, str) else one.protocol,
)
def test_the_paths_that_are_refused_are_those_that_the_api_server_refuses(
    cluster: ControlPlane, frontend: Frontend, path: str
) -> None:
    plan = one_rule(Match(path=("exact", path)), frontend)
    told = list(ROUTER.objections(plan, GatewayApiOptions()))
    text = json.dumps(documents(plan)[-1])
    how = ("--server-side", "--dry-run=server", "-f", "-")
    done = cluster.kubectl("apply", *how, input=text, check=False)

    assert ("Invalid value" in done.stderr) == bool(told), done.stderr
    assert bool(done.returncode) == bool(told), done.stderr
