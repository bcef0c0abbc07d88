"""What the in-memory cluster has beyond an API server: kinds to install, helpers, a record, faults."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Coroutine
from datetime import UTC, datetime
from typing import Any, TypeVar

import pytest

from turnout.plugin import Kind, Ref
from turnout.runtime.transport import ConnectionFailed, Request, Response
from turnout.testing.memory import Answer, InMemoryCluster, StatusError

T = TypeVar("T")

MODEL = Kind("models.dev", ("v1",), "Model", "models")
ONE = Ref(MODEL, "default", "one")
MODELS = "/apis/models.dev/v1/namespaces/default/models"
LIST = Request("GET", MODELS)


def model(name: str, **spec: Any) -> dict[str, Any]:
    return {"apiVersion": "models.dev/v1", "kind": "Model", "metadata": {"name": name}, "spec": spec}


@pytest.fixture
def cluster() -> InMemoryCluster:
    """A cluster that serves models, on the first of May."""
    cluster = InMemoryCluster(now=lambda: datetime(2026, 5, 1, tzinfo=UTC))
    cluster.install(MODEL)
    return cluster


async def status_of(cluster: InMemoryCluster, request: Request) -> int:
    return (await cluster.send(request)).status


async def first_events(response: Response, count: int) -> list[tuple[str, str]]:
    """Read the (type, name) of the first events of a watch."""
    found: list[tuple[str, str]] = []
    rest = b""
    async for chunk in response.chunks():
        *lines, rest = (rest + chunk).split(b"\n")
        events = [json.loads(line) for line in lines]
        found += [(event["type"], event["object"]["metadata"]["name"]) for event in events]
        if len(found) >= count:
            break
    return found


def watch(cluster: InMemoryCluster, *, idle: float = 5.0, seconds: int = 5) -> Coroutine[Any, Any, Response]:
    """Open a watch on models from now on."""
    query = {"watch": "1", "resourceVersion": str(cluster.revision), "timeoutSeconds": str(seconds)}
    return cluster.send(Request("GET", MODELS, query, stream=True, idle=idle))


def test_manifests_are_applied_from_text(cluster: InMemoryCluster) -> None:
    """YAML text may hold several documents, and a List."""
    text = "\n---\n".join(
        [json.dumps(model("one")), "", json.dumps({"kind": "List", "items": [model("two"), model("three")]})]
    )
    cluster.apply_manifest(text)
    assert [found["metadata"]["name"] for found in cluster.objects(MODEL)] == ["one", "three", "two"]


def test_helpers_write_and_read(cluster: InMemoryCluster) -> None:
    """What one helper wrote the others see, and absent objects are None."""
    cluster.apply_manifest(model("one", size=1))
    cluster.replace(model("one", size=2))
    cluster.set_status(ONE, {"ready": True})
    cluster.patch(ONE, {"metadata": {"labels": {"a": "b"}}})
    found = cluster.get(ONE)
    assert found is not None
    assert (found["spec"], found["status"], found["metadata"]["labels"]) == (
        {"size": 2},
        {"ready": True},
        {"a": "b"},
    )
    cluster.delete(ONE)
    assert cluster.get(ONE) is None


def test_what_was_read_may_be_changed(cluster: InMemoryCluster) -> None:
    """Objects that are handed out are copies."""
    cluster.apply_manifest(model("one", size=1))
    for found in (cluster.get(ONE), *cluster.objects(MODEL)):
        assert found is not None
        found["spec"]["size"] = 2
    again = cluster.get(ONE)
    assert again is not None
    assert again["spec"]["size"] == 1


def test_kind_that_is_not_installed_is_named(cluster: InMemoryCluster) -> None:
    """A manifest of an unknown kind is an error that says what to do."""
    with pytest.raises(LookupError, match=r"serves no Other of other\.dev/v1; install it first"):
        cluster.apply_manifest({"apiVersion": "other.dev/v1", "kind": "Other", "metadata": {"name": "one"}})


def test_time_and_uid_are_injected() -> None:
    """Times and uids come from where the cluster was told."""
    cluster = InMemoryCluster(now=lambda: datetime(2026, 5, 1, tzinfo=UTC), new_uid=lambda: "uid-1")
    cluster.install(MODEL)
    metadata = cluster.create(model("one", size=1))["metadata"]
    assert (metadata["creationTimestamp"], metadata["uid"]) == ("2026-05-01T00:00:00Z", "uid-1")
    assert metadata["managedFields"][0]["time"] == "2026-05-01T00:00:00Z"


def test_kind_validates_and_fills_in(cluster: InMemoryCluster) -> None:
    """A kind's hooks refuse with 422 and the fields, and fill in what is left out."""

    def validate(document: dict[str, Any]) -> list[tuple[str, str]]:
        return [("spec.size", "must be positive")] if document["spec"]["size"] < 1 else []

    def default(document: dict[str, Any]) -> None:
        document["spec"].setdefault("size", 1)

    cluster.install(MODEL, validate=validate, default=default)
    assert cluster.create(model("one"))["spec"] == {"size": 1}
    with pytest.raises(StatusError) as refused:
        cluster.create(model("two", size=0))
    assert refused.value.code == 422
    causes = refused.value.status()["details"]["causes"]
    assert [(cause["field"], cause["message"]) for cause in causes] == [("spec.size", "must be positive")]


def test_schema_of_an_installed_kind_says_how_lists_merge(cluster: InMemoryCluster) -> None:
    """A schema that names only its list types prunes nothing."""
    parts = {"type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"]}
    spec = {"properties": {"parts": parts}, "x-kubernetes-preserve-unknown-fields": True}
    cluster.install(MODEL, {"properties": {"spec": spec}})
    cluster.apply_manifest(model("one", parts=[{"name": "a"}], size=1), manager="a")
    [both] = cluster.apply_manifest(model("one", parts=[{"name": "b"}]), manager="b")
    assert both["spec"] == {"parts": [{"name": "a"}, {"name": "b"}], "size": 1}


def test_kind_without_namespaces(cluster: InMemoryCluster) -> None:
    """A cluster-scoped kind has its objects in no namespace."""
    kind = Kind("models.dev", ("v1",), "Region", "regions")
    cluster.install(kind, namespaced=False)
    cluster.apply_manifest({**model("eu"), "kind": "Region"})
    assert "namespace" not in cluster.objects(kind)[0]["metadata"]
    assert asyncio.run(status_of(cluster, Request("GET", "/apis/models.dev/v1/regions/eu"))) == 200


def test_uninstalled_kind_takes_its_objects_along(cluster: InMemoryCluster) -> None:
    """Its watches tell of the deletions and end, its objects' dependents go, its path is unknown."""
    [owner] = cluster.apply_manifest(model("one"))
    reference = {
        "apiVersion": "models.dev/v1",
        "kind": "Model",
        "name": "one",
        "uid": owner["metadata"]["uid"],
    }
    dependent = {"metadata": {"name": "route", "ownerReferences": [reference]}}
    cluster.apply_manifest({"apiVersion": "v1", "kind": "ConfigMap", **dependent})

    async def uninstall() -> list[tuple[str, str]]:
        response = await watch(cluster)
        cluster.uninstall(MODEL)
        return await first_events(response, 2)

    assert asyncio.run(uninstall()) == [("DELETED", "one")]
    assert cluster.objects(Kind("", ("v1",), "ConfigMap", "configmaps")) == []
    assert asyncio.run(status_of(cluster, LIST)) == 404


def test_garbage_may_be_collected_later(cluster: InMemoryCluster) -> None:
    """Switched off, collection waits for a word."""
    [owner] = cluster.apply_manifest(model("one"))
    reference = {
        "apiVersion": "models.dev/v1",
        "kind": "Model",
        "name": "one",
        "uid": owner["metadata"]["uid"],
    }
    cluster.apply_manifest({**model("two"), "metadata": {"name": "two", "ownerReferences": [reference]}})
    cluster.collects_garbage = False
    cluster.delete(ONE)
    assert len(cluster.objects(MODEL)) == 1
    cluster.collect_garbage()
    assert cluster.objects(MODEL) == []


def test_calls_are_recorded(cluster: InMemoryCluster) -> None:
    """A request that was received is a call, in RBAC's words; helpers are none."""
    cluster.apply_manifest(model("one"))

    async def ask() -> None:
        await cluster.send(LIST)
        await cluster.send(Request("GET", "/apis/models.dev/v1"))
        await cluster.send(Request("DELETE", f"{MODELS}/one"))
        await cluster.send(Request("PUT", f"{MODELS}/one/status", body=model("one")))

    asyncio.run(ask())
    assert [(call.verb, call.resource, call.name, call.subresource) for call in cluster.calls] == [
        ("list", "models.models.dev", "", ""),
        ("discover", "", "", ""),
        ("delete", "models.models.dev", "one", ""),
        ("update", "models.models.dev", "one", "status"),
    ]
    assert [call.verb for call in cluster.writes] == ["delete", "update"]


class Killed(BaseException):
    """Ends whoever made the call."""


@pytest.mark.parametrize(
    ("hook", "written"),
    [pytest.param("on_request", False, id="before"), pytest.param("on_response", True, id="after")],
)
def test_caller_may_be_killed_at_a_call(cluster: InMemoryCluster, hook: str, written: bool) -> None:
    """A hook that raises ends the caller, before or after the write took effect."""

    def kill(*_: object) -> None:
        raise Killed

    setattr(cluster, hook, kill)
    with pytest.raises(Killed):
        asyncio.run(cluster.send(Request("POST", MODELS, body=model("one"))))
    assert (cluster.get(ONE) is not None) == written


async def _refuse(_: Request) -> Response:
    return Answer(403, {"kind": "Status"})


def _throttle(_: Request) -> Response | None:
    raise StatusError(429, "TooManyRequests", "slow down")


@pytest.mark.parametrize(
    ("hook", "status"), [pytest.param(_refuse, 403, id="answer"), pytest.param(_throttle, 429, id="error")]
)
def test_hook_may_answer(
    cluster: InMemoryCluster, hook: Callable[[Request], Response | Awaitable[Response] | None], status: int
) -> None:
    """A hook's answer, or the StatusError it raises, goes in place of the server's."""
    cluster.on_request = hook
    assert asyncio.run(status_of(cluster, LIST)) == status


def test_frozen_server_does_not_answer_in_time(cluster: InMemoryCluster) -> None:
    """While it is frozen a request waits until its time is up, and has no effect."""
    cluster.freeze()
    request = Request("POST", MODELS, body=model("one"), timeout=0.05)
    with pytest.raises(ConnectionFailed, match=r"no answer within 0\.05 s"):
        asyncio.run(cluster.send(request))
    assert cluster.get(ONE) is None


def test_thawed_server_answers_who_waits(cluster: InMemoryCluster) -> None:
    """What was asked while it was frozen is answered afterwards."""

    async def thaw() -> int:
        cluster.freeze()
        asking = asyncio.create_task(status_of(cluster, LIST))
        await asyncio.sleep(0.01)
        assert not asking.done()
        cluster.thaw()
        return await asking

    assert asyncio.run(thaw()) == 200


def test_slow_server_is_waited_for(cluster: InMemoryCluster) -> None:
    """A latency longer than the request's timeout is no answer."""
    cluster.latency = 0.05
    assert asyncio.run(status_of(cluster, LIST)) == 200
    with pytest.raises(ConnectionFailed):
        asyncio.run(cluster.send(Request("GET", MODELS, timeout=0.01)))


def test_silent_watch_breaks(cluster: InMemoryCluster) -> None:
    """A watch on which nothing comes for longer than `idle` is a lost connection."""

    async def follow() -> None:
        await first_events(await watch(cluster, idle=0.02), 1)

    with pytest.raises(ConnectionFailed, match=r"nothing was received for 0\.02 s"):
        asyncio.run(follow())


@pytest.mark.parametrize("broken", [False, True])
def test_watches_end_on_demand(cluster: InMemoryCluster, broken: bool) -> None:
    """An ended watch tells what had happened, and then ends or breaks."""

    async def follow() -> list[tuple[str, str]]:
        response = await watch(cluster)
        cluster.apply_manifest(model("one"))
        cluster.end_watches(MODEL, broken=broken)
        return await first_events(response, 2)

    if broken:
        with pytest.raises(ConnectionFailed):
            asyncio.run(follow())
    else:
        assert asyncio.run(follow()) == [("ADDED", "one")]


def test_chunks_may_cut_lines(cluster: InMemoryCluster) -> None:
    """With a chunk size, a line of a watch comes in pieces."""
    cluster.chunk_size = 7

    async def follow() -> tuple[bytes, list[tuple[str, str]]]:
        response = await watch(cluster)
        cluster.apply_manifest(model("one"))
        chunk = await anext(aiter(response.chunks()))
        response.close()
        again = await watch(cluster)
        cluster.apply_manifest(model("two"))
        return chunk, await first_events(again, 1)

    assert asyncio.run(follow()) == (b'{"type"', [("ADDED", "two")])


def test_bookmark_ends_a_quiet_watch(cluster: InMemoryCluster) -> None:
    """A watch that allows bookmarks ends with one, which has the last version."""

    async def follow() -> bytes:
        since = {"resourceVersion": str(cluster.revision), "timeoutSeconds": "0.02"}
        query = {"watch": "1", "allowWatchBookmarks": "true", **since}
        cluster.apply_manifest({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "other"}})
        return await (await cluster.send(Request("GET", MODELS, query, stream=True))).read()

    event = json.loads(asyncio.run(follow()))
    assert event["type"] == "BOOKMARK"
    assert event["object"]["metadata"]["resourceVersion"] == str(cluster.revision)
