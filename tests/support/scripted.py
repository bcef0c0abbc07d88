"""A Transport that answers from a script, and the answers of an API server to write scripts with."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from turnout.plugin import Kind
from turnout.runtime.transport import ConnectionFailed, Request, Transport

WIDGET = Kind("example.com", ("v1",), "Widget", "widgets")
"""A kind for tests, which the script's server serves unless told otherwise."""

Happening = bytes | float | Exception
"""What a stream does next: bytes arrive, seconds pass, or it breaks."""


@dataclass
class Answer:
    """A response. `stream` is what a watch brings, after which it ends; other bodies are `body`."""

    status: int = 200
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    stream: Sequence[Happening] = ()
    closed: bool = False

    async def read(self) -> bytes:
        return self.body if isinstance(self.body, bytes) else orjson.dumps(self.body)

    async def chunks(self) -> AsyncIterator[bytes]:
        for happening in self.stream:
            if isinstance(happening, Exception):
                raise happening
            if isinstance(happening, bytes):
                yield happening
            else:
                await asyncio.sleep(happening)

    def close(self) -> None:
        self.closed = True


class ScriptedTransport(Transport):
    """Answers discovery from `serves`, everything else from `script`, in order, and then with a silent watch.

    `calls` holds each request that took a step of the script, with the time at which it came.
    """

    def __init__(self, *script: Answer | Exception, serves: Sequence[Kind] = (WIDGET,)) -> None:
        self.script = list(script)
        self.serves = list(serves)
        self.calls: list[tuple[float, Request]] = []
        self.discoveries = 0
        self.answers: list[Answer] = []

    async def send(self, request: Request) -> Answer:
        await asyncio.sleep(0)
        if request.method == "GET" and request.path.count("/") <= 3:
            self.discoveries += 1
            return self._discover(request.path)
        self.calls.append((asyncio.get_running_loop().time(), request))
        step = self.script.pop(0) if self.script else Answer(stream=(1e9,))
        if isinstance(step, Exception):
            raise step
        self.answers.append(step)
        return step

    async def close(self) -> None:
        """Nothing is open."""

    def _discover(self, path: str) -> Answer:
        found = [
            kind
            for kind in self.serves
            for version in kind.versions
            if path == (f"/apis/{kind.group}/{version}" if kind.group else f"/api/{version}")
        ]
        if not found:
            return not_served()
        return Answer(body={"kind": "APIResourceList", "resources": [{"name": k.plural} for k in found]})

    @property
    def requests(self) -> list[Request]:
        return [request for _, request in self.calls]

    def did(self) -> list[str]:
        """What each request was: "list", or "watch" and the resourceVersion from which on."""
        return [
            f"watch {request.query['resourceVersion']}" if request.stream else "list"
            for request in self.requests
        ]

    def times(self) -> list[float]:
        return [time for time, _ in self.calls]


def widget(name: str, version: int = 1, **metadata: Any) -> dict[str, Any]:
    meta = {"name": name, "namespace": "default", "uid": f"uid-{name}", "resourceVersion": str(version)}
    return {"apiVersion": "example.com/v1", "kind": "Widget", "metadata": meta | metadata}


def listed(*items: Any, version: int = 10, more: str = "") -> Answer:
    """A page of a list; `more` is its continue token."""
    meta = {"resourceVersion": str(version)} | ({"continue": more} if more else {})
    return Answer(body={"kind": "WidgetList", "metadata": meta, "items": list(items)})


def line(kind: str, obj: Any) -> bytes:
    """One event of a watch."""
    return orjson.dumps({"type": kind, "object": obj}) + b"\n"


def status(code: int, reason: str = "", message: str = "because", **more: Any) -> dict[str, Any]:
    """A Status object."""
    return {"kind": "Status", "apiVersion": "v1", "code": code, "reason": reason, "message": message, **more}


def refused(code: int, reason: str = "Refused", **headers: str) -> Answer:
    """An answer of the API machinery that is no success; headers as `Retry_After="1"`."""
    return Answer(
        code, status(code, reason), {key.replace("_", "-"): value for key, value in headers.items()}
    )


def not_served() -> Answer:
    """What the API server answers on a path that nothing serves."""
    return Answer(404, b"404 page not found\n")


def unreachable() -> ConnectionFailed:
    return ConnectionFailed("https://10.0.0.1: no connection: Connection refused")
