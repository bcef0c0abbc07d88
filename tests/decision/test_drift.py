"""Whose an object is, and where it differs from what it should be."""

from typing import Any

import pytest

from tests.decision.writing import CONFIG_MAP, Writing
from turnout.calling import Calls
from turnout.decision.drift import difference, foreign, shared_foreign
from turnout.decision.objects import Entry, written_part
from turnout.decision.render import Rendered, render
from turnout.plugin import Manifest, Role
from turnout.strategies.blue_green import BlueGreen
from turnout.testing.builders import accepted, entry, plan, policy
from turnout_kserve_modelmesh.environment import KServeModelMesh

OURS = {"app.kubernetes.io/managed-by": "turnout", "turnout.dev/policy": "wisdom"}
SHARED = {"app.kubernetes.io/managed-by": "turnout", "turnout.dev/shared": "true"}
BODY: dict[str, Any] = {
    "data": {"key": "value", "deep": {"a": 1, "b": [{"x": 1}, {"x": 2}]}},
    "flags": [True, 1, "1", None],
}
PLAN = plan({"wisdom-0": 100})


def rendered(body: Any = BODY, role: Role = Role.ROUTE) -> Rendered:
    router = Writing(Manifest(CONFIG_MAP, "wisdom", body, role), Manifest(CONFIG_MAP, "route", {}))
    items = render(PLAN, accepted(KServeModelMesh(), BlueGreen(), router), Calls())
    return next(item for item in items if item.ref.name == "wisdom")


def found(body: Any = BODY, *, plan: str | None = "", **metadata: Any) -> Entry:
    """An object in the cluster; `plan` empty: the annotation that it should have."""
    annotations = {"turnout.dev/plan": rendered().plan if plan == "" else plan}
    made = {"metadata": {"labels": OURS, "annotations": annotations, **metadata}, "status": {"x": 1}, **body}
    return entry({}, written=written_part(made))


def with_data(**data: Any) -> Entry:
    return found({**BODY, "data": {**BODY["data"], **data}})


@pytest.mark.parametrize(
    ("actual", "path"),
    [
        pytest.param(found(), None, id="nothing"),
        pytest.param(entry({}), "metadata", id="an object that was not read"),
        pytest.param(found(labels={}), "metadata.labels[app.kubernetes.io/managed-by]", id="no labels"),
        pytest.param(
            found(labels={**OURS, "turnout.dev/policy": "other"}),
            "metadata.labels[turnout.dev/policy]",
            id="another policy's label",
        ),
        pytest.param(found(labels={**OURS, "team": "blue"}), None, id="a label of someone else"),
        pytest.param(found(plan=None), "metadata.annotations[turnout.dev/plan]", id="no plan"),
        pytest.param(found(plan="{}"), "metadata.annotations[turnout.dev/plan]", id="another plan"),
        pytest.param(found({}), "data", id="no body"),
        pytest.param(with_data(key="other"), "data.key", id="a value"),
        pytest.param(with_data(key=None), "data.key", id="a value that is null"),
        pytest.param(with_data(more="x"), None, id="a field of someone else in a mapping"),
        pytest.param(
            with_data(deep={"a": 1.0, "b": [{"x": 1}, {"x": 2.0}]}), None, id="numbers that are equal"
        ),
        pytest.param(
            with_data(deep={"a": True, "b": [{"x": 1}, {"x": 2}]}), "data.deep.a", id="true is not 1"
        ),
        pytest.param(
            with_data(deep={"a": 1e300, "b": [{"x": 1}, {"x": 2}]}), "data.deep.a", id="huge numbers"
        ),
        pytest.param(with_data(deep={"a": 1, "b": [{"x": 1}, {"x": 3}]}), "data.deep.b[1].x", id="in a list"),
        pytest.param(
            with_data(deep={"a": 1, "b": [{"x": 1, "y": 0}, {"x": 2}]}),
            "data.deep.b[0]",
            id="a field of someone else in a list",
        ),
        pytest.param(with_data(deep={"a": 1, "b": [{"x": 1}]}), "data.deep.b[1]", id="a shorter list"),
        pytest.param(
            with_data(deep={"a": 1, "b": [{"x": 1}, {"x": 2}, {}]}), "data.deep.b[2]", id="a longer list"
        ),
        pytest.param(with_data(deep={"a": 1, "b": {}}), "data.deep.b", id="a mapping for a list"),
        pytest.param(with_data(deep=[]), "data.deep", id="a list for a mapping"),
        pytest.param(found({**BODY, "flags": [1, 1, "1", None]}), "flags[0]", id="truth in a list"),
        pytest.param(found({**BODY, "flags": [True, 1, 1, None]}), "flags[2]", id="text in a list"),
    ],
)
def test_the_first_difference_is_named_by_its_path(actual: Entry, path: str | None) -> None:
    assert difference(rendered(), actual) == path


def applied(fields: Any, **entry: Any) -> dict[str, Any]:
    """Who owns what, with an entry of ours for these fields."""
    ours = {"manager": "turnout", "operation": "Apply", "fieldsV1": fields, **entry}
    kubectl = {"manager": "kubectl", "operation": "Update", "fieldsV1": {"f:data": {"f:theirs": {}}}}
    return {"managedFields": [ours, kubectl]}


@pytest.mark.parametrize(
    ("metadata", "path"),
    [
        pytest.param(applied({"f:data": {"f:key": {}, "f:old": {}}}), "data.old", id="a field"),
        pytest.param(applied({"f:data": {"f:deep": {"f:a": {}, "f:c": {}}}}), "data.deep.c", id="a deep one"),
        pytest.param(applied({"f:old": {"f:a": {}}}), "old.a", id="all of a mapping"),
        pytest.param(applied({"f:old": {".": {}}}), "old", id="a mapping that is empty"),
        pytest.param(applied({"f:old": {'k:{"x":1}': {"f:x": {}}}}), "old", id="a list"),
        pytest.param(
            applied({"f:data": {"f:deep": {"f:b": {'k:{"x":9}': {}}}}}), None, id="an item of a list"
        ),
        pytest.param(applied({"f:flags": {"f:a": {}}}), None, id="what was a mapping and is a list"),
        pytest.param(applied({"f:metadata": {"f:x": {}}, "f:status": {"f:y": {}}}), None, id="no body"),
        pytest.param(applied({"f:old": {}}, operation="Update"), None, id="updated, not applied"),
        pytest.param(applied({"f:old": {}}, subresource="status"), None, id="of a subresource"),
        pytest.param(applied("odd"), None, id="odd fields"),
        pytest.param({"managedFields": "odd"}, None, id="odd entries"),
    ],
)
def test_what_we_own_and_want_no_more_is_a_difference(metadata: dict[str, Any], path: str | None) -> None:
    """What others own beside it is none."""
    more = {**BODY, "data": {**BODY["data"], "theirs": 1}}
    assert difference(rendered(), found(more, **metadata)) == path


def test_an_object_that_carries_no_rules_needs_no_plan() -> None:
    assert difference(rendered(role=Role.SUPPORT), found(plan=None)) is None


def owner(name: str = "wisdom", uid: str = "uid-of-policy", kind: str = "RoutingPolicy") -> dict[str, str]:
    return {"apiVersion": "turnout.dev/v1alpha1", "kind": kind, "name": name, "uid": uid}


@pytest.mark.parametrize(
    ("metadata", "whose"),
    [
        pytest.param({"labels": OURS, "ownerReferences": [owner()]}, None, id="ours"),
        pytest.param({"ownerReferences": [owner()]}, None, id="ours, with its labels taken off"),
        pytest.param(
            {"labels": OURS, "ownerReferences": [owner(uid="x"), owner()]},
            None,
            id="ours, with another owner",
        ),
        pytest.param({"labels": OURS}, None, id="ours, with its owners taken off"),
        pytest.param(
            {"labels": OURS, "ownerReferences": [owner(uid="former")]},
            None,
            id="a former policy's of that name",
        ),
        pytest.param({}, "managed by someone else", id="nobody's"),
        pytest.param(
            {"labels": {**OURS, "app.kubernetes.io/managed-by": "Helm"}}, "managed by Helm", id="Helm's"
        ),
        pytest.param(
            {"labels": {**OURS, "turnout.dev/policy": "sage"}}, "of policy sage", id="another policy's"
        ),
        pytest.param(
            {"labels": {"app.kubernetes.io/managed-by": "turnout"}}, "of policy unknown", id="no policy's"
        ),
        pytest.param(
            {"labels": OURS, "ownerReferences": [owner("sage", "uid-of-sage")]},
            "owned by RoutingPolicy sage",
            id="another policy's, with our label",
        ),
        pytest.param(
            {"labels": OURS, "ownerReferences": [owner(uid="former"), owner(kind="Deployment", uid="d")]},
            "owned by RoutingPolicy wisdom, Deployment wisdom",
            id="someone else's of that name",
        ),
        pytest.param({"labels": "none", "ownerReferences": "me"}, "managed by someone else", id="odd types"),
    ],
)
def test_whose_an_object_is(metadata: dict[str, Any], whose: str | None) -> None:
    assert foreign(entry({}, written=written_part({"metadata": metadata})), policy()) == whose


def test_an_object_that_was_not_read_is_nobodys_to_write() -> None:
    assert foreign(entry({}), policy()) == "an object that was not read"


def test_offline_an_empty_uid_owns_nothing() -> None:
    found = entry({}, written=written_part({"metadata": {"ownerReferences": [{"uid": ""}]}}))

    assert foreign(found, policy(uid="")) == "managed by someone else"


@pytest.mark.parametrize(
    ("labels", "theirs"),
    [
        pytest.param(SHARED, False, id="ours"),
        pytest.param({**SHARED, "team": "blue"}, False, id="ours, with a label more"),
        pytest.param({}, True, id="nobody's"),
        pytest.param(OURS, True, id="a policy's"),
        pytest.param({**SHARED, "app.kubernetes.io/managed-by": "Helm"}, True, id="Helm's"),
    ],
)
def test_whether_a_shared_object_is_someone_elses(labels: dict[str, str], theirs: bool) -> None:
    assert shared_foreign(entry({}, written=written_part({"metadata": {"labels": labels}}))) is theirs
