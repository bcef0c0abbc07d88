"""The API as these tests speak it: plain calls, whose answers are only looked at."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from tests.contract.kinds import WIDGET, manifest
from turnout.plugin import Kind
from turnout.runtime.transport import APPLY, MERGE, Request, Response, Transport

T = TypeVar("T")


@dataclass(frozen=True)
class Answer:
    """A status and a body: JSON, or text where it is not."""

    status: int
    body: Any

    @property
    def metadata(self) -> dict[str, Any]:
        found: dict[str, Any] = self.body["metadata"]
        return found

    @property
    def version(self) -> str:
        """The resourceVersion of an object or a list."""
        version: str = self.metadata["resourceVersion"]
        return version

    @property
    def names(self) -> list[str]:
        """The names of a list's items."""
        return [item["metadata"]["name"] for item in self.body["items"]]

    @property
    def causes(self) -> list[tuple[str, str]]:
        """The (field, message) of a refusal, without duplicates."""
        found = [(cause["field"], cause["message"]) for cause in self.body["details"]["causes"]]
        return list(dict.fromkeys(found))

    def managed(self, manager: str, operation: str = "Apply", subresource: str = "") -> Any:
        """What a manager has in managedFields; None if it has no entry."""
        wanted = (manager, operation, subresource)
        for entry in self.metadata.get("managedFields", ()):
            if (entry["manager"], entry["operation"], entry.get("subresource", "")) == wanted:
                return entry["fieldsV1"]
        return None


class WatchEvents:
    """An open watch, read event by event."""

    def __init__(self, run: Callable[[Awaitable[Any]], Any], response: Response) -> None:
        self._run = run
        self._response = response
        self._chunks: AsyncIterator[bytes] = response.chunks()
        self._rest = b""

    def next(self) -> tuple[str, dict[str, Any]] | None:
        """Return the type and object of the next event, or None at the end of the watch."""
        while b"\n" not in self._rest:
            chunk = self._run(self._chunk())
            if chunk is None:
                return None
            self._rest += chunk
        line, self._rest = self._rest.split(b"\n", 1)
        event = json.loads(line)
        return event["type"], event["object"]

    def rest(self) -> list[tuple[str, dict[str, Any]]]:
        """Return all events until the watch ends by itself."""
        return list(iter(self.next, None))

    def close(self) -> None:
        self._response.close()

    async def _chunk(self) -> bytes | None:
        async with asyncio.timeout(10):
            return await anext(self._chunks, None)


class Api:
    """One API server and one namespace of it. `kind` is widgets where nothing else is said."""

    def __init__(self, runner: asyncio.Runner, transport: Transport, namespace: str) -> None:
        self._runner = runner
        self._transport = transport
        self.namespace = namespace

    def path(self, name: str = "", *, kind: Kind = WIDGET, subresource: str = "") -> str:
        start = f"/apis/{kind.group}" if kind.group else "/api"
        parts = (start, "v1", "namespaces", self.namespace, kind.plural, name, subresource)
        return "/".join(part for part in parts if part)

    def send(
        self, method: str, path: str, body: Any = None, content_type: str = "application/json", **query: Any
    ) -> Answer:
        """Send any request and read its answer."""
        request = Request(method, path, {key: str(value) for key, value in query.items()}, body, content_type)
        return self.run(self._send(request))

    def get(self, name: str, *, kind: Kind = WIDGET) -> Answer:
        return self.send("GET", self.path(name, kind=kind))

    def list(self, *, kind: Kind = WIDGET, **query: Any) -> Answer:
        return self.send("GET", self.path(kind=kind), **query)

    def create(self, document: dict[str, Any], *, kind: Kind = WIDGET, **query: Any) -> Answer:
        return self.send("POST", self.path(kind=kind), document, **query)

    def replace(
        self, document: dict[str, Any], *, kind: Kind = WIDGET, subresource: str = "", **query: Any
    ) -> Answer:
        path = self.path(document["metadata"]["name"], kind=kind, subresource=subresource)
        return self.send("PUT", path, document, **query)

    def merge(
        self, name: str, patch: dict[str, Any], *, kind: Kind = WIDGET, subresource: str = "", **query: Any
    ) -> Answer:
        path = self.path(name, kind=kind, subresource=subresource)
        return self.send("PATCH", path, patch, MERGE, **query)

    def apply(
        self,
        name: str,
        *,
        by: str = "one",
        kind: Kind = WIDGET,
        subresource: str = "",
        force: bool = False,
        **fields: Any,
    ) -> Answer:
        """Server-side apply a `manifest` of these fields."""
        path = self.path(name, kind=kind, subresource=subresource)
        document = manifest(name, kind=kind, **fields)
        return self.send("PATCH", path, document, APPLY, fieldManager=by, force=str(force).lower())

    def delete(self, name: str, options: dict[str, Any] | None = None, *, kind: Kind = WIDGET) -> Answer:
        return self.send("DELETE", self.path(name, kind=kind), options)

    def watch(self, *, since: str = "", kind: Kind = WIDGET, seconds: int = 30, **query: Any) -> WatchEvents:
        """Open a watch that the server ends after so many seconds."""
        asked = {"watch": "1", "timeoutSeconds": str(seconds), **{k: str(v) for k, v in query.items()}}
        if since:
            asked["resourceVersion"] = since
        request = Request("GET", self.path(kind=kind), asked, stream=True)
        response = self.run(self._transport.send(request))
        assert response.status == 200
        return WatchEvents(self.run, response)

    def run(self, awaitable: Awaitable[T]) -> T:
        """Wait for something that the transport does."""

        async def wait() -> T:
            return await awaitable

        return self._runner.run(wait())

    async def _send(self, request: Request) -> Answer:
        response = await self._transport.send(request)
        try:
            body = await response.read()
        finally:
            response.close()
        try:
            return Answer(response.status, json.loads(body))
        except json.JSONDecodeError:
            return Answer(response.status, body.decode())
