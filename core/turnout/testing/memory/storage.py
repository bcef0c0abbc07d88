"""Where the objects of the in-memory cluster are: the present ones, and how they came to be.

Every change has a revision of its own, which is the resourceVersion of what it wrote. Objects are
never changed in place, so that whoever reads one may keep it but has to copy before changing it.
"""

import asyncio
from bisect import bisect_right
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import NamedTuple

from turnout.testing.memory.errors import Object, expired


class Key(NamedTuple):
    """Where an object is; `namespace` is "" for kinds without one."""

    group: str
    plural: str
    namespace: str
    name: str

    @property
    def order(self) -> str:
        """What a list is sorted by."""
        return f"{self.namespace}/{self.name}"


@dataclass(frozen=True, slots=True)
class Change:
    """One write. `before` None: created; `after` None: deleted."""

    revision: int
    key: Key
    before: Object | None
    after: Object | None


class Storage:
    """The objects by key, and the changes since the last compaction."""

    def __init__(self) -> None:
        self.revision = 1
        self.compacted = 0
        self.listeners: list[Callable[[Change], None]] = []
        self._objects: dict[Key, Object] = {}
        self._changes: list[Change] = []
        self._waiting: set[asyncio.Event] = set()
        self._trying = False

    def get(self, key: Key) -> Object | None:
        return self._objects.get(key)

    @contextmanager
    def trial(self) -> Iterator[None]:
        """A dry run: nothing that is written meanwhile is stored."""
        self._trying = True
        try:
            yield
        finally:
            self._trying = False

    def put(self, key: Key, document: Object) -> Object:
        """Store an object, under the next revision, and return it as stored."""
        if self._trying:
            return document
        revision = self.revision + 1
        metadata = {**document["metadata"], "resourceVersion": str(revision)}
        stored = {**document, "metadata": metadata}
        self._commit(Change(revision, key, self._objects.get(key), stored))
        return stored

    def remove(self, key: Key) -> None:
        """Remove an object. Its deletion has a revision as well."""
        self._commit(Change(self.revision + 1, key, self._objects[key], None))

    def select(self, group: str, plural: str, namespace: str | None) -> list[tuple[Key, Object]]:
        """Return the present objects of a kind (None: of all namespaces), sorted."""
        return self._selected(self._objects, group, plural, namespace)

    def select_at(
        self, revision: int, group: str, plural: str, namespace: str | None
    ) -> list[tuple[Key, Object]]:
        """Return them as they were at a revision; raises 410 if that is compacted."""
        objects = dict(self._objects)
        for change in reversed(list(self.since(revision))):
            if change.before is None:
                del objects[change.key]
            else:
                objects[change.key] = change.before
        return self._selected(objects, group, plural, namespace)

    @staticmethod
    def _selected(
        objects: dict[Key, Object], group: str, plural: str, namespace: str | None
    ) -> list[tuple[Key, Object]]:
        found = (
            (key, document)
            for key, document in objects.items()
            if key[:2] == (group, plural) and namespace in (None, key.namespace)
        )
        return sorted(found, key=lambda item: item[0].order)

    def since(self, revision: int) -> Iterator[Change]:
        """Return the changes after a revision; raises 410 if some of them are compacted."""
        if revision < self.compacted:
            raise expired(f"too old resource version: {revision} ({self.compacted})")
        start = bisect_right(self._changes, revision, key=lambda change: change.revision)
        return iter(self._changes[start:])

    def compact(self) -> None:
        """Forget all changes: what is older than the present revision is gone."""
        self.compacted = self.revision
        self._changes.clear()

    def wake(self) -> None:
        """Let everyone in `wait` look again."""
        for event in self._waiting:
            event.set()

    async def wait(self, ready: Callable[[], bool]) -> None:
        """Wait until a condition holds, which is looked at after every change and `wake`."""
        event = asyncio.Event()
        self._waiting.add(event)
        try:
            while not ready():
                event.clear()
                await event.wait()
        finally:
            self._waiting.discard(event)

    def _commit(self, change: Change) -> None:
        if self._trying:
            return
        self.revision = change.revision
        if change.after is None:
            del self._objects[change.key]
        else:
            self._objects[change.key] = change.after
        self._changes.append(change)
        for listener in self.listeners:
            listener(change)
        self.wake()
