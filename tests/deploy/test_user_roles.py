"""The roles for people, as real users on a real API server."""

import json
from collections.abc import Callable

import pytest

from tests.cluster.test_rollouts import ended, turnout
from tests.deploy.conftest import Make
from tests.deploy.installation import Installation
from tests.support import Credentials, wait_until

READ, WRITE = ("get", "list", "watch"), ("create", "update", "patch", "delete")
POLICIES, WEIGHTS = "routingpolicies.turnout.dev", "trafficweights.turnout.dev"
MAY: dict[str, dict[str, tuple[str, ...]]] = {
    "viewer": {POLICIES: READ, WEIGHTS: READ},
    "release-manager": {POLICIES: READ, WEIGHTS: READ + WRITE},
    "owner": {POLICIES: READ + WRITE, WEIGHTS: READ + WRITE},
}
AGGREGATED = {"view": "viewer", "edit": "owner", "admin": "owner"}

User = Callable[[str], Credentials]


@pytest.fixture
def installation(make: Make) -> Installation:
    made = make()
    made.install("--set=userRoles.create=true")
    return made


@pytest.fixture
def user(installation: Installation) -> User:
    """Makes a user to whom a ClusterRole is bound in the release's namespace, and nothing else."""

    def made(role: str) -> Credentials:
        credentials = installation.control_plane.user(f"{role}-{installation.namespace}")
        binding = ("create", "rolebinding", role, f"--clusterrole={role}", f"--user={credentials.name}")
        installation.kubectl(*binding)
        return credentials

    return made


def allowed(installation: Installation, user: Credentials, kind: str, namespace: str) -> set[str]:
    """What a user may do with a kind, as the API server tells the user."""
    rules = json.loads(reviewed(installation, user, namespace))["status"]["resourceRules"]
    plural, _, group = kind.partition(".")
    return {
        verb
        for rule in rules
        if group in rule["apiGroups"] and plural in rule["resources"]
        for verb in rule["verbs"]
    }


def reviewed(installation: Installation, user: Credentials, namespace: str) -> str:
    review = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectRulesReview",
        "spec": {"namespace": namespace},
    }
    asking = ("create", "--filename=-", "--output=json", "--validate=false")
    return installation.control_plane.kubectl(*asking, input=json.dumps(review), user=user).stdout


@pytest.mark.parametrize("role", MAY)
def test_a_role_grants_what_it_says(installation: Installation, user: User, role: str) -> None:
    """In its namespace, to whom it is bound; elsewhere nothing."""
    somebody = user(f"turnout-{role}")
    for kind, verbs in MAY[role].items():
        until_allowed(installation, somebody, kind, verbs)
        more = {"deletecollection"} if role == "owner" else set()
        assert allowed(installation, somebody, kind, installation.namespace) == {*verbs, *more}
        assert allowed(installation, somebody, kind, "default") == set()
    for kind in ("inferenceservices.serving.kserve.io", "virtualservices.networking.istio.io", "secrets"):
        assert allowed(installation, somebody, kind, installation.namespace) == set()


def until_allowed(installation: Installation, user: Credentials, kind: str, verbs: tuple[str, ...]) -> None:
    """Wait until a binding and an aggregation count."""
    wait_until(
        lambda: allowed(installation, user, kind, installation.namespace) >= {*verbs},
        timeout=20,
        what=f"{user.name}: {kind}",
    )


@pytest.mark.parametrize("standard", AGGREGATED)
def test_standard_roles_have_them(installation: Installation, user: User, standard: str) -> None:
    """view, edit and admin, by aggregation."""
    somebody = user(standard)
    for kind, verbs in MAY[AGGREGATED[standard]].items():
        until_allowed(installation, somebody, kind, verbs)
    if standard == "view":
        assert not allowed(installation, somebody, POLICIES, installation.namespace) & {*WRITE}


def test_everybody_may_get_the_lease_and_no_other(installation: Installation, user: User) -> None:
    somebody = user("turnout-viewer")
    leases = "leases.coordination.k8s.io"
    until_allowed(installation, somebody, leases, ("get",))
    assert allowed(installation, somebody, leases, installation.namespace) == {"get"}
    get = ("get", "lease", "--ignore-not-found")
    kubectl = installation.site().kubectl
    assert kubectl(*get, installation.name, user=somebody, check=False).returncode == 0
    assert "Forbidden" in kubectl(*get, "other", user=somebody, check=False).stderr


def test_a_viewer_reads_rollouts_and_moves_nothing(installation: Installation, user: User) -> None:
    site = installation.site()
    site.version("wisdom-0")
    site.policy("wisdom")
    somebody = user("turnout-viewer")
    until_allowed(installation, somebody, POLICIES, READ)
    code, out, told = ended(turnout(site, somebody, "list"))
    assert (code, out.count("wisdom")) == (0, 1), told
    code, _, told = ended(turnout(site, somebody, "weights", "wisdom", "1/4", "--no-wait"))
    assert (code, 'cannot create resource "trafficweights"' in told) == (3, True), told
    assert site.names("trafficweights") == []


def test_a_release_manager_moves_weights_and_no_policies(installation: Installation, user: User) -> None:
    """With kubectl and with turnout, as people do."""
    site = installation.site()
    site.version("wisdom-0")
    site.policy("wisdom")
    somebody = user("turnout-release-manager")
    weights = site.template("4-modify-weights-values.yaml")
    wait_until(
        lambda: (
            site.kubectl("apply", "-f", "-", document=weights, user=somebody, check=False).returncode == 0
        ),
        what="the binding counts",
    )
    patch = json.dumps({"spec": {"suspend": True}})
    refused = site.kubectl(
        "patch", "routingpolicy", "wisdom", "--type=merge", f"--patch={patch}", user=somebody, check=False
    )
    assert 'cannot patch resource "routingpolicies"' in refused.stderr
    for command in (("weights", "wisdom", "1/4"), ("abort", "wisdom"), ("weights", "wisdom", "--reset")):
        code, _, told = ended(turnout(site, somebody, *command, "--no-wait"))
        assert code == 0, told
    assert site.names("trafficweights") == []
