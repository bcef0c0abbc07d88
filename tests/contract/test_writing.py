"""Creating, replacing and merge-patching; generations; the status subresource; preconditions."""

import copy
from typing import Any

import pytest

from tests.contract.api import Answer, Api
from tests.contract.kinds import GADGET, WIDGET, manifest


def changed(answer: Answer, **fields: Any) -> dict[str, Any]:
    """Return an object with other top-level fields; those of `metadata` are merged into its own."""
    document = copy.deepcopy(answer.body)
    document["metadata"] |= fields.pop("metadata", {})
    return {**document, **fields}


def test_created_object_has_the_servers_metadata(api: Api) -> None:
    """The server sets uid, creationTimestamp, resourceVersion and generation, whatever is asked."""
    answer = api.create(manifest("one", uid="mine", generation=7, creationTimestamp="2001-01-01T00:00:00Z"))
    assert answer.status == 201
    assert answer.metadata["namespace"] == api.namespace
    assert answer.metadata["generation"] == 1
    assert answer.metadata["creationTimestamp"] > "2020"
    assert len(answer.metadata["uid"]) == 36


def test_defaults_are_stored_and_unknown_fields_are_not(api: Api) -> None:
    """The schema's defaults are filled in, and what it does not know is pruned."""
    answer = api.create(manifest("one", spec={"size": 1, "unknown": 2, "free": {"any": 3}}))
    assert answer.body["spec"] == {"size": 1, "mode": "auto", "free": {"any": 3}}


def test_create_sets_no_status(api: Api) -> None:
    """A kind with the subresource begins without a status."""
    assert "status" not in api.create(manifest("one", status={"ready": True})).body


def test_name_may_be_generated(api: Api) -> None:
    """generateName is what a name begins with."""
    first, second = (api.create({**manifest(""), "metadata": {"generateName": "gen-"}}) for _ in range(2))
    assert first.metadata["name"].startswith("gen-")
    assert first.metadata["name"] != second.metadata["name"]


def test_second_create_is_refused(api: Api) -> None:
    """A name is taken only once: 409 AlreadyExists."""
    api.create(manifest("one"))
    answer = api.create(manifest("one"))
    assert (answer.status, answer.body["reason"]) == (409, "AlreadyExists")


def test_name_must_be_a_dns_name(api: Api) -> None:
    """A name that is no DNS-1123 subdomain is refused with 422, and the field named."""
    answer = api.create(manifest("Not_A_Name"))
    assert (answer.status, answer.body["reason"]) == (422, "Invalid")
    assert [field for field, _ in answer.causes] == ["metadata.name"]


@pytest.mark.parametrize(
    ("spec", "cause"),
    [
        pytest.param(
            {"size": -1},
            (
                "spec.size",
                "Invalid value: -1: spec.size in body should be greater than or equal to 0",
            ),
            id="too small",
        ),
        pytest.param(
            {"size": "big"},
            (
                "spec.size",
                'Invalid value: "string": spec.size in body must be of type integer: "string"',
            ),
            id="another type",
        ),
        pytest.param(
            {"color": "blue"},
            ("spec.color", 'Unsupported value: "blue": supported values: "red", "green"'),
            id="not in enum",
        ),
        pytest.param({"parts": [{}]}, ("spec.parts[0].name", "Required value"), id="required"),
        pytest.param({"tags": ["a", "a"]}, ("spec.tags[1]", 'Duplicate value: "a"'), id="twice in a set"),
    ],
)
def test_schema_refuses_values(api: Api, spec: dict[str, Any], cause: tuple[str, str]) -> None:
    """A value that the schema does not allow is answered 422, with the field and what is wrong with it."""
    answer = api.create(manifest("one", spec=spec))
    assert (answer.status, answer.body["reason"]) == (422, "Invalid")
    assert answer.causes == [cause]


def test_document_of_another_version_is_refused(api: Api) -> None:
    """The apiVersion must be the path's."""
    answer = api.create({**manifest("one"), "apiVersion": f"{WIDGET.group}/v2"})
    assert (answer.status, answer.body["reason"]) == (400, "BadRequest")


def test_document_of_another_namespace_is_refused(api: Api) -> None:
    """The namespace, if the document has one, must be the path's."""
    assert api.create(manifest("one", namespace="elsewhere")).status == 400


def test_replace_drops_what_is_left_out(api: Api) -> None:
    """PUT stores the document as it is, with defaults."""
    answer = api.create(manifest("one", spec={"size": 1, "color": "red"}, labels={"a": "b"}))
    replaced = api.replace(manifest("one", spec={"size": 2}, resourceVersion=answer.version))
    assert replaced.status == 200
    assert replaced.body["spec"] == {"size": 2, "mode": "auto"}
    assert "labels" not in replaced.metadata
    assert replaced.metadata["uid"] == answer.metadata["uid"]


def test_replace_needs_a_version(api: Api) -> None:
    """A custom resource is not replaced without a resourceVersion: 422."""
    api.create(manifest("one"))
    answer = api.replace(manifest("one", spec={"size": 1}))
    assert (answer.status, answer.causes[0][0]) == (422, "metadata.resourceVersion")


def test_replace_of_an_absent_object_creates_nothing(api: Api) -> None:
    """PUT never creates."""
    assert api.replace(manifest("absent")).status == 404


def test_old_version_conflicts(api: Api) -> None:
    """A replace or a patch with a resourceVersion that is not the present one is a 409."""
    first = api.create(manifest("one"))
    api.merge("one", {"spec": {"size": 1}})
    version: dict[str, Any] = {"resourceVersion": first.version}
    answers = [
        api.replace(changed(first, spec={"size": 2})),
        api.merge("one", {"metadata": version, "spec": {"size": 2}}),
        api.merge("one", {"metadata": version, "status": {"a": 1}}, subresource="status"),
        api.apply("one", spec={"color": "red"}, **version),
    ]
    assert [(answer.status, answer.body["reason"]) for answer in answers] == [(409, "Conflict")] * 4


def test_another_uid_is_refused_by_each_in_its_way(api: Api) -> None:
    """A wrong uid is a 409 to a replace, and a 422 to patches: the field is immutable."""
    first = api.create(manifest("one"))
    wrong: dict[str, Any] = {"uid": "11111111-2222-3333-4444-555555555555"}
    assert api.replace(changed(first, metadata=wrong)).status == 409
    merged = api.merge("one", {"metadata": wrong, "spec": {"size": 1}})
    applied = api.apply("one", spec={"size": 1}, **wrong)
    for answer in (merged, applied):
        assert answer.status == 422
        assert answer.causes == [("metadata.uid", f'Invalid value: "{wrong["uid"]}": field is immutable')]


def test_uid_does_not_guard_a_patch_of_the_status(api: Api) -> None:
    """At the status subresource a patch's uid is ignored, like the rest of its metadata."""
    api.create(manifest("one"))
    answer = api.merge("one", {"metadata": {"uid": "wrong"}, "status": {"a": 1}}, subresource="status")
    assert (answer.status, answer.body["status"]) == (200, {"a": 1})


def test_merge_patch_of_an_absent_object_is_not_found(api: Api) -> None:
    """A merge patch creates nothing."""
    answer = api.merge("absent", {"metadata": {"finalizers": ["contract.turnout.dev/x"]}})
    assert (answer.status, answer.body["reason"]) == (404, "NotFound")


def test_merge_patch_merges_maps_and_replaces_lists(api: Api) -> None:
    """RFC 7386: null removes, maps merge, lists are replaced whole, also where the schema has keys."""
    api.create(manifest("one", spec={"options": {"a": "1", "b": "2"}, "parts": [{"name": "x"}], "size": 1}))
    answer = api.merge("one", {"spec": {"options": {"a": None, "c": "3"}, "parts": [{"name": "y"}]}})
    assert answer.body["spec"] == {
        "mode": "auto",
        "options": {"b": "2", "c": "3"},
        "parts": [{"name": "y"}],
        "size": 1,
    }


def test_other_patches_are_refused(api: Api) -> None:
    """A custom resource has no strategic merge patch: 415."""
    api.create(manifest("one"))
    answer = api.send("PATCH", api.path("one"), {}, "application/strategic-merge-patch+json")
    assert (answer.status, answer.body["reason"]) == (415, "UnsupportedMediaType")


def test_write_that_changes_nothing_keeps_the_version(api: Api) -> None:
    """A replace or a patch with what is there is no write, by whomever."""
    first = api.create(manifest("one", spec={"size": 1}), fieldManager="one")
    assert api.replace(first.body, fieldManager="two").version == first.version
    assert api.merge("one", {"spec": {"size": 1}}, fieldManager="three").version == first.version
    assert api.get("one").metadata == first.metadata


def test_generation_counts_changes_of_the_spec(api: Api) -> None:
    """Neither metadata nor status moves the generation of a kind with a status."""
    api.create(manifest("one", spec={"size": 1}))
    api.merge("one", {"metadata": {"labels": {"a": "b"}}})
    api.merge("one", {"status": {"ready": True}}, subresource="status")
    assert api.get("one").metadata["generation"] == 1
    assert api.merge("one", {"spec": {"size": 2}}).metadata["generation"] == 2


def test_generation_counts_the_status_too_where_it_is_no_subresource(api: Api) -> None:
    """Without the subresource the status is a field like others."""
    api.create(manifest("one", kind=GADGET, status={"a": 1}), kind=GADGET)
    answer = api.merge("one", {"status": {"a": 2}}, kind=GADGET)
    assert answer.metadata["generation"] == 2
    assert answer.body["status"] == {"a": 2}


def test_status_subresource_changes_nothing_else(api: Api) -> None:
    """Spec, labels and finalizers in a write to the status are ignored."""
    first = api.create(manifest("one", spec={"size": 1}))
    other = {"labels": {"a": "b"}, "finalizers": ["contract.turnout.dev/x"]}
    document = changed(first, metadata=other, spec={"size": 2}, status={"ready": True})
    answer = api.replace(document, subresource="status")
    assert answer.body["status"] == {"ready": True}
    assert answer.body["spec"] == first.body["spec"]
    assert not answer.metadata.keys() & other.keys()


def test_main_resource_does_not_change_the_status(api: Api) -> None:
    """The status in a replace, a merge patch or an apply is ignored."""
    api.create(manifest("one"))
    first = api.merge("one", {"status": {"ready": True}}, subresource="status")
    assert api.replace(changed(first, status={"ready": False})).body["status"] == {"ready": True}
    assert api.merge("one", {"status": None}).body["status"] == {"ready": True}
    assert api.apply("one", status={"ready": False}).body["status"] == {"ready": True}


def test_status_write_keeps_the_managers_apart(api: Api) -> None:
    """Who writes the status has an entry of its own, marked with the subresource."""
    api.create(manifest("one", spec={"size": 1}), fieldManager="one")
    answer = api.merge("one", {"status": {"a": 1}}, subresource="status", fieldManager="one")
    assert answer.managed("one", "Update") == {"f:spec": {".": {}, "f:mode": {}, "f:size": {}}}
    assert answer.managed("one", "Update", "status") == {"f:status": {".": {}, "f:a": {}}}


def test_dry_run_answers_as_if_and_stores_nothing(api: Api) -> None:
    """What would be refused is refused."""
    before = api.create(manifest("one", spec={"size": 1})).body
    answer = api.merge("one", {"metadata": {"labels": {"team": "a"}}}, dryRun="All")
    assert (answer.status, answer.metadata["labels"]) == (200, {"team": "a"})
    assert answer.version == before["metadata"]["resourceVersion"]
    assert api.merge("one", {"spec": {"size": "big"}}, dryRun="All").status == 422
    assert api.get("one").body == before


def test_dry_run_of_the_last_finalizers_removal_deletes_nothing(api: Api) -> None:
    api.create(manifest("one", finalizers=["example.com/hold"]))
    api.delete("one")
    answer = api.merge("one", {"metadata": {"finalizers": None}}, dryRun="All")
    assert (answer.status, answer.metadata.get("finalizers")) == (200, None)
    assert api.get("one").metadata["finalizers"] == ["example.com/hold"]
