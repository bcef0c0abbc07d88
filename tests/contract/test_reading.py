"""Reading: single objects, lists and their pages, watches."""

import pytest

from tests.contract.api import Api
from tests.contract.kinds import WIDGET, manifest
from tests.support import wait_until
from turnout.runtime.events import EVENT
from turnout.testing.memory import InMemoryCluster


def made(api: Api, *names: str) -> None:
    """Create a widget of each name."""
    for name in names:
        assert api.create(manifest(name)).status == 201


def test_absent_object_is_not_found_by_name(api: Api) -> None:
    """A 404 carries a Status that names the object and its kind."""
    answer = api.get("absent")
    assert answer.status == 404
    assert answer.body["reason"] == "NotFound"
    assert answer.body["details"] == {"name": "absent", "group": WIDGET.group, "kind": "widgets"}


def test_list_is_sorted_and_has_a_version(api: Api) -> None:
    """A list has its items by name, with their type, and the resourceVersion to watch from."""
    made(api, "b", "a", "c")
    listed = api.list()
    assert listed.names == ["a", "b", "c"]
    assert listed.body["kind"] == "WidgetList"
    assert {item["kind"] for item in listed.body["items"]} == {"Widget"}
    assert int(listed.version) >= int(listed.body["items"][2]["metadata"]["resourceVersion"])


def test_list_of_all_namespaces_has_those_of_one(api: Api) -> None:
    """A path without a namespace lists all of them."""
    made(api, "everywhere")
    listed = api.send("GET", f"/apis/{WIDGET.group}/v1/widgets")
    found = [(item["metadata"]["namespace"], item["metadata"]["name"]) for item in listed.body["items"]]
    assert (api.namespace, "everywhere") in found


@pytest.mark.parametrize(
    ("selector", "names"),
    [
        pytest.param("tier=web", ["a"], id="equal"),
        pytest.param("tier!=web", ["b", "c"], id="not equal"),
        pytest.param("tier in (web, db)", ["a", "b"], id="in"),
        pytest.param("tier notin (web,db)", ["c"], id="not in"),
        pytest.param("tier,tier!=db", ["a"], id="exists, and"),
        pytest.param("!tier", ["c"], id="does not exist"),
    ],
)
def test_list_selects_by_labels(api: Api, selector: str, names: list[str]) -> None:
    """A label selector leaves what it matches."""
    api.create(manifest("a", labels={"tier": "web"}))
    api.create(manifest("b", labels={"tier": "db"}))
    made(api, "c")
    assert api.list(labelSelector=selector).names == names


def test_list_selects_by_name(api: Api) -> None:
    """Every kind has the field selector metadata.name."""
    made(api, "a", "b")
    assert api.list(fieldSelector="metadata.name=b").names == ["b"]


def test_events_are_selected_by_what_they_are_about(api: Api) -> None:
    """By these fields, which no other kind has."""
    told = (("one", "Shifted", "uid-of-a"), ("two", "Shifted", "another"), ("three", "Ready", "uid-of-a"))
    for name, reason, uid in told:
        about = {"kind": "Widget", "name": "a", "namespace": api.namespace, "uid": uid}
        event = {"apiVersion": "v1", "kind": "Event", "metadata": {"name": name}, "involvedObject": about}
        assert api.create({**event, "reason": reason}, kind=EVENT).status == 201
    selected = "involvedObject.kind=Widget,involvedObject.name=a,involvedObject.uid=uid-of-a,reason=Shifted"
    assert api.list(kind=EVENT, fieldSelector=selected).names == ["one"]
    assert api.list(fieldSelector="reason=Shifted").status == 400


def test_pages_are_of_one_moment(api: Api) -> None:
    """What happens between two pages is in neither of them."""
    made(api, "a", "b", "c", "d")
    first = api.list(limit=2)
    api.delete("c")
    made(api, "e")
    second = api.list(limit=2, **{"continue": first.metadata["continue"]})
    assert first.names == ["a", "b"]
    assert second.names == ["c", "d"]
    assert first.metadata["remainingItemCount"] == 2
    assert first.version == second.version
    assert not second.metadata.get("continue")


def test_any_version_lists_whole(api: Api) -> None:
    """With resourceVersion=0 the limit is ignored."""
    made(api, "a", "b", "c")
    # A cache answers, which may be a moment behind.
    wait_until(lambda: "c" in api.list(limit=1, resourceVersion="0").names, what="the cache has seen all")
    assert api.list(limit=1, resourceVersion="0").names == ["a", "b", "c"]


def test_watch_tells_what_happened_since_in_order(api: Api) -> None:
    """A watch from a list's version has every change after it, with the object as it then was."""
    made(api, "before")
    watch = api.watch(since=api.list().version)
    made(api, "one")
    api.merge("one", {"spec": {"size": 1}})
    made(api, "two")
    api.delete("one")
    told = [watch.next() for _ in range(4)]
    watch.close()
    assert [(event[0], event[1]["metadata"]["name"]) for event in told if event] == [
        ("ADDED", "one"),
        ("MODIFIED", "one"),
        ("ADDED", "two"),
        ("DELETED", "one"),
    ]
    versions = [int(event[1]["metadata"]["resourceVersion"]) for event in told if event]
    assert versions == sorted(set(versions))


def test_deletion_event_has_the_last_state_and_a_new_version(api: Api) -> None:
    """DELETED carries the object as it was, under the resourceVersion of the deletion."""
    last = api.create(manifest("one", spec={"size": 3}))
    watch = api.watch(since=last.version)
    api.delete("one")
    told = watch.next()
    watch.close()
    assert told is not None
    assert told[0] == "DELETED"
    assert told[1]["spec"]["size"] == 3
    assert int(told[1]["metadata"]["resourceVersion"]) > int(last.version)


def test_watch_without_a_version_begins_with_what_is_there(api: Api) -> None:
    """Without a resourceVersion the present objects come first, as ADDED."""
    made(api, "a", "b")
    watch = api.watch(seconds=1)
    told = watch.rest()
    watch.close()
    assert sorted((kind, found["metadata"]["name"]) for kind, found in told) == [
        ("ADDED", "a"),
        ("ADDED", "b"),
    ]


def test_watch_ends_after_its_time(api: Api) -> None:
    """A watch on which nothing happens ends by itself, without an event."""
    watch = api.watch(since=api.list().version, seconds=1)
    assert watch.rest() == []
    watch.close()


def test_selected_watch_tells_of_what_comes_and_goes(api: Api) -> None:
    """An object that begins to match is ADDED, and DELETED when it matches no longer."""
    made(api, "one")
    watch = api.watch(since=api.list().version, labelSelector="tier=web")
    api.merge("one", {"metadata": {"labels": {"tier": "web"}}})
    api.merge("one", {"metadata": {"labels": {"tier": "db"}}})
    told = [watch.next(), watch.next()]
    watch.close()
    assert [event[0] for event in told if event] == ["ADDED", "DELETED"]


@pytest.mark.parametrize("api", ["memory"], indirect=True)
def test_watch_from_a_compacted_version_is_gone(memory: InMemoryCluster, api: Api) -> None:
    """The stream opens, and its only event is an ERROR with a Status 410."""
    since = api.list().version
    made(api, "one")
    memory.compact()
    watch = api.watch(since=since)
    told = watch.rest()
    watch.close()
    assert [(kind, found["code"], found["reason"]) for kind, found in told] == [("ERROR", 410, "Expired")]


@pytest.mark.parametrize("api", ["memory"], indirect=True)
def test_page_of_a_compacted_list_is_gone(memory: InMemoryCluster, api: Api) -> None:
    """A continue token older than the compaction is answered 410."""
    made(api, "a", "b")
    first = api.list(limit=1)
    made(api, "c")
    memory.compact()
    answer = api.list(limit=1, **{"continue": first.metadata["continue"]})
    assert (answer.status, answer.body["reason"]) == (410, "Expired")
