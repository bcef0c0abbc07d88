"""Keeps a sink in step with all objects of one kind: list, then watch, through every kind of failure.

What the objects mean, and keeping them, is left to the sink. The names are client-go's.
"""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol, TypeVar

from turnout.plugin import Kind
from turnout.runtime.backoff import Backoff
from turnout.runtime.client import Client
from turnout.runtime.errors import ApiError
from turnout.runtime.stream import Event
from turnout.runtime.transport import ConnectionFailed

log = logging.getLogger(__name__)

T = TypeVar("T")

CHANGES = frozenset({"ADDED", "MODIFIED", "DELETED"})

RETRIES = Backoff(first=0.1, cap=10.0)
FORBIDDEN_RETRIES = Backoff(first=0.1, cap=30.0)  # a person has to act first
STEADY = 5.0
"""A watch that was open for so many seconds has worked, even if nothing happened."""
BARREN = 3
"""So many watches in a row that were answered and brought nothing are an outage: we see nothing."""


class Cause(StrEnum):
    """Why a kind cannot be followed."""

    CRD_MISSING = "CRDMissing"
    FORBIDDEN = "Forbidden"
    UNREACHABLE = "Unreachable"


@dataclass(frozen=True, slots=True)
class Unavailable:
    """The sink's content may be out of date from here on; nothing in it is known to be gone."""

    cause: Cause
    message: str


class Sink(Protocol):
    """Where the objects go. A method may be async; the next call comes after it has ended.

    A complete list arrives as `begin`, any number of `page`s, `end`. What the sink held before and
    no page contained is gone, but only at `end`: a list that breaks off is followed by another
    `begin`, and its pages count for nothing. An event may repeat what is known already.
    """

    def begin(self) -> Awaitable[None] | None:
        """A list begins; forget the pages of one that has not ended."""
        ...

    def page(self, items: Sequence[dict[str, Any]]) -> Awaitable[None] | None:
        """Some objects of the list. They come from outside: anything but `dict` may be missing or odd."""
        ...

    def end(self, resource_version: str) -> Awaitable[None] | None:
        """The list is complete."""
        ...

    def events(self, events: Sequence[Event]) -> Awaitable[None] | None:
        """Changes in their order, those that arrived together: ADDED, MODIFIED or DELETED."""
        ...

    def unavailable(self, reason: Unavailable) -> Awaitable[None] | None:
        """The kind cannot be followed for now. Told again when the cause is another one."""
        ...

    def available(self) -> Awaitable[None] | None:
        """It is followed again, after `unavailable`."""
        ...


_REFUSALS = {401: Cause.FORBIDDEN, 403: Cause.FORBIDDEN, 404: Cause.CRD_MISSING, 410: "Expired"}
"""How a watch has ended that was refused, by HTTP status; Unreachable for all others."""


class _Restart(Exception):  # noqa: N818 - control flow
    pass


class Reflector:
    """Follows one kind in a namespace, or in all. Time is the event loop's.

    `name`: only its objects of that name. `watch_seconds` is how long one watch lasts, give or take a
    quarter. A connection that died without a word is noticed after half as long again at the latest:
    nothing but events counts as a sign of life, since bookmarks do not come from every etcd. `told_end` is
    told how each watch has ended.
    """

    def __init__(
        self,
        client: Client,
        kind: Kind,
        namespace: str | None,
        sink: Sink,
        *,
        name: str | None = None,
        watch_seconds: float = 60.0,
        told_end: Callable[[str], None] = lambda _: None,
        rng: random.Random | None = None,
    ) -> None:
        self._client = client
        self._kind = kind
        self._namespace = namespace
        self._name = name
        self._fields = {"resource": str(kind), "namespace": namespace or ""}
        self._sink = sink
        self._watch_seconds = watch_seconds
        self._told_end = told_end
        self._heard = asyncio.get_running_loop().time()
        self._rng = rng or random.Random()  # noqa: S311 - jitter
        self._version: str | None = None  # where to watch from; None: a list is needed first
        self._cause: Cause | None = None
        self._failures = 0  # attempts in a row that brought nothing
        self._progress = False  # the attempt under way has brought something
        self._open = False  # and its watch was answered
        self._barren = 0  # watches in a row that were answered, and brought nothing
        self._wanted = False  # a restart
        self._scope: asyncio.Timeout | None = None

    def __str__(self) -> str:
        return f"{self._kind} in {self._namespace or 'all namespaces'}"

    async def run(self) -> None:
        """Follow the kind until cancelled. Nothing else ends it."""
        delay = 0.0
        while True:
            try:
                if delay:
                    await self._interruptible(asyncio.sleep(delay))
                delay = await self._attempt()
            except _Restart:
                self._wanted = False
                self._version, self._failures, self._barren, delay = None, 0, 0, 0.0
                continue
            except Exception:  # the sink's; whatever it is, standing still would be worse
                told = "%s: the objects were not taken in; listing them again"
                log.exception(told, self, extra=self._fields)
                self._version, self._progress, delay = None, False, self._delay(RETRIES)
                self._told_end("Fault")
            if self._progress:
                self._failures, delay = 0, 0.0
            else:
                self._failures += 1

    def restart(self) -> None:
        """List everything again, soon; a call of the sink that is under way ends first."""
        self._wanted = True
        if self._scope is not None:
            self._scope.reschedule(asyncio.get_running_loop().time())
            self._scope = None

    def silence(self) -> float:
        """Seconds since the API server last said anything of the kind."""
        return asyncio.get_running_loop().time() - self._heard

    async def _attempt(self) -> float:
        """List if need be, and watch until that ends, well or badly. Return how long to wait then."""
        self._progress = self._open = False
        try:
            if self._version is None:
                self._version = await self._list()
            await self._watch(self._version)
            self._told_end("Ended")
        except ConnectionFailed as error:
            self._told_end(Cause.UNREACHABLE)
            await self._lost(Cause.UNREACHABLE, str(error))
        except ApiError as error:
            self._told_end(_REFUSALS.get(error.status, Cause.UNREACHABLE))
            return await self._refused(error)
        return self._delay(RETRIES)

    async def _refused(self, error: ApiError) -> float:
        if error.status in {401, 403}:
            await self._lost(Cause.FORBIDDEN, str(error))
            return self._delay(FORBIDDEN_RETRIES)
        if error.status in {404, 410}:
            # 404 to a watch: the kind is gone, or only this version of it. The next list looks for
            # it and knows; 404 to that means that it is only just being installed.
            listing, self._version = self._version is None, None
            if listing and error.status == 404:
                await self._lost(Cause.CRD_MISSING, str(error))
            return self._delay(RETRIES)
        await self._lost(Cause.UNREACHABLE, str(error))
        return max(self._delay(RETRIES), min(error.retry_after or 0.0, FORBIDDEN_RETRIES.cap))

    async def _list(self) -> str:
        version, count = "", 0
        async with aclosing(self._client.pages(self._kind, self._namespace, name=self._name)) as pages:
            while page := await self._interruptible(anext(pages, None)):
                if page.first:
                    count = 0
                    await _ended(self._sink.begin())
                self._heard = asyncio.get_running_loop().time()
                await _ended(self._sink.page(page.items))
                version, count = page.resource_version, count + len(page.items)
        await _ended(self._sink.end(version))
        log.debug("%s: listed %d", self, count, extra=self._fields)
        return version

    async def _watch(self, version: str) -> None:
        clock = asyncio.get_running_loop().time
        began = clock()
        seconds = max(1, round(self._watch_seconds * self._rng.uniform(0.75, 1.25)))
        watch = self._client.watch(
            *(self._kind, self._namespace, version),
            name=self._name,
            timeout_seconds=seconds,
            idle=seconds * 1.2 + 1.0,
        )
        try:
            async with aclosing(watch) as batches:
                while (batch := await self._interruptible(anext(batches, None))) is not None:
                    self._heard = clock()
                    if batch:
                        await self._take(batch)
                    else:
                        self._open = True
                        if self._barren < BARREN:
                            await self._found()
        finally:
            if self._open and clock() - began >= min(STEADY, seconds / 2):
                self._progress = True
            self._barren = 0 if self._progress else self._barren + self._open
        if self._progress:
            await self._found()
        else:
            await self._lost(Cause.UNREACHABLE, f"a watch of {self} ends as soon as it begins")

    async def _take(self, batch: Sequence[Event]) -> None:
        if changes := [event for event in batch if event.type in CHANGES]:
            await _ended(self._sink.events(changes))
        version = next(filter(None, map(_version, reversed(batch))), self._version)
        if changes and version != self._version:  # else it would all come again, and again
            self._progress = True
        self._version = version

    async def _lost(self, cause: Cause, message: str) -> None:
        """Report, once, unless all that happened is that a watch which was open has ended."""
        if cause is self._cause or (self._open and self._barren < BARREN):
            return
        self._cause = cause
        log.warning("%s cannot be followed (%s): %s", self, cause, message, extra=self._fields)
        await _ended(self._sink.unavailable(Unavailable(cause, message)))

    async def _found(self) -> None:
        if self._cause is None:
            return
        log.info("%s can be followed again (it was: %s)", self, self._cause, extra=self._fields)
        self._cause = None
        await _ended(self._sink.available())

    def _delay(self, backoff: Backoff) -> float:
        return backoff.delay(self._failures, self._rng)

    async def _interruptible(self, awaitable: Awaitable[T]) -> T:
        """Wait for something that `restart` may cut short."""
        try:
            async with asyncio.timeout(0 if self._wanted else None) as self._scope:
                return await awaitable
        except TimeoutError:
            raise _Restart from None
        finally:
            self._scope = None


async def _ended(call: Awaitable[None] | None) -> None:
    if call is not None:
        await call


def _version(event: Event) -> str | None:
    meta = event.object.get("metadata")
    version = meta.get("resourceVersion") if isinstance(meta, dict) else None
    return version if isinstance(version, str) else None
