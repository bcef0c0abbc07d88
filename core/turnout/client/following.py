"""The state of one object as it is now, for whoever looks less often than it changes."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any

from turnout.plugin import Ref
from turnout.runtime.client import Client
from turnout.runtime.reflector import Cause, Reflector, Unavailable
from turnout.runtime.stream import Event

Found = Mapping[str, Any] | None
"""None: there is no such object."""


class NotReadableError(PermissionError):
    """Something may not be read that is needed; the message says what, and by which verb."""


Lost = Callable[[str], object]
"""Told why an object cannot be followed, and with an empty text that it can again."""


async def following(client: Client, ref: Ref, lost: Lost = str) -> AsyncGenerator[Found, None]:
    """An object as it is, and again whenever it is another. Use it with `contextlib.aclosing`.

    Raises NotReadableError where that is not permitted from the beginning; later on it may be again.
    """
    latest = Latest(lost)
    reflector = Reflector(client, ref.kind, ref.namespace, latest, name=ref.name)
    running = asyncio.create_task(reflector.run())
    try:
        while True:
            yield await latest.next()
    finally:
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running


class Latest:
    """What a reflector of one name finds. A state that nobody has asked for gives way to the next."""

    def __init__(self, lost: Lost = str) -> None:
        self._lost = lost
        self._news = asyncio.Event()
        self._listed: Found = None
        self._found: Found = None
        self._known = False
        self._refused = ""

    async def next(self) -> Found:
        """Wait for a state that is another than the last one."""
        await self._news.wait()
        self._news.clear()
        if self._refused:
            raise NotReadableError(self._refused)
        return self._found

    def begin(self) -> None:
        self._listed = None

    def page(self, items: Sequence[dict[str, Any]]) -> None:
        if items:
            self._listed = items[-1]

    def end(self, resource_version: str) -> None:
        self._set(self._listed)

    def events(self, events: Sequence[Event]) -> None:
        last = events[-1]
        self._set(None if last.type == "DELETED" else last.object)

    def unavailable(self, reason: Unavailable) -> None:
        """What was found last may be out of date now; the reflector logs it, and goes on."""
        self._lost(reason.message)
        if reason.cause is Cause.FORBIDDEN and not self._known:
            self._refused = reason.message
            self._news.set()

    def available(self) -> None:
        """What is missed is listed anew."""
        self._lost("")

    def _set(self, found: Found) -> None:
        if not self._known or found != self._found:
            self._known, self._found = True, found
            self._news.set()
