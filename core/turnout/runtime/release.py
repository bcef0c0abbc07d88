"""Takes the drain finalizer off versions where no controller does it. Needs the rights to list and to patch.

Objects are looked for in all places first, and changed then, a few at a time. What to say of it to
people is left to the command.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import count
from typing import TypeVar

from turnout.decision.join import protects
from turnout.plugin import Kind, Ref
from turnout.runtime.apply import drain_patch, undrained
from turnout.runtime.backoff import Backoff
from turnout.runtime.client import Client
from turnout.runtime.errors import ApiError, Verdict, classify
from turnout.runtime.marked import Found, Place, bare, found_of, read
from turnout.runtime.transport import ConnectionFailed

T = TypeVar("T")

AT_ONCE = 16
"""Calls to the API server."""
TRIES = 6
"""Of one call, or of reading and writing one object: others change it too."""
SILENCE = 5.0
"""Seconds without an answer after which it is said that it waits."""
PATIENCE = 25.0
"""A call that has failed after so many seconds is not made again: the next one would take as long."""
_PAUSE = Backoff(first=0.1, cap=3.0)


class DryRun(StrEnum):
    """How far to go."""

    NONE = "none"
    CLIENT = "client"
    """Only look."""
    SERVER = "server"
    """Have the API server check each change, and keep none."""


@dataclass(frozen=True, slots=True)
class Failure:
    """A place or an object that could not be read or changed. The error's text names the verb."""

    kind: Kind
    namespace: str | None
    error: ApiError | ConnectionFailed


class Release:
    """One run over some places. `living`: also off objects that are not being deleted; `held_for`: only off
    those that policies of these namespaces hold (None: of any).

    `released` is told of each object as the API server has it afterwards, the moment it is done. `waits`
    is called once, if an answer takes long.
    """

    def __init__(
        self,
        client: Client,
        released: Callable[[Found], None],
        *,
        living: bool = False,
        held_for: Collection[str] | None = None,
        dry_run: DryRun = DryRun.NONE,
        rng: random.Random | None = None,
        waits: Callable[[], None] = lambda: None,
    ) -> None:
        self._client = client
        self._released = released
        self._living = living
        self._held_for = held_for
        self._dry_run = dry_run
        self._rng = rng or random.Random()  # noqa: S311 - jitter
        self._waits: Callable[[], None] | None = waits
        self._ending = False
        self.missing: set[Kind] = set()
        """Kinds that the cluster does not serve."""
        self.failures: list[Failure] = []

    async def find(self, places: Iterable[Place]) -> list[Found]:
        """All objects in these places that bear a mark of ours, and those that were asked for by name."""
        found: dict[Ref, Found] = {}

        async def look(place: Place) -> None:
            try:
                listed = await self._again(lambda: read(self._client, place))
            except ApiError as error:
                if error.kind_missing:
                    self.missing.add(place.kind)
                else:
                    self.failures.append(Failure(place.kind, place.namespace, error))
            except ConnectionFailed as error:
                self._unreachable(place.kind, place.namespace, error)
            else:
                found.update((one.ref, one) for one in listed)

        await self._each(places, look)
        return [found[ref] for ref in sorted(found, key=str)]

    def left_to_others(self, found: Found) -> bool:
        """Whether an object is protected for a policy that this run is not about."""
        return self._held_for is not None and found.marked and found.held_for not in self._held_for

    def wanted(self, found: Found) -> bool:
        """Whether an object is to be released."""
        if self.left_to_others(found):
            return False
        if found.entry.deleting is None:
            return self._living and found.marked
        return protects(found.entry)

    async def take_off(self, found: Sequence[Found]) -> None:
        """Release what is wanted of what was found."""
        await self._each(filter(self.wanted, found), self._release)

    def end(self) -> None:
        """Begin with no other object, and let those be finished that are being changed."""
        self._ending = True

    async def _each(self, items: Iterable[T], act: Callable[[T], Awaitable[None]]) -> None:
        waiting = iter(items)

        async def work() -> None:
            for item in waiting:
                if self._ending:
                    return
                await act(item)

        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(AT_ONCE):
                    group.create_task(work())
        except BaseExceptionGroup as raised:
            raise raised.exceptions[0] from None

    async def _release(self, found: Found) -> None:
        """Release an object, as it is by the time it is changed."""
        ref, lost = found.ref, False
        clock = asyncio.get_running_loop().time
        for failed in count(1):
            began = clock()
            try:
                self._released(await self._answer(self._change(found)))
                return
            except (ApiError, ConnectionFailed) as error:
                if _gone(error):
                    break
                happened = error
            stale = _stale(happened)
            slow = clock() - began >= PATIENCE
            if failed == TRIES or not (stale or (_passing(happened) and not slow)):
                self._failed(ref, happened)
                return
            if self._ending:
                return
            lost |= isinstance(happened, ConnectionFailed)
            await asyncio.sleep(_PAUSE.delay(failed - 1, self._rng))
            if stale:
                try:
                    again = await self._again(
                        lambda: read(self._client, Place(ref.kind, ref.namespace, ref.name))
                    )
                except (ApiError, ConnectionFailed) as error:
                    self._failed(ref, error)
                    return
                if not again or not self.wanted(again[0]):
                    break
                found = again[0]
        if lost:  # the write whose answer did not arrive has taken effect
            self._released(bare(found))

    async def _change(self, found: Found) -> Found:
        patch = drain_patch(found.entry, undrained(found.entry), None)
        if self._dry_run is DryRun.CLIENT:
            return bare(found)
        dry = self._dry_run is DryRun.SERVER
        return found_of(found.ref.kind, await self._client.merge_patch(found.ref, patch, dry_run=dry))

    async def _again(self, call: Callable[[], Awaitable[T]]) -> T:
        """Make a call, and make it again where nothing was wrong with it and it failed soon."""
        clock = asyncio.get_running_loop().time
        for failed in range(TRIES - 1):
            began = clock()
            try:
                return await self._answer(call())
            except (ApiError, ConnectionFailed) as error:
                if not _passing(error) or self._ending or clock() - began >= PATIENCE:
                    raise
            await asyncio.sleep(_PAUSE.delay(failed, self._rng))
        return await self._answer(call())

    async def _answer(self, call: Awaitable[T]) -> T:
        """Wait for an answer, and say so if it takes long."""
        timer = asyncio.get_running_loop().call_later(SILENCE, self._say_that_it_waits)
        try:
            return await call
        finally:
            timer.cancel()

    def _say_that_it_waits(self) -> None:
        waits, self._waits = self._waits, None
        if waits:
            waits()

    def _failed(self, ref: Ref, error: ApiError | ConnectionFailed) -> None:
        if isinstance(error, ConnectionFailed):
            self._unreachable(ref.kind, ref.namespace, error)
        else:
            self.failures.append(Failure(ref.kind, ref.namespace, error))

    def _unreachable(self, kind: Kind, namespace: str | None, error: ConnectionFailed) -> None:
        """The others would fail in the same way, each after its time."""
        self._ending = True
        self.failures.append(Failure(kind, namespace, error))


def _stale(error: ApiError | ConnectionFailed) -> bool:
    """Whether the object has changed since it was read."""
    return isinstance(error, ApiError) and error.status in (409, 422)


def _passing(error: ApiError | ConnectionFailed) -> bool:
    """Whether it may go well the next time. A path that has gone: the kind is then looked for anew."""
    gone = isinstance(error, ApiError) and error.status == 404 and not error.from_api
    return gone or classify(error) is Verdict.RETRY


def _gone(error: ApiError | ConnectionFailed) -> bool:
    """Whether there is no such object any more, or no such kind."""
    return isinstance(error, ApiError) and error.status == 404 and error.from_api
