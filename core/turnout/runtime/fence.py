"""Keeps a controller that leads no longer from writing, whatever it was about to write."""

import asyncio
from collections.abc import Callable
from dataclasses import replace

from turnout.runtime.transport import ConnectionFailed, Request, Response, Transport

SHORTEST = 0.001
"""Seconds. The API server takes less for no limit at all."""


class Fence(Transport):
    """A connection on which a write is sent only while `remaining` says so, and ends within that time.

    The API server is told of that time as well, so that it does not carry out later what it was slow to.
    A write that has been sent is waited for by `quiet`, though whoever asked for it is cancelled.
    """

    def __init__(self, transport: Transport, remaining: Callable[[], float]) -> None:
        self._transport = transport
        self._remaining = remaining
        self._under_way: set[asyncio.Task[Response]] = set()

    async def send(self, request: Request) -> Response:
        if request.method == "GET":
            return await self._transport.send(request)
        seconds = min(request.timeout, self._remaining())
        if seconds < SHORTEST:
            raise ConnectionFailed("nothing is written: this controller does not lead")
        query = {**request.query, "timeout": f"{seconds:.3f}s"}
        task = asyncio.ensure_future(self._transport.send(replace(request, query=query, timeout=seconds)))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            task.add_done_callback(_drop)
            raise

    async def quiet(self) -> bool:
        """Wait for the writes that have been sent. Whether all have been answered."""
        if self._under_way:
            await asyncio.wait(self._under_way, timeout=max(0.0, self._remaining()))
        return not self._under_way

    async def close(self) -> None:
        await self._transport.close()


def _drop(task: asyncio.Task[Response]) -> None:
    """Nobody reads the answer."""
    if not task.cancelled() and task.exception() is None:
        task.result().close()
