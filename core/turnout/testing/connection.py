"""A controller's way to the cluster in memory, on which tests can have an effect."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator

from turnout.plugin import Kind
from turnout.runtime.transport import ConnectionFailed, Request, Response
from turnout.testing.memory import InMemoryCluster


class Connection:
    """The transport of one controller.

    It can be cut, as when a process dies. The events of a kind can be kept back: those of several kinds
    come in any order.
    """

    def __init__(self, cluster: InMemoryCluster) -> None:
        self._cluster = cluster
        self._flowing: defaultdict[str, asyncio.Event] = defaultdict(_flowing)
        self.alive = True

    def hold(self, kind: Kind) -> None:
        """Keep back the events of a kind until `release`. Calls are answered."""
        self._flowing[kind.plural].clear()

    def release(self, kind: Kind) -> None:
        self._flowing[kind.plural].set()

    async def send(self, request: Request) -> Response:
        self._check()
        response = await self._cluster.send(request)
        self._check()
        if request.stream:
            return Events(response, self._flowing[request.path.rpartition("/")[2]])
        return response

    async def close(self) -> None:
        """Nothing is open."""

    def _check(self) -> None:
        if not self.alive:
            raise ConnectionFailed("the process is gone")


def _flowing() -> asyncio.Event:
    event = asyncio.Event()
    event.set()
    return event


class Events:
    """The answer to a watch, whose events wait while they do not flow."""

    def __init__(self, response: Response, flowing: asyncio.Event) -> None:
        self._response = response
        self._flowing = flowing
        self.status = response.status
        self.headers = response.headers

    async def read(self) -> bytes:
        return await self._response.read()

    async def chunks(self) -> AsyncIterator[bytes]:
        async for chunk in self._response.chunks():
            await self._flowing.wait()
            yield chunk

    def close(self) -> None:
        self._response.close()
