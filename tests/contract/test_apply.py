"""Server-side apply: who owns which field, and what becomes of it."""

import time
from typing import Any

import pytest

from tests.contract.api import Api
from tests.contract.kinds import manifest


def owner(name: str, uid: str) -> dict[str, Any]:
    """Return a reference to an owner of a kind that nobody serves, which is never collected."""
    return {"apiVersion": "nobody.turnout.dev/v1", "kind": "Nobody", "name": name, "uid": uid}


def test_apply_creates(api: Api) -> None:
    """What is not there is created, and owned as an apply and not as an update."""
    answer = api.apply("one", spec={"size": 1, "parts": [{"name": "a", "count": 1}]}, labels={"a": "b"})
    assert answer.status == 201
    assert [entry["manager"] for entry in answer.metadata["managedFields"]] == ["one"]
    assert answer.managed("one") == {
        "f:metadata": {"f:labels": {"f:a": {}}},
        "f:spec": {
            "f:parts": {'k:{"name":"a"}': {".": {}, "f:count": {}, "f:name": {}}},
            "f:size": {},
        },
    }


def test_apply_needs_a_manager(api: Api) -> None:
    """An apply without fieldManager is refused: 422."""
    answer = api.send("PATCH", api.path("one"), manifest("one"), "application/apply-patch+yaml")
    assert (answer.status, answer.causes[0][0]) == (422, "fieldManager")


def test_same_apply_writes_nothing(api: Api) -> None:
    """Applied again, an object keeps its resourceVersion, and the entry its time."""
    first = api.apply("one", spec={"size": 1, "free": {"a": {"b": 1}}}, labels={"a": "b"})
    time.sleep(1.1)
    again = api.apply("one", spec={"size": 1, "free": {"a": {"b": 1}}}, labels={"a": "b"})
    assert again.status == 200
    assert again.metadata == first.metadata


def test_apply_of_a_default_changes_only_who_owns_it(api: Api) -> None:
    """To apply a value that is there already is to own it, from the same generation on."""
    first = api.apply("one", spec={"size": 1})
    second = api.apply("one", by="two", spec={"size": 1, "mode": "auto"})
    assert second.status == 200
    assert second.managed("two") == {"f:spec": {"f:mode": {}, "f:size": {}}}
    assert second.metadata["generation"] == first.metadata["generation"]
    assert second.version != first.version
    times = {entry["manager"]: entry.get("time") for entry in second.metadata["managedFields"]}
    assert times == {"one": first.metadata["managedFields"][0]["time"], "two": None}


def test_another_value_conflicts(api: Api) -> None:
    """A field of another manager is refused with 409, which names the manager and the field."""
    api.apply("one", spec={"size": 1, "steps": ["a"]})
    answer = api.apply("one", by="two", spec={"size": 2, "steps": ["b"]})
    assert (answer.status, answer.body["reason"]) == (409, "Conflict")
    assert sorted(answer.causes) == [
        (".spec.size", 'conflict with "one"'),
        (".spec.steps", 'conflict with "one"'),
    ]
    assert api.get("one").body["spec"]["size"] == 1


def test_conflict_with_an_update_names_the_version(api: Api) -> None:
    """Who did not apply is named with the apiVersion of the update."""
    api.create(manifest("one", spec={"size": 1}), fieldManager="editor")
    answer = api.apply("one", spec={"size": 2})
    assert answer.causes == [(".spec.size", 'conflict with "editor" using contract.turnout.dev/v1')]
    assert answer.body["message"].startswith("Apply failed with 1 conflict: conflict with")


def test_force_takes_the_field(api: Api) -> None:
    """With force the value changes, and the other manager no longer owns the field."""
    api.apply("one", spec={"size": 1, "color": "red"})
    answer = api.apply("one", by="two", force=True, spec={"size": 2})
    assert answer.body["spec"]["size"] == 2
    assert answer.managed("one") == {"f:spec": {"f:color": {}}}
    assert answer.managed("two") == {"f:spec": {"f:size": {}}}


def test_field_left_out_is_removed(api: Api) -> None:
    """What a manager alone owns, and applies no longer, goes; maps and lists go with their last part."""
    spec = {"size": 1, "color": "red", "options": {"a": "1"}, "parts": [{"name": "a"}], "tags": ["t"]}
    api.apply("one", spec=spec, labels={"a": "b"})
    answer = api.apply("one", spec={"size": 1})
    assert answer.body["spec"] == {"size": 1, "mode": "auto"}
    assert "labels" not in answer.metadata


def test_field_of_two_managers_stays(api: Api) -> None:
    """What another manager owns as well stays when the first leaves it out."""
    api.apply("one", spec={"size": 1, "color": "red"})
    api.apply("one", by="two", spec={"size": 1})
    answer = api.apply("one", spec={"color": "red"})
    assert answer.body["spec"]["size"] == 1
    assert answer.managed("one") == {"f:spec": {"f:color": {}}}


def test_field_that_was_posted_is_never_removed(api: Api) -> None:
    """A create owns its fields as an update, so that an apply by the same manager removes none of them."""
    api.create(manifest("one", spec={"size": 1, "color": "red"}), fieldManager="one")
    answer = api.apply("one", spec={"size": 1})
    assert answer.body["spec"]["color"] == "red"
    assert answer.managed("one") == {"f:spec": {"f:size": {}}}
    assert answer.managed("one", "Update") is not None


def test_update_takes_fields_from_who_applied_them(api: Api) -> None:
    """A merge patch that changes a value owns it from then on; one that removes it leaves it to nobody."""
    api.apply("one", spec={"size": 1, "color": "red", "mode": "hand"})
    answer = api.merge("one", {"spec": {"size": 2, "color": None}}, fieldManager="editor")
    assert answer.managed("one") == {"f:spec": {"f:mode": {}}}
    assert answer.managed("editor", "Update") == {"f:spec": {"f:size": {}}}


@pytest.mark.parametrize(
    ("field", "first", "second", "both"),
    [
        pytest.param("options", {"a": "1"}, {"b": "2"}, {"a": "1", "b": "2"}, id="map"),
        pytest.param("tags", ["a", "b"], ["c", "b"], ["a", "c", "b"], id="set"),
        pytest.param("tags", ["a", "b", "c"], ["c", "a", "d"], ["b", "c", "a", "d"], id="set, reordered"),
        pytest.param(
            "parts",
            [{"name": "a", "count": 1}],
            [{"name": "b"}, {"name": "a", "note": "x"}],
            [{"name": "b"}, {"name": "a", "count": 1, "note": "x"}],
            id="list by keys",
        ),
        pytest.param(
            "free", {"a": {"b": 1}}, {"a": {"c": 2}}, {"a": {"b": 1, "c": 2}}, id="map without a schema"
        ),
    ],
)
def test_parts_of_two_managers_merge(api: Api, field: str, first: Any, second: Any, both: Any) -> None:
    """Maps, sets and keyed lists hold what each manager applies, and lose it with that manager alone."""
    api.apply("one", spec={field: first})
    assert api.apply("one", by="two", spec={field: second}).body["spec"][field] == both
    assert field in api.apply("one", spec={}).body["spec"]
    assert field not in api.apply("one", by="two", spec={}).body["spec"]


@pytest.mark.parametrize(
    ("field", "first", "second"),
    [
        pytest.param("steps", ["a"], ["a", "b"], id="list"),
        pytest.param("box", {"width": 1}, {"height": 2}, id="atomic map"),
        pytest.param("free", {"a": [1]}, {"a": [1, 2]}, id="list without a schema"),
    ],
)
def test_atomic_values_have_one_owner(api: Api, field: str, first: Any, second: Any) -> None:
    """Other lists, and maps that the schema says so of, are replaced whole, and only by force."""
    api.apply("one", spec={field: first})
    assert api.apply("one", by="two", spec={field: second}).status == 409
    assert api.apply("one", by="two", force=True, spec={field: second}).body["spec"][field] == second


def test_owners_of_one_manager_do_not_merge(api: Api) -> None:
    """Owner references are what their manager applied last."""
    api.apply("one", ownerReferences=[owner("a", "uid-a")])
    answer = api.apply("one", ownerReferences=[owner("b", "uid-b")])
    assert [one["uid"] for one in answer.metadata["ownerReferences"]] == ["uid-b"]


def test_owners_of_two_managers_merge(api: Api) -> None:
    """Owner references are a list by uid: each manager has its own."""
    api.apply("one", ownerReferences=[owner("a", "uid-a")])
    answer = api.apply("one", by="two", ownerReferences=[owner("b", "uid-b")])
    assert [one["uid"] for one in answer.metadata["ownerReferences"]] == ["uid-a", "uid-b"]
    assert answer.managed("two") == {"f:metadata": {"f:ownerReferences": {'k:{"uid":"uid-b"}': {}}}}


def test_finalizers_of_two_managers_merge(api: Api) -> None:
    """Finalizers are a set."""
    api.apply("one", finalizers=["contract.turnout.dev/a"])
    answer = api.apply("one", by="two", finalizers=["contract.turnout.dev/b"])
    assert answer.metadata["finalizers"] == ["contract.turnout.dev/a", "contract.turnout.dev/b"]
    answer = api.apply("one")
    assert answer.metadata["finalizers"] == ["contract.turnout.dev/b"]
    api.apply("one", by="two")


def test_status_is_applied_at_its_subresource(api: Api) -> None:
    """There an apply owns the status and nothing of the spec, and it creates nothing."""
    assert api.apply("one", subresource="status", status={"a": 1}).status == 404
    api.apply("one", spec={"size": 1})
    answer = api.apply("one", by="two", subresource="status", spec={"size": 2}, status={"a": 1, "b": [1]})
    assert answer.body["spec"]["size"] == 1
    assert answer.managed("two", subresource="status") == {"f:status": {"f:a": {}, "f:b": {}}}


def test_status_that_names_an_old_version_is_refused(api: Api) -> None:
    """Whatever has changed since: 409. One that names what is there is taken, and nothing else of it counts."""
    old = api.apply("one", spec={"size": 1}).version
    new = api.apply("one", spec={"size": 2}).version
    late = api.apply("one", by="two", force=True, subresource="status", status={"a": 1}, resourceVersion=old)
    assert (late.status, late.body["reason"]) == (409, "Conflict")
    answer = api.apply("one", by="two", subresource="status", status={"a": 2}, resourceVersion=new)
    assert (answer.status, answer.body["status"]) == (200, {"a": 2})
    again = api.apply("one", by="two", subresource="status", status={"a": 2}, resourceVersion=new)
    assert again.status == 409


def test_apply_with_a_version_creates_all_the_same(api: Api) -> None:
    """A resourceVersion does not fence off a create."""
    assert api.apply("one", resourceVersion="1").status == 201


def test_apply_with_a_uid_does_not_create(api: Api) -> None:
    """A uid on an absent object is a 409."""
    answer = api.apply("one", uid="11111111-2222-3333-4444-555555555555")
    assert (answer.status, answer.body["reason"]) == (409, "Conflict")
    assert api.get("one").status == 404


def test_unknown_field_is_a_server_error(api: Api) -> None:
    """A field that the schema does not know is a 500, and not a 4xx."""
    answer = api.apply("one", spec={"unknown": 1})
    assert answer.status == 500
    assert answer.body["message"].endswith(".spec.unknown: field not declared in schema")


def test_applied_object_has_no_managed_fields(api: Api) -> None:
    """managedFields cannot be applied: 400."""
    api.apply("one")
    assert api.apply("one", managedFields=[{}]).status == 400


def test_apply_is_validated(api: Api) -> None:
    """The result of an apply has to fit the schema."""
    answer = api.apply("one", spec={"size": -1})
    assert (answer.status, answer.causes[0][0]) == (422, "spec.size")


def test_apply_to_an_object_without_managers(api: Api) -> None:
    """What was there before the first apply belongs to before-first-apply."""
    api.create(manifest("one", spec={"size": 1, "color": "red"}), fieldManager="editor")
    bare = api.merge("one", {"metadata": {"managedFields": [{}]}})
    assert "managedFields" not in bare.metadata
    answer = api.apply("one", force=True, spec={"size": 2})
    assert answer.managed("before-first-apply", "Update") == {
        "f:spec": {".": {}, "f:color": {}, "f:mode": {}}
    }


def test_fields_may_be_given_to_another_manager(api: Api) -> None:
    """A patch that says who manages what is believed: the next apply of the other one prunes by it."""
    made = api.apply("one", spec={"size": 1, "color": "red"}, labels={"a": "b"})
    (entry,) = made.metadata["managedFields"]
    patch = {"metadata": {"managedFields": [{**entry, "manager": "two"}]}}
    given = api.merge("one", patch)
    assert [one["manager"] for one in given.metadata["managedFields"]] == ["two"]
    assert given.body["spec"] == made.body["spec"]
    assert given.version != made.version
    applied = api.apply("one", by="two", spec={"size": 1})
    assert "color" not in applied.body["spec"]
    assert "labels" not in applied.metadata
