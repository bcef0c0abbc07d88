"""Deletion: preconditions, finalizers, and what goes with its owners."""

from typing import Any

import pytest

from tests.contract.api import Answer, Api
from tests.contract.kinds import GADGET, manifest
from tests.support import wait_until

A, B = "contract.turnout.dev/a", "contract.turnout.dev/b"


@pytest.fixture
def deleting(api: Api) -> Answer:
    """The widget `one`, with two finalizers, after a DELETE."""
    api.create(manifest("one", spec={"size": 1}, finalizers=[A, B]))
    return api.delete("one")


def test_deletion_answers_with_a_status(api: Api) -> None:
    """An object without finalizers is gone at once; the answer says which it was."""
    uid = api.create(manifest("one")).metadata["uid"]
    answer = api.delete("one")
    assert (answer.status, answer.body["status"]) == (200, "Success")
    assert answer.body["details"]["uid"] == uid
    assert api.get("one").status == 404


def test_deletion_of_an_absent_object_is_not_found(api: Api) -> None:
    """There is no idempotent DELETE."""
    assert api.delete("absent").status == 404


@pytest.mark.parametrize("precondition", ["uid", "resourceVersion"])
def test_deletion_has_preconditions(api: Api, precondition: str) -> None:
    """An object of another uid or resourceVersion stays: 409."""
    metadata = api.create(manifest("one")).metadata
    refused = api.delete("one", {"preconditions": {precondition: "1"}})
    assert (refused.status, refused.body["reason"]) == (409, "Conflict")
    assert api.delete("one", {"preconditions": {precondition: metadata[precondition]}}).status == 200


def test_all_of_a_selection_may_be_deleted(api: Api) -> None:
    """DELETE on the collection deletes what its selector matches."""
    api.create(manifest("a", labels={"tier": "web"}))
    api.create(manifest("b"))
    assert api.send("DELETE", api.path(), labelSelector="tier=web").status == 200
    assert api.list().names == ["b"]


def test_finalizers_keep_an_object(api: Api, deleting: Answer) -> None:
    """A DELETE marks it, counts the generation up, and answers with the object."""
    assert deleting.status == 200
    assert deleting.metadata["deletionTimestamp"]
    assert deleting.metadata["deletionGracePeriodSeconds"] == 0
    assert deleting.metadata["generation"] == 2
    assert api.get("one").metadata == deleting.metadata


def test_second_deletion_changes_nothing(api: Api, deleting: Answer) -> None:
    """A DELETE of what is being deleted already is no write."""
    assert api.delete("one").metadata == deleting.metadata


def test_deletion_cannot_be_taken_back(api: Api, deleting: Answer) -> None:
    """A patch does not remove the deletionTimestamp."""
    assert api.merge("one", {"metadata": {"deletionTimestamp": None}}).metadata == deleting.metadata


@pytest.mark.usefixtures("deleting")
def test_object_being_deleted_may_still_change(api: Api) -> None:
    """Its spec and its status are written as before."""
    assert api.merge("one", {"spec": {"size": 2}}).body["spec"]["size"] == 2
    assert api.merge("one", {"status": {"a": 1}}, subresource="status").body["status"] == {"a": 1}


@pytest.mark.usefixtures("deleting")
def test_name_is_taken_until_it_is_gone(api: Api) -> None:
    """A create is refused with 409, and says why."""
    answer = api.create(manifest("one"))
    assert (answer.status, answer.body["reason"]) == (409, "AlreadyExists")
    assert answer.body["message"].startswith("object is being deleted: ")


@pytest.mark.usefixtures("deleting")
def test_no_finalizer_is_added_to_what_is_being_deleted(api: Api) -> None:
    """Neither a patch nor an apply adds one: 422."""
    added = ["contract.turnout.dev/new"]
    answers = [
        api.merge("one", {"metadata": {"finalizers": [A, B, *added]}}),
        api.apply("one", finalizers=added),
    ]
    for answer in answers:
        assert answer.status == 422
        assert [field for field, _ in answer.causes] == ["metadata.finalizers"]


@pytest.mark.usefixtures("deleting")
def test_object_goes_with_its_last_finalizer(api: Api) -> None:
    """The patch that removes the last one succeeds, and the object is gone."""
    first = api.merge("one", {"metadata": {"finalizers": [B]}})
    assert first.metadata["finalizers"] == [B]
    last = api.merge("one", {"metadata": {"finalizers": None}})
    assert last.status == 200
    assert "finalizers" not in last.metadata
    assert api.get("one").status == 404


def test_watch_sees_the_end_of_a_finalized_object(api: Api, deleting: Answer) -> None:
    """The removal of the last finalizer is a DELETED event, which shows the state before it."""
    watch = api.watch(since=deleting.version)
    api.merge("one", {"metadata": {"finalizers": [B]}})
    api.merge("one", {"metadata": {"finalizers": None}, "spec": {"size": 9}})
    told = [watch.next(), watch.next()]
    watch.close()
    shown = [
        (event[0], event[1]["metadata"]["finalizers"], event[1]["spec"]["size"]) for event in told if event
    ]
    assert shown == [("MODIFIED", [B], 1), ("DELETED", [B], 1)]


def test_finalizer_is_removed_by_who_applied_it(api: Api) -> None:
    """An apply that leaves the last finalizer out lets the object go."""
    api.apply("one", finalizers=[A])
    api.delete("one")
    assert api.apply("one").status == 200
    assert api.get("one").status == 404


def owned_by(*owners: Answer) -> list[dict[str, Any]]:
    """Return references to owners."""
    return [
        {
            "apiVersion": owner.body["apiVersion"],
            "kind": owner.body["kind"],
            "name": owner.metadata["name"],
            "uid": owner.metadata["uid"],
        }
        for owner in owners
    ]


def test_dependents_go_with_their_owner(api: Api) -> None:
    """What one object owns goes when it goes, and what that owns as well."""
    owner = api.create(manifest("owner"))
    child = api.create(manifest("child", kind=GADGET, ownerReferences=owned_by(owner)), kind=GADGET)
    api.create(manifest("grandchild", ownerReferences=owned_by(child)))
    api.create(manifest("other"))
    api.delete("owner")
    wait_until(lambda: api.list().names == ["other"], timeout=20)
    assert api.list(kind=GADGET).names == []


def test_dependent_of_two_owners_goes_with_the_last(api: Api) -> None:
    """The first deletion only drops its reference."""
    owners = [api.create(manifest(name)) for name in ("first", "second")]
    api.create(manifest("child", kind=GADGET, ownerReferences=owned_by(*owners)), kind=GADGET)

    def left() -> list[str]:
        return [one["name"] for one in api.get("child", kind=GADGET).metadata["ownerReferences"]]

    api.delete("first")
    wait_until(lambda: left() == ["second"], timeout=20)
    api.delete("second")
    wait_until(lambda: api.get("child", kind=GADGET).status == 404, timeout=20)


def test_dependent_of_nobody_is_collected(api: Api) -> None:
    """An object whose owner does not exist goes soon after its creation."""
    gone = api.create(manifest("gone"))
    api.delete("gone")
    api.create(manifest("child", ownerReferences=owned_by(gone)))
    wait_until(lambda: api.get("child").status == 404, timeout=20)


def test_dependent_with_a_finalizer_waits_for_it(api: Api) -> None:
    """Collection is a deletion: finalizers hold it up."""
    owner = api.create(manifest("owner"))
    api.create(manifest("child", finalizers=[A], ownerReferences=owned_by(owner)))
    api.delete("owner")
    wait_until(lambda: "deletionTimestamp" in api.get("child").metadata, timeout=20)
    api.merge("child", {"metadata": {"finalizers": None}})
    assert api.get("child").status == 404


def test_orphans_stay(api: Api) -> None:
    """Deleted with propagationPolicy Orphan, an owner leaves its dependents without a reference."""
    owner = api.create(manifest("owner"))
    api.create(manifest("child", ownerReferences=owned_by(owner)))
    api.delete("owner", {"propagationPolicy": "Orphan"})
    wait_until(lambda: api.get("owner").status == 404, timeout=20)
    assert "ownerReferences" not in api.get("child").metadata
