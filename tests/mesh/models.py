"""Model servers of this process that are a version each, as KServe's pods are."""

import asyncio
import threading
from typing import Self

from tests.support.waiting import free_address
from turnout.testing.serving import ModelServer


class OneModel:
    """Answers calls to the model wisdom as one version, whatever headers they have, while it is a context.

    It has an address of its own, as a Service has in a cluster.
    """

    def __init__(self, version: str, port: int) -> None:
        self.version = version
        self.address, self.port = free_address(), port
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name=version, daemon=True)
        self._server = ModelServer(host=self.address, port=port)

    @property
    def received(self) -> int:
        """How many calls it has answered."""
        return sum(self._server.received.answered().values())

    def __enter__(self) -> Self:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._start(), self._loop).result(30)
        return self

    def __exit__(self, *exception: object) -> None:
        asyncio.run_coroutine_threadsafe(self._server.stop(), self._loop).result(30)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    async def _start(self) -> None:
        await self._server.start()
        self._server.put({"metadata": {"name": self.version}, "spec": {}}, loaded=True)
        self._server.routes.set("wisdom", {self.version: 1.0})
