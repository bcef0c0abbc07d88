"""What core makes of a router's manifests: it stamps what is its own, and refuses what no router may write."""

import json
from dataclasses import replace
from typing import Any

import pytest

from tests.decision.writing import CONFIG_MAP, Writing
from turnout.calling import Calls, PluginError
from turnout.decision.objects import body_of
from turnout.decision.render import Rendered, api_version, owner_reference, render
from turnout.decision.stored import load
from turnout.plugin import Kind, Manifest, Role, RoutePlan
from turnout.strategies.blue_green import BlueGreen
from turnout.testing.builders import accepted, plan, policy
from turnout_kserve_modelmesh.environment import KServeModelMesh

SECRET = Kind("", ("v1",), "Secret", "secrets")
PLAN = plan({"wisdom-0": 20, "wisdom-1": 80})


def manifest(
    name: Any = "wisdom", role: Any = Role.ROUTE, body: Any = None, kind: Kind = CONFIG_MAP
) -> Manifest:
    return Manifest(kind, name, {"data": {}} if body is None else body, role)


def rendered(*manifests: Any, of: RoutePlan = PLAN) -> tuple[Rendered, ...]:
    return render(of, accepted(KServeModelMesh(), BlueGreen(), Writing(*manifests)), Calls())


def document(item: Rendered) -> dict[str, Any]:
    return item.document("v1", [owner_reference("wisdom", "uid-of-policy", controller=True)])


def test_a_route_is_stamped_with_its_policy_and_the_plan() -> None:
    (route,) = rendered(manifest(body={"data": {"a": "b"}}))

    made = document(route)
    stored = made["metadata"]["annotations"].pop("turnout.dev/plan")

    assert made == {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {
            "name": "wisdom",
            "namespace": "models",
            "labels": {"app.kubernetes.io/managed-by": "turnout", "turnout.dev/policy": "wisdom"},
            "annotations": {},
            "ownerReferences": [
                {
                    "apiVersion": "turnout.dev/v1alpha1",
                    "kind": "RoutingPolicy",
                    "name": "wisdom",
                    "uid": "uid-of-policy",
                    "controller": True,
                }
            ],
        },
        "data": {"a": "b"},
    }
    back = load(stored, PLAN.policy)
    assert back is not None
    assert [(share.version.name, share.weight) for share in back.plan.rules[0].shares] == [
        ("wisdom-0", 20),
        ("wisdom-1", 80),
    ]


def test_a_supporting_object_is_the_policys_and_has_no_plan() -> None:
    support, _ = rendered(manifest("wisdom"), manifest("support", Role.SUPPORT))

    metadata = document(support)["metadata"]

    assert metadata["labels"]["turnout.dev/policy"] == "wisdom"
    assert "annotations" not in metadata


def test_a_shared_object_is_no_policys() -> None:
    shared, _ = rendered(manifest("wisdom"), manifest("shared", Role.SHARED))

    metadata = shared.document("v1", [])["metadata"]

    assert metadata == {
        "name": "shared",
        "namespace": "models",
        "labels": {"app.kubernetes.io/managed-by": "turnout", "turnout.dev/shared": "true"},
    }


def test_what_routes_need_comes_before_them() -> None:
    found = rendered(manifest("b"), manifest("a"), manifest("c", Role.SUPPORT), manifest("d", Role.SHARED))

    assert [item.ref.name for item in found] == ["d", "c", "b", "a"]


def test_everything_is_written_in_the_policys_namespace() -> None:
    other = plan({"wisdom-0": 1}, policy=policy(namespace="elsewhere"))
    made = accepted(KServeModelMesh(), BlueGreen(), Writing(manifest()), of=other.policy)

    assert render(other, made, Calls())[0].ref.namespace == "elsewhere"


def test_equal_plans_give_equal_bytes() -> None:
    one, other = rendered(manifest(body={"b": 1, "a": 2})), rendered(manifest(body={"a": 2, "b": 1}))

    assert [(item.canonical, item.plan) for item in one] == [(item.canonical, item.plan) for item in other]


@pytest.mark.parametrize(
    ("manifests", "message"),
    [
        pytest.param(
            [manifest(kind=SECRET)],
            "render returned a Secret, a kind that it does not declare in `writes`",
            id="an undeclared kind",
        ),
        *(
            pytest.param(
                [manifest(name)],
                f"render returned the name {json.dumps(name)}, which is no DNS subdomain",
                id=f"the name {name!r}",
            )
            for name in ("", "Wisdom", "wis_dom", "-a", "a-", "a..b", "a/b", "a\n", 5, None)
        ),
        pytest.param(
            [manifest("a" * 254)],
            f'render returned the name "{"a" * 58}…, which is no DNS subdomain',
            id="a name that is too long",
        ),
        *(
            pytest.param(
                [manifest(body={key: {}})],
                f"render returned {key} in the body of wisdom; core writes these",
                id=key,
            )
            for key in ("apiVersion", "kind", "metadata", "status")
        ),
        pytest.param(
            [replace(manifest(), kind="ConfigMap")],  # type: ignore[arg-type]
            'render returned a manifest with kind="ConfigMap", a kind that it does not declare in `writes`',
            id="a kind that is none",
        ),
        pytest.param([manifest(), manifest()], "render returned an object twice", id="an object twice"),
        pytest.param(
            [manifest(), manifest(role=Role.SHARED)], "render returned an object twice", id="in two roles"
        ),
        pytest.param([], "render returned no route", id="nothing"),
        pytest.param([manifest(role=Role.SHARED)], "render returned no route", id="no route"),
        pytest.param(
            [{"kind": "ConfigMap"}],
            'render returned {"kind": "ConfigMap"} in a list, expected a list of Manifest',
            id="no manifest",
        ),
        pytest.param(
            [manifest(body="data")],
            "render returned wisdom whose body is no mapping or whose role is no Role",
            id="a body that is text",
        ),
        pytest.param(
            [manifest(role="route!")],
            "render returned wisdom whose body is no mapping or whose role is no Role",
            id="a role that is none",
        ),
        pytest.param(
            [manifest(body={"data": object()})],
            "render returned wisdom, whose body is no JSON: Type is not JSON serializable: object",
            id="a body that is no JSON",
        ),
        pytest.param(None, "render returned null, expected a list of Manifest", id="None"),
    ],
)
def test_what_no_router_may_write_is_its_error(manifests: Any, message: str) -> None:
    router = Writing()
    router._manifests = manifests
    with pytest.raises(PluginError) as caught:
        render(PLAN, accepted(KServeModelMesh(), BlueGreen(), router), Calls())

    assert (caught.value.plugin, caught.value.message) == ("writing", f"plugin writing: {message}")


@pytest.mark.parametrize(
    ("group", "version", "expected"),
    [("", "v1", "v1"), ("networking.istio.io", "v1beta1", "networking.istio.io/v1beta1")],
    ids=["core group", "any group"],
)
def test_an_api_version_has_its_group(group: str, version: str, expected: str) -> None:
    assert api_version(group, version) == expected


def test_an_owner_of_a_shared_object_is_no_controller() -> None:
    assert "controller" not in owner_reference("wisdom", "1", controller=False)


def test_equal_bodies_have_equal_canonical_json() -> None:
    """What is read from the cluster is compared with it, whatever the order of keys."""
    (route,) = rendered(manifest(body={"b": {"d": 1, "c": "ä"}, "a": [1, 2]}))

    read = {"kind": "ConfigMap", "metadata": {"name": "wisdom"}, "a": [1, 2], "b": {"c": "ä", "d": 1}}
    assert route.canonical == body_of(read) == '{"a":[1,2],"b":{"c":"ä","d":1}}'.encode()
