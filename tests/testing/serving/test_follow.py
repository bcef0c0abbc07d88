"""The stand-in fed from a cluster, in made-up time: what it serves, and the status it writes."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.support import faketime
from tests.testing.serving.services import service
from turnout.plugin import Ref
from turnout.runtime.client import Client
from turnout.runtime.transport import ConnectionFailed, Request, Response
from turnout.testing.memory import InMemoryCluster
from turnout.testing.serving import Model, ModelServer, follow
from turnout.testing.serving.follow import INFERENCE_SERVICE

NAMESPACE = "models"
REF = Ref(INFERENCE_SERVICE, NAMESPACE, "wisdom-0")
SECONDS = 10.0
OLD, NEW = service("wisdom-0"), service("wisdom-0", "s3://models/new", version="v1")
READY = {"conditions": [{"type": "Ready", "status": "True"}]}


class Followed:
    """A cluster, and a stand-in that follows it."""

    def __init__(self) -> None:
        self.cluster = InMemoryCluster()
        self.cluster.install(INFERENCE_SERVICE)
        self.server = ModelServer(load_seconds=SECONDS)

    def apply(self, document: dict[str, Any]) -> None:
        self.cluster.apply_manifest(document, namespace=NAMESPACE)

    def serving(self) -> Model | None:
        return self.server.models.serving("wisdom-0")

    def status(self) -> dict[str, Any]:
        found: dict[str, Any] = (self.cluster.get(REF) or {}).get("status") or {}
        return found

    def said(self) -> tuple[str, str, str, str]:
        """Ready, the active model, the target model, the transition."""
        status = self.status()
        (ready,) = {one["status"] for one in status["conditions"]}
        model = status["modelStatus"]
        states = model["states"]
        return ready, states["activeModelState"], states["targetModelState"], model["transitionStatus"]


Use = Callable[[Followed], Awaitable[None]]

LOADING = ("False", "Loading", "", "InProgress")
LOADED = ("True", "Loaded", "", "UpToDate")
REPLACING = ("True", "Loaded", "Loading", "InProgress")


def followed(use: Use, prepare: Callable[[Followed], None] = lambda _: None) -> Followed:
    """Run a test while the stand-in follows the cluster."""

    def now() -> datetime:
        return datetime.fromtimestamp(faketime.now(), UTC)

    async def main() -> Followed:
        bed = Followed()
        prepare(bed)
        running = asyncio.ensure_future(follow(bed.server, Client(bed.cluster), NAMESPACE, now=now))
        await asyncio.sleep(1)
        await use(bed)
        assert not running.done()
        running.cancel()
        await asyncio.wait([running])
        assert bed.server.listeners == []
        return bed

    return faketime.run(main())


def test_a_new_service_is_ready_once_it_is_loaded() -> None:
    async def use(bed: Followed) -> None:
        bed.apply(OLD)
        await asyncio.sleep(1)
        assert (bed.serving(), bed.said()) == (None, LOADING)
        began = bed.status()["conditions"]
        assert [one["type"] for one in began] == ["PredictorReady", "Ready"]
        await asyncio.sleep(SECONDS)
        assert (bed.serving(), bed.said()) == (Model.of(OLD), LOADED)
        assert {one["lastTransitionTime"] for one in began} == {"1970-01-01T00:00:01Z"}
        assert {one["lastTransitionTime"] for one in bed.status()["conditions"]} == {"1970-01-01T00:00:11Z"}

    bed = followed(use)
    assert len(bed.cluster.writes) == 2


def test_one_that_was_there_before_is_loaded_too() -> None:
    async def use(bed: Followed) -> None:
        assert bed.said() == LOADING
        await asyncio.sleep(SECONDS)
        assert bed.said() == LOADED

    followed(use, lambda bed: bed.apply(OLD))


def test_one_that_says_it_is_ready_when_it_is_first_seen_is_loaded() -> None:
    def prepare(bed: Followed) -> None:
        bed.apply(OLD)
        bed.cluster.set_status(REF, READY)

    async def use(bed: Followed) -> None:
        assert (bed.serving(), bed.said()) == (Model.of(OLD), LOADED)

    followed(use, prepare)


def test_a_replacement_stays_ready_while_it_loads() -> None:
    async def use(bed: Followed) -> None:
        bed.apply(OLD)
        await asyncio.sleep(2 * SECONDS)
        since = [one["lastTransitionTime"] for one in bed.status()["conditions"]]
        bed.cluster.replace(NEW, namespace=NAMESPACE)
        await asyncio.sleep(1)
        assert (bed.serving(), bed.said()) == (Model.of(OLD), REPLACING)
        await asyncio.sleep(SECONDS)
        assert (bed.serving(), bed.said()) == (Model.of(NEW), LOADED)
        assert [one["lastTransitionTime"] for one in bed.status()["conditions"]] == since

    followed(use)


def test_one_whose_deletion_waits_is_served_until_it_is_gone() -> None:
    async def use(bed: Followed) -> None:
        bed.apply({**OLD, "metadata": {**OLD["metadata"], "finalizers": ["example.com/wait"]}})
        await asyncio.sleep(2 * SECONDS)
        bed.cluster.delete(REF)
        await asyncio.sleep(SECONDS)
        assert bed.serving() == Model.of(OLD)
        bed.cluster.patch(REF, {"metadata": {"finalizers": None}})
        await asyncio.sleep(0.1)
        assert bed.server.models.names() == []

    followed(use)


def test_one_that_is_created_anew_is_loaded_anew() -> None:
    async def use(bed: Followed) -> None:
        bed.apply(OLD)
        await asyncio.sleep(2 * SECONDS)
        bed.cluster.delete(REF)
        bed.apply(OLD)
        await asyncio.sleep(1)
        assert (bed.serving(), bed.said()) == (None, LOADING)

    followed(use)


@pytest.mark.parametrize(("new", "said"), [(NEW, REPLACING), (OLD, LOADED)], ids=["another", "the same"])
def test_one_that_was_created_anew_unseen_is_replaced(new: dict[str, Any], said: tuple[str, ...]) -> None:
    async def use(bed: Followed) -> None:
        bed.apply(OLD)
        await asyncio.sleep(2 * SECONDS)
        bed.cluster.freeze()
        bed.cluster.end_watches(broken=True)
        bed.cluster.delete(REF)
        bed.apply(new)
        bed.cluster.compact()
        bed.cluster.thaw()
        await asyncio.sleep(2)
        assert (bed.serving(), bed.said()) == (Model.of(OLD), said)

    followed(use)


def test_one_that_went_unseen_is_served_no_more() -> None:
    async def use(bed: Followed) -> None:
        bed.apply(OLD)
        bed.apply(service("wisdom-1"))
        await asyncio.sleep(1)
        bed.cluster.freeze()
        bed.cluster.end_watches(broken=True)
        bed.cluster.delete(REF)
        bed.cluster.compact()
        bed.cluster.thaw()
        await asyncio.sleep(2)
        assert bed.server.models.names() == ["wisdom-1"]

    followed(use)


def test_what_someone_else_says_holds_until_something_changes() -> None:
    async def use(bed: Followed) -> None:
        bed.apply(OLD)
        await asyncio.sleep(2 * SECONDS)
        failed = {"conditions": [{"type": "Ready", "status": "False"}, {"type": "Other", "status": "True"}]}
        bed.cluster.set_status(REF, failed)
        await asyncio.sleep(2 * SECONDS)
        assert bed.status() == failed
        bed.apply(NEW)
        await asyncio.sleep(1)
        assert [one["type"] for one in bed.status()["conditions"]] == ["Other", "PredictorReady", "Ready"]
        assert bed.said() == REPLACING

    followed(use)


@pytest.mark.parametrize("lost", ["request", "answer"])
def test_a_status_that_could_not_be_written_is_written_again(lost: str) -> None:
    def fail(request: Request) -> None:
        if request.method == "PATCH":
            raise ConnectionFailed("cut")

    def fail_after(request: Request, _: Response) -> None:
        fail(request)

    async def use(bed: Followed) -> None:
        if lost == "request":
            bed.cluster.on_request = fail
        else:
            bed.cluster.on_response = fail_after
        bed.apply(OLD)
        await asyncio.sleep(2)
        bed.cluster.on_request = bed.cluster.on_response = None
        await asyncio.sleep(1)
        assert bed.said() == LOADING

    followed(use)


def test_a_heartbeat_writes_nothing() -> None:
    async def use(bed: Followed) -> None:
        bed.apply(OLD)
        await asyncio.sleep(2 * SECONDS)
        before = len(bed.cluster.writes)
        bed.cluster.patch(REF, {"metadata": {"annotations": {"beat": "1"}}})
        await asyncio.sleep(SECONDS)
        assert len(bed.cluster.writes) == before

    followed(use)


def test_one_of_another_deployment_mode_is_left_alone() -> None:
    """It is served by pods of its own, and KServe writes its status."""
    annotations = {"annotations": {"serving.kserve.io/deploymentMode": "Standard"}}

    async def use(bed: Followed) -> None:
        bed.apply({**OLD, "metadata": {**OLD["metadata"], **annotations}})
        await asyncio.sleep(2 * SECONDS)
        assert (bed.serving(), bed.status()) == (None, {})

    assert followed(use).cluster.writes == []
