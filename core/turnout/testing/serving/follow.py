"""Feeds the stand-in from a cluster: the InferenceServices of a namespace, and their status in return."""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from turnout.plugin import Kind, Ref
from turnout.runtime.client import Client
from turnout.runtime.errors import ApiError
from turnout.runtime.reflector import Reflector, Unavailable
from turnout.runtime.stream import Event
from turnout.runtime.transport import ConnectionFailed
from turnout.testing.serving.server import ModelServer
from turnout.testing.serving.status import says_ready, status

log = logging.getLogger(__name__)

INFERENCE_SERVICE = Kind("serving.kserve.io", ("v1beta1",), "InferenceService", "inferenceservices")
RETRY = 0.5
"""Seconds after which a status is written again that could not be."""


DEPLOYMENT_MODE, MODELMESH = "serving.kserve.io/deploymentMode", "ModelMesh"


def _utc() -> datetime:
    return datetime.now(UTC)


async def follow(
    server: ModelServer, client: Client, namespace: str, *, now: Callable[[], datetime] = _utc
) -> None:
    """Serve the InferenceServices of a namespace, and write their status, until cancelled.

    One with the annotation of another deployment mode is left alone. One that is gone is served no more;
    one whose deletion waits for finalizers still is. One that says it is ready when it is first seen is
    taken as loaded. A status is written when the state of the service changes: what someone else writes
    to it holds until then.
    """
    follower = _Follower(server, client, namespace, now)
    server.listeners.append(follower.mark)
    try:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(Reflector(client, INFERENCE_SERVICE, namespace, follower).run())
            tasks.create_task(follower.tell())
    finally:
        server.listeners.remove(follower.mark)


class _Follower:
    """The sink of the reflector, and the writer of what changed."""

    def __init__(
        self, server: ModelServer, client: Client, namespace: str, now: Callable[[], datetime]
    ) -> None:
        self._server = server
        self._client = client
        self._namespace = namespace
        self._now = now
        self._objects: dict[str, dict[str, Any]] = {}
        self._listed: list[dict[str, Any]] = []
        self._told: dict[str, str] = {}  # the uid of the object whose status is written
        self._marked: set[str] = set()
        self._wake = asyncio.Event()

    def begin(self) -> None:
        self._listed.clear()

    def page(self, items: Sequence[dict[str, Any]]) -> None:
        self._listed.extend(items)

    def end(self, resource_version: str) -> None:
        for name in self._objects.keys() - {one["metadata"]["name"] for one in self._listed}:
            self._gone(name)
        for service in self._listed:
            self._put(service)
        self._listed.clear()

    def events(self, events: Sequence[Event]) -> None:
        for event in events:
            if event.type == "DELETED":
                self._gone(event.object["metadata"]["name"])
            else:
                self._put(event.object)

    def unavailable(self, reason: Unavailable) -> None:
        log.warning("the models stay as they are: %s", reason.message)

    def available(self) -> None:
        pass

    def mark(self, name: str) -> None:
        """The state of a service has changed: its status is to be written."""
        self._marked.add(name)
        self._wake.set()

    async def tell(self) -> None:
        """Write what is to be written, until cancelled."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            for name in sorted(self._marked):
                self._marked.discard(name)
                try:
                    await self._say(name)
                except (ApiError, ConnectionFailed) as error:
                    log.warning("the status of %s is not written: %s", name, error)
                    asyncio.get_running_loop().call_later(RETRY, self.mark, name)

    def _put(self, service: dict[str, Any]) -> None:
        name, uid = service["metadata"]["name"], service["metadata"].get("uid", "")
        if not _of_modelmesh(service):
            self._gone(name)
            return
        new = name not in self._objects
        self._objects[name] = service
        self._server.put(service, loaded=new and says_ready(service))
        if self._told.get(name) != uid:
            self.mark(name)

    def _gone(self, name: str) -> None:
        self._objects.pop(name, None)
        self._told.pop(name, None)
        self._server.remove(name)

    async def _say(self, name: str) -> None:
        service, state = self._objects.get(name), self._server.models.state(name)
        if service is None or state is None:
            return
        said = status(state, service.get("status") or {}, self._now().strftime("%Y-%m-%dT%H:%M:%SZ"))
        ref = Ref(INFERENCE_SERVICE, self._namespace, name)
        stored = await self._client.merge_patch(ref, {"status": said}, subresource="status")
        self._told[name] = stored["metadata"].get("uid", "")
        if self._objects.get(name) is service:  # the next status goes on from what is there now
            self._objects[name] = stored


def _of_modelmesh(service: Mapping[str, Any]) -> bool:
    """Whether nothing else serves it: ModelMesh leaves other modes to KServe."""
    mode = (service["metadata"].get("annotations") or {}).get(DEPLOYMENT_MODE, MODELMESH)
    return bool(mode == MODELMESH)
