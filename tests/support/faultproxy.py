"""A proxy in front of an API server that breaks what passes through it, in the ways that networks do.

Plain HTTP towards the client, TLS towards the server, one connection for each request.
"""

import asyncio
import socket
import ssl
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

import orjson

Fault = Callable[[str, str], bytes | None]
"""Given the method and the target ("/api/v1/…?watch=1"): the answer to give instead, or None."""

Delay = Callable[[str, str], float]
"""Given the same: the seconds for which a request is held before it is passed on."""


def answer(status: int, body: Mapping[str, object] | None = None, **headers: str) -> bytes:
    """A whole HTTP response; headers as `Retry_After="1"`. No body: an empty one."""
    content = b"" if body is None else orjson.dumps(body)
    fields = {"Content-Type": "application/json", "Content-Length": str(len(content)), "Connection": "close"}
    fields |= {name.replace("_", "-"): value for name, value in headers.items()}
    head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return f"HTTP/1.1 {status} Fault\r\n{head}\r\n".encode() + content


def refusal(status: int, reason: str, **headers: str) -> bytes:
    """An answer of the API machinery that is no success."""
    body = {"kind": "Status", "apiVersion": "v1", "code": status, "reason": reason, "message": "a fault"}
    return answer(status, body, **headers)


@dataclass(eq=False)
class _Connection:
    target: str
    client: asyncio.StreamWriter
    stalled: bool = False
    torn: bool = False


class FaultProxy:
    """Forwards everything, until told otherwise. Used as a context on the loop of its client."""

    def __init__(self, server: str, ca_file: Path) -> None:
        address = urlsplit(server)
        self._server = (address.hostname, address.port)
        self._tls = ssl.create_default_context(cafile=ca_file)
        self._connections: set[_Connection] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._listener: asyncio.Server | None = None
        self._port = 0
        self.fault: Fault | None = None
        self.delay: Delay | None = None
        self.seen: list[str] = []
        """Each request that came, as "GET /api/v1/…"."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    async def __aenter__(self) -> Self:
        await self.accept()
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self.refuse()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.sleep(0.2)  # connections that are cut, half-open TLS ones too, close in the next turns

    async def accept(self) -> None:
        """Listen, on the same port as before."""
        self._listener = await asyncio.start_server(self._accepted, "127.0.0.1", self._port)
        self._port = self._listener.sockets[0].getsockname()[1]

    async def refuse(self) -> None:
        """Refuse new connections and reset the open ones."""
        if self._listener is not None:
            self._listener.close()
            self._listener = None
        for connection in self._connections:
            _reset(connection.client)

    def stall(self) -> None:
        """Let nothing more through on the connections that are open, and say nothing to either side."""
        for connection in self._connections:
            connection.stalled = True

    def tear(self) -> None:
        """Of what comes next on each open connection let half through, then reset it."""
        for connection in self._connections:
            connection.torn = True

    async def _accepted(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            await self._serve(reader, writer)
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # either side hung up, or the proxy ends; asyncio would log the cancellation as an error
        finally:
            self._tasks.discard(task)
            writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        first, *fields = head.decode().rstrip().split("\r\n")
        method, target, _ = first.split(" ")
        self.seen.append(f"{method} {target}")
        if self.fault is not None and (instead := self.fault(method, target)) is not None:
            writer.write(instead)
            await writer.drain()
            return
        if self.delay is not None:
            await asyncio.sleep(self.delay(method, target))
        named = dict(field.lower().split(": ", 1) for field in fields)
        body = await reader.readexactly(int(named.get("content-length", "0")))
        kept = [field for field in fields if not field.lower().startswith("connection:")]
        request = "\r\n".join([first, *kept, "Connection: close", "", ""]).encode() + body
        connection = _Connection(target, writer)
        self._connections.add(connection)
        try:
            await self._forward(request, connection)
        finally:
            self._connections.discard(connection)

    async def _forward(self, request: bytes, connection: _Connection) -> None:
        host, port = self._server
        upstream, to_server = await asyncio.open_connection(host, port, ssl=self._tls)
        try:
            to_server.write(request)
            while data := await upstream.read(65536):
                if connection.stalled:
                    continue
                if connection.torn:
                    connection.client.write(data[: len(data) // 2])
                    await connection.client.drain()
                    _reset(connection.client)
                    return
                connection.client.write(data)
                await connection.client.drain()
            if connection.stalled:
                await asyncio.Event().wait()  # not even the end of it gets through
        finally:
            to_server.close()


def _reset(writer: asyncio.StreamWriter) -> None:
    """Send RST, not FIN."""
    found = writer.get_extra_info("socket")
    if found is not None and found.fileno() >= 0:
        found.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
