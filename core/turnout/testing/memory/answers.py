"""What the in-memory cluster answers with: a body, or the lines of a watch."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Any, Self

import orjson

from turnout.runtime.transport import ConnectionFailed
from turnout.testing.memory.watch import Watch


class Answer:
    """A `Response` with a body that is there already. Fault hooks may return one of their own.

    `body`: JSON data, or bytes as they are.
    """

    def __init__(self, status: int, body: Any = None, headers: Mapping[str, str] | None = None) -> None:
        self.status = status
        self.headers: Mapping[str, str] = headers or {"Content-Type": "application/json"}
        self._body = body if isinstance(body, bytes) else orjson.dumps(body)

    async def read(self) -> bytes:
        return self._body

    def chunks(self) -> AsyncIterator[bytes]:
        async def whole() -> AsyncIterator[bytes]:
            yield self._body

        return whole()

    def close(self) -> None:
        """Nothing is open."""


class Stream(Answer):
    """A `Response` that follows a watch, with at most `idle` seconds of silence.

    `flowing`: cleared while the server is frozen. `cut`: at most so many bytes a chunk.
    """

    def __init__(self, watch: Watch, flowing: asyncio.Event, *, idle: float, cut: int | None) -> None:
        super().__init__(200)
        self._watch = watch
        self._flowing = flowing
        self._idle = idle
        self._cut = cut
        self._rest = b""

    async def read(self) -> bytes:
        return b"".join([chunk async for chunk in self])

    def chunks(self) -> AsyncIterator[bytes]:
        return self

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        if not self._rest:
            self._rest = await self._line()
        chunk, self._rest = self._rest[: self._cut], self._rest[self._cut or len(self._rest) :]
        return chunk

    def close(self) -> None:
        self._watch.end()

    async def _line(self) -> bytes:
        try:
            async with asyncio.timeout(self._idle):
                await self._flowing.wait()
                line = await self._watch.line()
        except TimeoutError:
            raise ConnectionFailed(f"nothing was received for {self._idle:g} s") from None
        if line is None:
            raise StopAsyncIteration
        return line
