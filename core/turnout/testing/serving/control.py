"""A little HTTP for whoever runs the stand-in as a process of its own.

    GET  /counts                            how many calls were answered, and how
    GET  /calls?since=SECONDS               the calls one by one, as far as they are kept
    GET  /models                            what is served
    POST /reset                             forget what was received
    POST /fail?service=NAME&code=CODE       answer with a gRPC status
    POST /delay?service=NAME&seconds=S      take so long for each answer
    POST /drop?service=NAME                 never answer
    POST /heal?service=NAME                 take the faults away; without a service, all
    POST /load?service=NAME&seconds=S       how long its next models take to load; inf: for ever
    POST /finish?service=NAME               what it is loading is loaded

Every answer is JSON. Times are seconds of `time.monotonic`.
"""

import asyncio
import time
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import orjson

from turnout.testing.serving.server import ModelServer

Query = Mapping[str, str]


class Control:
    """The HTTP side of a server. `handle` is a callback of `asyncio.start_server`."""

    def __init__(self, server: ModelServer) -> None:
        faults = server.faults
        self._server = server
        self._routes: dict[tuple[str, str], Callable[[Query], Any]] = {
            ("GET", "/counts"): self._counts,
            ("GET", "/calls"): self._calls,
            ("GET", "/models"): self._models,
            ("POST", "/reset"): lambda _: server.received.reset(),
            ("POST", "/fail"): lambda q: faults.fail(q["service"], q["code"], q.get("message", "")),
            ("POST", "/delay"): lambda q: faults.delay(q["service"], float(q["seconds"])),
            ("POST", "/drop"): lambda q: faults.drop(q["service"]),
            ("POST", "/heal"): lambda q: faults.heal(q.get("service")),
            ("POST", "/load"): lambda q: server.models.load_in(q["service"], float(q["seconds"])),
            ("POST", "/finish"): lambda q: server.finish(q["service"]),
        }

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one request."""
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            method, target, *_ = head.split(b"\r\n", 1)[0].decode("latin-1").split(" ")
            status, body = self._answer(method, target)
            data = orjson.dumps(body) + b"\n"
            lines = (
                f"HTTP/1.1 {status.value} {status.phrase}",
                "Content-Type: application/json",
                f"Content-Length: {len(data)}",
                "Connection: close",
            )
            writer.write("\r\n".join((*lines, "", "")).encode() + data)
            await writer.drain()
        except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, ValueError, ConnectionError):
            pass  # no request, or nobody waits for the answer
        finally:
            writer.close()

    def _answer(self, method: str, target: str) -> tuple[HTTPStatus, Any]:
        url = urlsplit(target)
        route = self._routes.get((method, url.path))
        if route is None:
            return HTTPStatus.NOT_FOUND, {"error": f"there is no {method} {url.path}"}
        try:
            return HTTPStatus.OK, route(dict(parse_qsl(url.query))) or {}
        except KeyError as missing:
            return HTTPStatus.BAD_REQUEST, {"error": f"{url.path} needs {missing.args[0]}"}
        except ValueError as error:
            return HTTPStatus.BAD_REQUEST, {"error": str(error)}

    def _counts(self, _: Query) -> Any:
        received = self._server.received
        counted = received.counts()
        return {
            "now": time.monotonic(),
            "answered": received.answered(),
            "counts": [{**received.as_json(key), "count": count} for key, count in counted.items()],
        }

    def _calls(self, query: Query) -> Any:
        received = self._server.received
        return {
            "now": time.monotonic(),
            "calls": [
                {"began": call.began, "ended": call.ended, **received.as_json(call.key)}
                for call in received.calls(float(query.get("since", 0.0)))
            ],
        }

    def _models(self, _: Query) -> Any:
        models = self._server.models
        return {name: models.state(name) for name in models.names()}
