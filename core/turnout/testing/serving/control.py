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
    POST /finish?service=NAME               what it is loading is loaded; 404 if it is loading nothing

Every answer is JSON; what is wrong with a request is in `error`. Times are seconds of `time.monotonic`.
"""

import asyncio
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import orjson

from turnout.testing.serving.server import ModelServer

Query = Mapping[str, str]


def seconds(text: str) -> float:
    """A time, or how long something takes; `inf`: for ever. Raises ValueError."""
    try:
        found = float(text)
    except ValueError:
        found = math.nan
    if not found >= 0:
        raise ValueError(f"found {text!r}, expected seconds, 0 or more")
    return found


@dataclass(frozen=True, slots=True)
class Route:
    """What is done, with which keys of the query: those that it needs, and those that it takes as well."""

    do: Callable[[Query], Any]
    needs: tuple[str, ...] = ()
    takes: tuple[str, ...] = ()

    def check(self, path: str, query: Query) -> None:
        """Raises ValueError for a query that is not its own."""
        known = self.needs + self.takes
        if unknown := query.keys() - set(known):
            named = " and ".join(known) or "nothing"
            raise ValueError(f"{path} takes {named}, not {', '.join(sorted(unknown))}")
        if missing := set(self.needs) - query.keys():
            raise ValueError(f"{path} needs {' and '.join(sorted(missing))}")


class Control:
    """The HTTP side of a server. `handle` is a callback of `asyncio.start_server`."""

    def __init__(self, server: ModelServer) -> None:
        faults = server.faults
        self._server = server
        on, models = ("service",), server.models
        self._routes = {
            ("GET", "/counts"): Route(self._counts),
            ("GET", "/calls"): Route(self._calls, takes=("since",)),
            ("GET", "/models"): Route(self._models),
            ("POST", "/reset"): Route(lambda _: server.received.reset()),
            ("POST", "/fail"): Route(
                lambda q: faults.fail(q["service"], q["code"], q.get("message", "")),
                ("service", "code"),
                ("message",),
            ),
            ("POST", "/delay"): Route(
                lambda q: faults.delay(q["service"], seconds(q["seconds"])), ("service", "seconds")
            ),
            ("POST", "/drop"): Route(lambda q: faults.drop(q["service"]), on),
            ("POST", "/heal"): Route(lambda q: faults.heal(q.get("service")), takes=on),
            ("POST", "/load"): Route(
                lambda q: models.load_in(q["service"], seconds(q["seconds"])), ("service", "seconds")
            ),
            ("POST", "/finish"): Route(self._finish, on),
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
        try:
            url = urlsplit(target)
        except ValueError:
            return HTTPStatus.BAD_REQUEST, {"error": f"{target} is no URL"}
        route = self._routes.get((method, url.path))
        if route is None:
            return HTTPStatus.NOT_FOUND, {"error": f"there is no {method} {url.path}"}
        query = dict(parse_qsl(url.query))
        try:
            route.check(url.path, query)
            return HTTPStatus.OK, route.do(query) or {}
        except LookupError as missing:
            return HTTPStatus.NOT_FOUND, {"error": str(missing)}
        except ValueError as error:
            return HTTPStatus.BAD_REQUEST, {"error": str(error)}

    def _finish(self, query: Query) -> None:
        if not self._server.finish(query["service"]):
            raise LookupError(f"{query['service']} is loading nothing")

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
                for call in received.calls(seconds(query.get("since", "0")))
            ],
        }

    def _models(self, _: Query) -> Any:
        models = self._server.models
        return {name: models.state(name) for name in models.names()}
