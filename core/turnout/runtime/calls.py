"""One call to an API server: counted, decoded, and made again if the server was too busy for it.

The only thing repeated is a call that was turned away with 429, because that is the server's own
flow control; all other retrying belongs to whoever knows what the call was for.
"""

import asyncio
import random
import time
from collections.abc import Callable
from typing import Any

import orjson

from turnout.plugin import Kind
from turnout.runtime.backoff import Backoff
from turnout.runtime.errors import ApiError
from turnout.runtime.transport import ConnectionFailed, Request, Response, Transport

Object = dict[str, Any]
OnCall = Callable[[str, Kind, int, float], None]
"""Told of every answer: the verb as RBAC names it ("discover" for discovery), the kind, the HTTP
status, 0 if there was none, and the seconds until its head."""

THROTTLED_RETRIES = 4
THROTTLED_CAP = 10.0
_THROTTLED = Backoff(first=0.5, cap=THROTTLED_CAP)


class Calls:
    """Makes calls. `what` says in each, for people, what it is; a failure is told with it.

    `on_gone` is told of a kind whose path nothing serves any more.
    """

    def __init__(
        self,
        transport: Transport,
        *,
        on_call: OnCall | None,
        on_gone: Callable[[Kind], None],
        rng: random.Random | None,
    ) -> None:
        self._transport = transport
        self._on_call = on_call
        self._on_gone = on_gone
        self._rng = rng or random.Random()  # noqa: S311 - jitter

    async def object(self, verb: str, kind: Kind, request: Request, what: str) -> Object:
        response = await self.open(verb, kind, request, what)
        try:
            found = orjson.loads(await response.read())
        except orjson.JSONDecodeError as error:
            raise ConnectionFailed(f"{what}: the answer is not JSON ({error})") from None
        finally:
            response.close()
        if not isinstance(found, dict):
            raise ConnectionFailed(f"{what}: the answer is not an object")
        return found

    async def open(self, verb: str, kind: Kind, request: Request, what: str) -> Response:
        """Return a response that is a success, and still open."""
        throttled = 0
        while True:
            response = await self._attempt(verb, kind, request)
            if 200 <= response.status < 300:
                return response
            try:
                body = await response.read()
            finally:
                response.close()
            error = ApiError.from_response(response.status, response.headers, body, what)
            if error.status == 404 and not error.from_api:
                self._on_gone(kind)  # the path is gone: the CRD is, or this version of it
            if error.status != 429 or throttled == THROTTLED_RETRIES:
                raise error
            await asyncio.sleep(self._pause(error, throttled))
            throttled += 1

    async def _attempt(self, verb: str, kind: Kind, request: Request) -> Response:
        status, began = 0, time.monotonic()
        try:
            response = await self._transport.send(request)
            status = response.status
        finally:
            if self._on_call is not None:
                self._on_call(verb, kind, status, time.monotonic() - began)
        return response

    def _pause(self, error: ApiError, throttled: int) -> float:
        """How long to stay away: as the server asks, and a little more, so that not all come back at once."""
        if error.retry_after is None:
            return _THROTTLED.delay(throttled, self._rng)
        return min(error.retry_after, THROTTLED_CAP) + self._rng.uniform(0.0, 0.5)
