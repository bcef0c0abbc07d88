"""Policies that reach into other namespaces: the admission policy refuses those that core does, and no others."""

import json
import secrets
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from tests.cluster.controller import Object
from tests.decision.world import REGISTRY
from tests.deploy.conftest import Make
from tests.deploy.installation import Installation
from tests.deploy.test_tenants import policy
from tests.support import ControlPlane, wait_until
from turnout.calling import Calls
from turnout.decision.accept import Refused
from turnout.decision.declare import admit
from turnout.reasons import Reason
from turnout.settings import Settings

pytestmark = pytest.mark.usefixtures("admission_policies")

REFUSAL = "denied request"
INGRESS = "istio-ingressgateway.istio-system.svc.cluster.local"
NAMED = {
    "istio": {
        "fixed": {"externalGateway": "istio-system/public"},
        "defaults": {"ingressHost": "in.edge.svc"},
    },
    "gateway-api": {"defaults": {"gatewayAddresses": ["in.edge.svc.example.org", "in.more.svc", "proxies"]}},
}
OPTIONS: tuple[tuple[str, str, Any], ...] = (
    ("istio", "ingressHost", INGRESS),
    ("istio", "ingressHost", "proxies.edge.svc.cluster.local"),
    ("istio", "ingressHost", "proxies.edge.svc"),
    ("istio", "ingressHost", "proxies.shared.svc"),
    ("istio", "ingressHost", "proxies.theirs.svc.cluster.local"),
    ("istio", "ingressHost", "proxies.theirs.example.com"),
    ("istio", "externalGateway", "istio-system/public"),
    ("istio", "externalGateway", "edge/public"),
    ("istio", "externalGateway", "shared/public"),
    ("istio", "externalGateway", "public"),
    (
        "gateway-api",
        "gatewayAddresses",
        ["proxies", "a.edge.svc", "b.more.svc.cluster.local", "c.shared.svc"],
    ),
    ("gateway-api", "gatewayAddresses", ["a.edge.svc", "b.theirs.svc"]),
    ("gateway-api", "gatewayAddresses", [INGRESS]),
    ("gateway-api", "gatewayAddresses", []),
    ("gateway-api", "gateway", "theirs/public"),
    ("kserve-modelmesh", "namespace", "edge"),
    ("kserve-modelmesh", "namespace", "shared"),
    ("kserve-modelmesh", "namespace", None),
)


def policies() -> list[Object]:
    """Each option in a policy that uses its plugin, and in ones that do not."""
    made = [
        policy({plugin: {option: value}}, router=router, environment=environment)
        for plugin, option, value in OPTIONS
        for router in ("istio", "gateway-api")
        for environment in ("kserve-modelmesh", "kserve")
    ]
    made += [
        policy(versions=[{"name": "wisdom-0", "namespace": namespace}]) for namespace in ("shared", "theirs")
    ]
    return [{**one, "metadata": {"name": f"wisdom-{number}"}} for number, one in enumerate(made)]


def reason(document: Object, namespace: str, settings: Mapping[str, Any]) -> Reason | None:
    """Why core refuses a policy of a namespace."""
    placed = {**document, "metadata": {**document["metadata"], "namespace": namespace}}
    try:
        admit(placed, None, REGISTRY, Settings.of(settings), Calls())
    except Refused as refused:
        return refused.reason
    return None


def let_through(installation: Installation, *documents: Object) -> set[str]:
    """The names of the policies that the API server would take."""
    everything = json.dumps({"apiVersion": "v1", "kind": "List", "items": documents})
    how = ("create", "--filename=-", "--dry-run=server", "--output=name")
    done = installation.kubectl(*how, document=everything, check=False)
    taken = {line.rpartition("/")[2] for line in done.stdout.splitlines()}
    assert done.stderr.count(REFUSAL) == len(documents) - len(taken), done.stderr
    return taken


@pytest.fixture(scope="module")
def shared(cluster: ControlPlane) -> Iterator[str]:
    """The namespace that the administrator lets all policies reach: the chart grants rights there."""
    cluster.kubectl("create", "namespace", "shared")
    yield "shared"
    cluster.kubectl("delete", "namespace", "shared", "--wait=false")


@pytest.mark.parametrize("plugins", [{}, NAMED], ids=["defaults", "named by the administrator"])
def test_the_admission_policy_refuses_what_core_refuses(make: Make, shared: str, plugins: Any) -> None:
    installation = make(name=f"turnout-{secrets.token_hex(2)}")
    settings = {"allowNamespaces": {"*": [shared]}, "plugins": plugins}
    installation.install("--set=admissionPolicies.create=true", settings=settings)
    elsewhere = policies()[-1]
    wait_until(lambda: not let_through(installation, elsewhere), timeout=20, what="it is in force")
    taken = let_through(installation, *policies())
    reasons = {one["metadata"]["name"]: reason(one, installation.namespace, settings) for one in policies()}
    specs = {one["metadata"]["name"]: one["spec"] for one in policies()}
    assert [specs[name] for name in reasons if reasons[name] is None and name not in taken] == []
    assert [specs[name] for name in taken if reasons[name] is Reason.NAMESPACE_NOT_ALLOWED] == []
    assert None in reasons.values()
    assert Reason.NAMESPACE_NOT_ALLOWED in reasons.values()
