"""The control plane that other tests rely on does what a cluster does."""

import json

import pytest

from tests.support import ControlPlane, wait_until
from tests.support.assets import pinned_version

API_VERSIONS = {"ConfigMap": "v1", "VirtualService": "networking.istio.io/v1"}


def manifest(kind: str, name: str, *, owner: dict[str, str] | None = None) -> str:
    """Return an empty object, with one owner reference or none."""
    metadata = {"name": name} | ({"ownerReferences": [owner]} if owner else {})
    return json.dumps({"apiVersion": API_VERSIONS[kind], "kind": kind, "metadata": metadata})


def test_api_server_is_of_the_pinned_version(control_plane: ControlPlane) -> None:
    """What CI tests against is what versions.toml says, unless the user chose otherwise."""
    if not control_plane.assets.pinned:
        pytest.skip("KUBEBUILDER_ASSETS chooses the version")
    versions = json.loads(control_plane.kubectl("version", "--output=json").stdout)
    pinned = pinned_version("k8s.io/kubernetes")
    assert versions["serverVersion"]["gitVersion"] == pinned
    assert versions["clientVersion"]["gitVersion"] == pinned


@pytest.fixture
def collecting(control_plane: ControlPlane) -> ControlPlane:
    """Require the garbage collector and the namespace controller."""
    if not control_plane.collects_garbage:
        pytest.skip("no kube-controller-manager in KUBEBUILDER_ASSETS")
    return control_plane


@pytest.mark.parametrize("kind", ["ConfigMap", "VirtualService"])
def test_dependents_are_collected_by_owner_reference(
    collecting: ControlPlane, namespace: str, kind: str
) -> None:
    """Tests of deletion mean something only where this works, for kinds of new CRDs as well."""
    collecting.install_crds("istio")
    there = f"--namespace={namespace}"
    create = ("create", "--filename=-", there, "--output=json")
    created = json.loads(collecting.kubectl(*create, input=manifest("ConfigMap", "owner")).stdout)
    owner = {"apiVersion": "v1", "kind": "ConfigMap", "name": "owner"}
    owner["uid"] = created["metadata"]["uid"]
    collecting.kubectl(*create, input=manifest(kind, "dependent", owner=owner))
    collecting.kubectl("delete", "configmap", "owner", there)

    def gone() -> bool:
        found = collecting.kubectl("get", kind, "dependent", there, check=False)
        return "NotFound" in found.stderr

    wait_until(gone, timeout=20, what="the dependent is collected")


def test_deleted_namespace_goes_away(collecting: ControlPlane, namespace: str) -> None:
    """With everything in it, as in a real cluster."""
    collecting.kubectl("create", "namespace", f"{namespace}-2")
    collecting.kubectl("create", "configmap", "content", f"--namespace={namespace}-2")
    collecting.kubectl("delete", "namespace", f"{namespace}-2", "--timeout=30s")
    gone = collecting.kubectl("get", "namespace", f"{namespace}-2", check=False)
    assert "NotFound" in gone.stderr


def test_service_account_may_do_what_it_was_granted_and_nothing_else(
    control_plane: ControlPlane, namespace: str
) -> None:
    """Its token is honoured, and RBAC decides."""
    there = f"--namespace={namespace}"
    account = control_plane.service_account(namespace, "reader")
    permission = ("--verb=list", "--resource=configmaps")
    control_plane.kubectl("create", "role", "lists-configmaps", there, *permission)
    binding = ("--role=lists-configmaps", f"--serviceaccount={namespace}:reader")
    control_plane.kubectl("create", "rolebinding", "lists-configmaps", there, *binding)

    def granted() -> bool:
        listed = control_plane.kubectl("get", "configmaps", there, user=account, check=False)
        return listed.returncode == 0

    wait_until(granted, what="the API server has seen the role binding")
    refused = control_plane.kubectl("get", "secrets", there, user=account, check=False)
    assert refused.returncode != 0
    assert f'User "{account.name}" cannot list resource "secrets"' in refused.stderr


def test_kubectl_sends_its_input_as_the_user_it_is_given(control_plane: ControlPlane, namespace: str) -> None:
    """A user has the groups that were named, and no other."""
    there = f"--namespace={namespace}"
    apply = ("apply", "--filename=-", there)
    ann = control_plane.user("ann", "system:masters")
    bob = control_plane.user("bob")
    assert "created" in control_plane.kubectl(*apply, input=manifest("ConfigMap", "a"), user=ann).stdout
    with pytest.raises(AssertionError, match='User "bob" cannot get resource "configmaps"'):
        control_plane.kubectl(*apply, input=manifest("ConfigMap", "b"), user=bob)


def test_audit_log_has_one_entry_for_each_call_of_a_user(control_plane: ControlPlane, namespace: str) -> None:
    """Those made before the mark and those of others are not counted."""
    ann = control_plane.user("ann-audited", "system:masters")
    path = f"/api/v1/namespaces/{namespace}/configmaps"
    control_plane.kubectl("get", "--raw", path, user=ann)
    wait_until(lambda: control_plane.audit(ann))
    mark = control_plane.audit_mark()
    for _ in range(3):
        control_plane.kubectl("get", "--raw", path, user=ann)
    control_plane.kubectl("get", "--raw", path)
    control_plane.kubectl("create", "configmap", "one", f"--namespace={namespace}", user=ann)
    wait_until(lambda: control_plane.audit(ann, verb="create", since=mark))
    lists = control_plane.audit(ann, verb="list", resource="configmaps", since=mark)
    assert [(entry.namespace, entry.code) for entry in lists] == [(namespace, 200)] * 3
    (create,) = control_plane.audit(ann, verb="create", since=mark)
    assert (create.name, create.code) == ("one", 201)


def test_api_server_comes_back_with_its_data_and_users(control_plane: ControlPlane, namespace: str) -> None:
    """A restart, in order or by a crash, loses no object and no token."""
    there = f"--namespace={namespace}"
    ann = control_plane.user("ann", "system:masters")
    control_plane.kubectl("create", "configmap", "kept", there)
    control_plane.restart_apiserver(kill=True)
    control_plane.kubectl("get", "configmap", "kept", there, user=ann)


@pytest.mark.parametrize(
    ("project", "example"),
    [
        ("gateway-api", "httproutes.gateway.networking.k8s.io"),
        ("istio", "virtualservices.networking.istio.io"),
        ("kserve", "inferenceservices.serving.kserve.io"),
        ("kserve-0.15", "inferenceservices.serving.kserve.io"),
    ],
)
def test_crds_of_other_projects_are_served(
    control_plane: ControlPlane, namespace: str, project: str, example: str
) -> None:
    """Once installed they are established, and a list of their objects is answered."""
    assert example in control_plane.install_crds(project)
    control_plane.kubectl("get", example, f"--namespace={namespace}")
