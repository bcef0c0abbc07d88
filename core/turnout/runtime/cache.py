"""Follows one kind into the store, and tells what changed."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic

from turnout.decision.observe import name_of
from turnout.plugin import Kind
from turnout.runtime.reflector import Cause, Reflector, Unavailable
from turnout.runtime.store import Name, Shelf, T, older
from turnout.runtime.stream import Event


@dataclass(frozen=True, slots=True)
class Watch:
    """What follows a kind in a namespace (None: in all), for those who ask how it does."""

    kind: Kind
    namespace: str | None
    cache: "Cache[Any]"
    reflector: Reflector

    def __str__(self) -> str:
        return str(self.reflector)


class Cache(Generic[T]):
    """The sink of one reflector.

    `changed` is told of each change that may call for another decision, with what was known before;
    `turned` that the cache became usable, or ceased to be.
    """

    def __init__(
        self,
        shelf: Shelf[T],
        namespace: str | None,
        digest: Callable[[Sequence[dict[str, Any]]], Awaitable[list[tuple[Name, T]]]],
        changed: Callable[[Name, T | None, T | None], None],
        turned: Callable[[], None],
    ) -> None:
        self._shelf = shelf
        self._namespace = namespace
        self._digest = digest
        self._changed = changed
        self._turned = turned
        self._listed: set[Name] = set()
        self._filled = False
        self.problem: Unavailable | None = None

    @property
    def filled(self) -> bool:
        """Whether all objects have been read once, since it was last emptied."""
        return self._filled

    @property
    def usable(self) -> bool:
        """Whether decisions may rely on it: it was filled once, and is being followed.

        An API server that cannot be reached spoils nothing: whatever is written meanwhile fails too.
        """
        return self._filled and (self.problem is None or self.problem.cause is Cause.UNREACHABLE)

    def refill(self) -> None:
        """Rely on it again only after the next list: what it holds lacks something."""
        self._turn(filled=False, problem=self.problem)

    def begin(self) -> None:
        self._listed = set()

    async def page(self, items: Sequence[dict[str, Any]]) -> None:
        for name, value in await self._digest(items):
            self._listed.add(name)
            self._keep(name, value)

    def end(self, resource_version: str) -> None:
        for name, known in self._shelf.items(self._namespace):
            # What was written after the list was made is not in it; its events are to come.
            if name not in self._listed and not older(resource_version, known.resource_version):
                self._keep(name, None)
        self._listed = set()
        self._turn(filled=True, problem=None)

    async def events(self, events: Sequence[Event]) -> None:
        kept = [event.object for event in events if event.type != "DELETED"]
        values = iter(await self._digest(kept) if kept else [])
        for event in events:
            if event.type == "DELETED":
                self._delete(event.object)
            else:
                self._keep(*next(values))

    def unavailable(self, reason: Unavailable) -> None:
        self._turn(filled=self._filled and reason.cause is not Cause.CRD_MISSING, problem=reason)

    def available(self) -> None:
        self._turn(filled=self._filled, problem=None)

    def _turn(self, *, filled: bool, problem: Unavailable | None) -> None:
        before = (self.usable, self.problem)
        self._filled, self.problem = filled, problem
        if before != (self.usable, self.problem):
            self._turned()

    def _delete(self, obj: dict[str, Any]) -> None:
        name = name_of(obj)
        known = self._shelf.get(name)
        if known and known.uid == str(obj.get("metadata", {}).get("uid", "")):
            self._keep(name, None)

    def _keep(self, name: Name, value: T | None) -> None:
        known = self._shelf.get(name)
        if self._shelf.put(name, value):
            self._changed(name, known, value)
