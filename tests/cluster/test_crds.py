"""What people meet of the CRDs through kubectl."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from tests.api.documents import FULL_POLICY, POLICY, WEIGHTS, replaced
from tests.support import ControlPlane, wait_until
from tests.support.assets import REPOSITORY
from tests.template import golden
from turnout.names import ROUTING_POLICY, TRAFFIC_WEIGHTS

CONDITION = {
    "type": "Ready",
    "status": "False",
    "reason": "NoVersionReady",
    "message": "wisdom-0 is loading",
    "lastTransitionTime": "2026-01-01T00:00:00Z",
    "observedGeneration": 1,
}
STATUS = {
    "observedGeneration": 1,
    "split": "wisdom-0 20% / wisdom-1 80%",
    "versions": [
        {
            "name": "wisdom-0",
            "role": "primary",
            "appVersion": "v0",
            "ready": "Unknown",
            "reason": "Loading",
            "message": "ModelMesh loads it",
            "weight": 20,
            "share": "20%",
        }
    ],
    "strategyState": {"step": 2, "since": None, "seen": [{"a": 1}]},
    "routes": [
        {
            "apiVersion": "networking.istio.io/v1",
            "kind": "VirtualService",
            "namespace": "default",
            "name": "wisdom",
        }
    ],
    "conditions": [CONDITION, {**CONDITION, "type": "Accepted", "status": "True"}],
}


@pytest.fixture
def cluster(control_plane: ControlPlane, namespace: str) -> "Namespace":
    control_plane.install_crds("turnout")
    return Namespace(control_plane, namespace)


class Namespace:
    """kubectl in the namespace of one test."""

    def __init__(self, control_plane: ControlPlane, name: str) -> None:
        self._control_plane = control_plane
        self._name = name

    def kubectl(self, *arguments: str, document: Any = None, check: bool = True) -> str:
        text = document if isinstance(document, str) else json.dumps(document)
        flags = (f"--namespace={self._name}",)
        done = self._control_plane.kubectl(
            *arguments, *flags, input=text if document is not None else None, check=check
        )
        return done.stdout if check else done.stdout + done.stderr

    def set_status(self, resource: str, status: dict[str, Any]) -> None:
        patch = json.dumps({"status": status})
        self.kubectl("patch", resource, "--subresource=status", "--type=merge", "--patch", patch)


def rows(table: str) -> list[list[str]]:
    """The table's lines, cut where its columns are."""
    return [[cell.strip() for cell in line.split("   ") if cell.strip()] for line in table.splitlines()]


def test_a_policy_is_listed_with_what_matters(cluster: Namespace) -> None:
    cluster.kubectl("apply", "--filename=-", document=POLICY)
    cluster.set_status("rp/wisdom", STATUS)
    head, row = rows(cluster.kubectl("get", "rp"))
    assert head == ["NAME", "ENVIRONMENT", "STRATEGY", "SPLIT", "READY", "AGE"]
    assert row[:-1] == ["wisdom", "kserve-modelmesh", "blue-green", "wisdom-0 20% / wisdom-1 80%", "False"]


def test_a_wide_list_says_why(cluster: Namespace) -> None:
    cluster.kubectl("apply", "--filename=-", document=POLICY)
    cluster.set_status("rp/wisdom", STATUS)
    head, row = rows(cluster.kubectl("get", "rp", "--output=wide"))
    assert [head[-4:-1], row[-4:-1]] == [
        ["ROUTER", "REASON", "MESSAGE"],
        ["istio", "NoVersionReady", "wisdom-0 is loading"],
    ]


def test_weights_are_listed_with_what_matters(cluster: Namespace) -> None:
    cluster.kubectl("apply", "--filename=-", document=WEIGHTS)
    accepted = {**CONDITION, "type": "Accepted", "reason": "UnknownVersion"}
    cluster.set_status("tw/wisdom", {"observedGeneration": 1, "conditions": [accepted]})
    head, row = rows(cluster.kubectl("get", "tw", "--output=wide"))
    assert head == ["NAME", "WEIGHTS", "MIRROR", "ACCEPTED", "REASON", "MESSAGE", "AGE"]
    assert row[:-1] == [
        "wisdom",
        '{"wisdom-0":20,"wisdom-1":80}',
        "False",
        "UnknownVersion",
        "wisdom-0 is loading",
    ]


def test_both_kinds_are_of_the_category(cluster: Namespace) -> None:
    for document in (POLICY, WEIGHTS):
        cluster.kubectl("apply", "--filename=-", document=document)
    listed = cluster.kubectl("get", "turnout", "--output=name").split()
    assert listed == [
        f"{kind}/wisdom" for kind in ("routingpolicy.turnout.dev", "trafficweights.turnout.dev")
    ]


def test_the_router_is_filled_in(cluster: Namespace) -> None:
    cluster.kubectl("apply", "--filename=-", document=POLICY)
    stored = json.loads(cluster.kubectl("get", "rp/wisdom", "--output=json"))
    assert stored["spec"] == {**POLICY["spec"], "router": "istio"}


def test_a_status_is_kept_as_it_is(cluster: Namespace) -> None:
    cluster.kubectl("apply", "--filename=-", document=POLICY)
    cluster.set_status("rp/wisdom", {**STATUS, "strategyState": {"step": 2, "seen": [None]}})
    stored = json.loads(cluster.kubectl("get", "rp/wisdom", "--output=json"))
    assert stored["status"] == {**STATUS, "strategyState": {"step": 2, "seen": [None]}}


def test_a_status_is_no_part_of_what_people_apply(cluster: Namespace) -> None:
    cluster.kubectl("apply", "--filename=-", document={**POLICY, "status": STATUS})
    assert "status" not in json.loads(cluster.kubectl("get", "rp/wisdom", "--output=json"))


def test_versions_are_merged_by_name(cluster: Namespace) -> None:
    """Two appliers can each own versions of their own."""
    first = replaced(FULL_POLICY, ("spec", "modelVersions"), [{"name": "wisdom-1", "weight": 50}])
    cluster.kubectl("apply", "--server-side", "--field-manager=one", "--filename=-", document=first)
    second = replaced(first, ("spec", "modelVersions"), [{"name": "wisdom-9"}])
    second["spec"].pop("primary")
    cluster.kubectl("apply", "--server-side", "--field-manager=two", "--filename=-", document=second)
    stored = json.loads(cluster.kubectl("get", "rp/wisdom.v2", "--output=json"))
    assert [version["name"] for version in stored["spec"]["modelVersions"]] == ["wisdom-1", "wisdom-9"]


@pytest.mark.parametrize("name", golden.names())
def test_the_manifests_of_a_template_can_be_applied_and_deleted(cluster: Namespace, name: str) -> None:
    manifests = golden.manifests(name)
    cluster.kubectl("apply", "--filename=-", document=manifests)
    kind = yaml.safe_load(manifests)["kind"]
    assert cluster.kubectl("get", kind, "wisdom", "--output=name")
    cluster.kubectl("delete", "--filename=-", document=manifests)


def test_text_that_looks_like_a_number_stays_text(cluster: Namespace) -> None:
    cluster.kubectl("apply", "--filename=-", document=golden.manifests("canary-matches"))
    path = "{.spec.modelVersions[1].match[0].headers.traffic.exact}"
    assert cluster.kubectl("get", "rp/wisdom", f"--output=jsonpath={path}") == "1e3"


def undescribed(schema: dict[str, Any], path: str) -> Iterator[str]:
    """Fields without a description. Parts of lists and maps are described by these."""
    for name, field in schema.get("properties", {}).items():
        if "description" not in field:
            yield f"{path}.{name}"
        yield from undescribed(field, f"{path}.{name}")
    for part in ("items", "additionalProperties"):
        if isinstance(schema.get(part), dict):
            yield from undescribed(schema[part], f"{path}[]")


@pytest.mark.parametrize("kind", [ROUTING_POLICY, TRAFFIC_WEIGHTS], ids=lambda kind: kind.kind)
def test_every_field_of_a_spec_explains_itself(kind: Any) -> None:
    file = REPOSITORY / "core" / "turnout" / "crds" / f"{kind.plural}.yaml"
    crd = yaml.safe_load(file.read_text(encoding="utf-8"))
    schema = crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    assert list(undescribed(schema["properties"]["spec"], "spec")) == []


def test_kubectl_explains_a_field(cluster: Namespace) -> None:
    """Once the API server has published the schemas, a moment after the CRDs are established."""
    cluster.kubectl("api-resources")  # kubectl forgets the kinds that it knew before

    def explanation() -> str:
        return " ".join(cluster.kubectl("explain", "rp.spec.modelVersions.weight", check=False).split())

    wait_until(lambda: "0 excludes the version" in explanation(), timeout=20, what="the explanation")
