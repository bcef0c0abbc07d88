"""Two teams in one cluster, each with rights on its own namespace alone: neither moves the other's calls."""

import json
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cluster.controller import Object, Site
from tests.deploy.conftest import Make
from tests.deploy.installation import QUICK, Installation
from tests.support import ControlPlane, Credentials, wait_until

pytestmark = pytest.mark.usefixtures("admission_policies")

ISTIO = "networking.istio.io/v1"


class Team(Site):
    """A namespace, and a person who may do what the chart's owner of policies may, and write routes by hand."""

    user: Credentials

    def join(self, installation: Installation) -> None:
        self.user = self.control_plane.user(f"owner-of-{self.namespace}", self.namespace)
        who = f"--user={self.user.name}"
        self.kubectl("create", "rolebinding", "owner", f"--clusterrole={installation.name}-owner", who)
        kinds = "virtualservices.networking.istio.io,gateways.networking.istio.io,inferenceservices"
        self.kubectl("create", "role", "routes", "--verb=*", f"--resource={kinds}")
        self.kubectl("create", "rolebinding", "routes", "--role=routes", who)
        wait_until(lambda: self.may("create", "routingpolicies") and self.may("create", "virtualservices"))

    def may(self, verb: str, kind: str) -> bool:
        return self.kubectl("auth", "can-i", verb, kind, user=self.user, check=False).returncode == 0

    def tries(self, document: Object) -> str:
        """Apply an object as the team's own user. What the API server has against it; empty if nothing."""
        done = self.kubectl("apply", "-f", "-", document=json.dumps(document), user=self.user, check=False)
        return done.stderr if done.returncode else ""

    def said(self, name: str = "wisdom") -> tuple[str, str]:
        return self.condition(name, "Accepted")


class Town:
    """The teams, and a namespace with models that they share."""

    def __init__(self, control_plane: ControlPlane, directory: Path) -> None:
        names = [f"{kind}-{secrets.token_hex(3)}" for kind in ("team-a", "team-b", "shared")]
        for name in names:
            control_plane.kubectl("create", "namespace", name)
        self.a, self.b = (Team(control_plane, name, directory) for name in names[:2])
        self.shared = names[2]


def policy(
    config: Object | None = None,
    *,
    of: str = "wisdom",
    versions: Any = None,
    router: str = "istio",
    environment: str = "kserve-modelmesh",
) -> Object:
    return {
        "apiVersion": "turnout.dev/v1alpha1",
        "kind": "RoutingPolicy",
        "metadata": {"name": of},
        "spec": {
            "targetEnv": environment,
            "trafficStrategy": "blue-green",
            "router": router,
            "modelVersions": versions or [{"name": "wisdom-0"}],
            "config": config or {},
        },
    }


def route(labels: Any = None, annotations: Any = None, name: str = "mine") -> Object:
    metadata = {"name": name, "labels": labels or {}, "annotations": annotations or {}}
    return {
        "apiVersion": ISTIO,
        "kind": "VirtualService",
        "metadata": metadata,
        "spec": {"hosts": ["x.example"]},
    }


@pytest.fixture
def town(
    control_plane: ControlPlane, make: Make, tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[Town]:
    """Served by a release for the whole cluster. The parameter: whether it has the admission policies."""
    installation = make()
    made = Town(control_plane, tmp_path)
    reach = {team.namespace: [made.shared] for team in (made.a, made.b)}
    guarded = str(getattr(request, "param", True)).lower()
    installation.install(
        "--set=clusterScoped=true",
        "--set=routers.gateway-api.enabled=true",
        f"--set=admissionPolicies.create={guarded}",
        settings={**QUICK, "allowNamespaces": reach},
    )
    for team in (made.a, made.b):
        team.join(installation)
    pod = installation.start()
    made.b.version("wisdom-0")
    assert made.b.tries(policy()) == ""
    made.b.until_shares({"wisdom-0": 100})
    yield made
    pod.kill()
    for team in (made.a, made.b):
        team.release()
        control_plane.kubectl("delete", "namespace", team.namespace, "--wait=false")
    control_plane.kubectl("delete", "namespace", made.shared, "--wait=false")


def attempts(town: Town) -> dict[str, tuple[Object, str]]:
    """What team A may try, of which the object shows what it is, and the field that is to blame."""
    b = town.b.namespace
    elsewhere = [{"name": "wisdom-0", "namespace": b}]
    return {
        "its version": (policy(versions=elsewhere), "spec.modelVersions"),
        "its ModelMesh": (
            policy({"kserve-modelmesh": {"namespace": b}}),
            "spec.config.kserve-modelmesh.namespace",
        ),
        "its Gateway": (
            policy({"istio": {"externalGateway": f"{b}/mm-gateway"}}),
            "spec.config.istio.externalGateway",
        ),
        "its proxies": (
            policy({"istio": {"ingressHost": f"modelmesh-serving.{b}.svc.cluster.local"}}),
            "spec.config.istio.ingressHost",
        ),
        "its proxies, by Gateway API": (
            policy(
                {"gateway-api": {"gatewayAddresses": [f"proxies.{b}.svc.cluster.local"]}},
                router="gateway-api",
            ),
            "spec.config.gateway-api.gatewayAddresses",
        ),
    }


def test_what_one_policy_shows_is_refused_before_it_is_stored(town: Town) -> None:
    for what, (document, field) in attempts(town).items():
        told = town.a.tries(document)
        assert f"{field}: found" in told, what
        assert f"expected {town.a.namespace} or {town.shared}" in told, what
    assert town.a.names("routingpolicies") == []
    assert town.a.tries(policy({"kserve-modelmesh": {"namespace": town.shared}})) == ""


@pytest.mark.parametrize("town", [False], indirect=True)
def test_the_controller_refuses_the_same(town: Town) -> None:
    """Where there are no admission policies, as for policies that were stored before."""
    route = town.b.get("virtualservice", "wisdom")["metadata"]["resourceVersion"]
    for what, (document, field) in attempts(town).items():
        assert town.a.tries(document) == ""
        wait_until(lambda: town.a.said() == ("False", "NamespaceNotAllowed"), timeout=20, what=what)
        assert field.rpartition(".")[2] in town.a.message("wisdom", "Accepted") or "ModelMesh" in what
        town.a.kubectl("delete", "routingpolicy", "wisdom")
    for kind in ("virtualservices", "gateways.gateway.networking.k8s.io"):
        assert town.a.names(kind) == []
    assert town.b.get("virtualservice", "wisdom")["metadata"]["resourceVersion"] == route


def test_a_host_that_another_policy_has_is_refused(town: Town) -> None:
    shared = {"kserve-modelmesh": {"namespace": town.shared}}
    town.b.version("owl-0")
    assert town.b.tries(policy(shared, of="owl", versions=[{"name": "owl-0"}])) == ""
    town.b.until_shares({"owl-0": 100}, "owl")
    town.a.version("owl-0")
    assert town.a.tries(policy(shared, of="owl", versions=[{"name": "owl-0"}])) == ""
    wait_until(lambda: town.a.said("owl") == ("False", "HostTaken"), timeout=20, what="HostTaken")
    assert f"host owl.{town.shared} is that of policy {town.b.namespace}/owl" in town.a.message(
        "owl", "Accepted"
    )
    assert town.a.names("virtualservices") == []


@pytest.mark.parametrize(
    "marks",
    [
        {"labels": {"turnout.dev/policy": "wisdom", "app.kubernetes.io/managed-by": "turnout"}},
        {"labels": {"turnout.dev/shared": "true"}},
        {"annotations": {"turnout.dev/plan": "{}"}},
    ],
    ids=["of a policy", "shared", "a plan"],
)
def test_marks_that_claim_a_policy_are_turnouts_alone(town: Town, marks: Any) -> None:
    assert "turnout writes them on its own routes" in town.a.tries(route(**marks))
    assert town.a.tries(route()) == ""
    patch = json.dumps({"metadata": marks})
    done = town.a.kubectl(
        "patch", "virtualservice", "mine", "--type=merge", f"--patch={patch}", user=town.a.user, check=False
    )
    assert "turnout writes them on its own routes" in done.stderr


def test_a_route_of_someone_else_is_left_alone(town: Town) -> None:
    """In one's own namespace, too: whoever made it has not asked for turnout."""
    assert town.a.tries(route(name="wisdom")) == ""
    before = town.a.get("virtualservice", "wisdom")
    town.a.version("wisdom-0")
    assert town.a.tries(policy()) == ""
    expected = ("False", "RouteConflict")
    wait_until(lambda: town.a.condition("wisdom", "Routed") == expected, timeout=20, what="RouteConflict")
    assert town.a.get("virtualservice", "wisdom") == before


def test_neither_has_rights_in_the_namespace_of_the_other(town: Town) -> None:
    """So what a policy does in its own is all that is left to try."""
    there = f"--namespace={town.b.namespace}"
    for verb, kind in (
        ("create", "routingpolicies"),
        ("patch", "trafficweights"),
        ("patch", "virtualservices"),
    ):
        done = town.a.control_plane.kubectl("auth", "can-i", verb, kind, there, user=town.a.user, check=False)
        assert done.returncode == 1
    own = town.a.kubectl(
        "auth", "can-i", "patch", "routingpolicies", "--subresource=status", user=town.a.user, check=False
    )
    assert own.returncode == 1
