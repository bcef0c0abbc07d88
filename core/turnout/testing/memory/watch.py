"""Watches: the changes of a collection as a stream of lines, from a revision on."""

import asyncio
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import suppress

import orjson

from turnout.runtime.transport import ConnectionFailed
from turnout.testing.memory.errors import Object, StatusError
from turnout.testing.memory.objects import shown
from turnout.testing.memory.paths import Target, flag
from turnout.testing.memory.resources import Resource
from turnout.testing.memory.selectors import selection
from turnout.testing.memory.storage import Change, Storage


class Watch:
    """One open watch. It ends after `timeoutSeconds`, by `end`, or when nobody reads it any more."""

    def __init__(
        self, storage: Storage, resource: Resource, target: Target, query: Mapping[str, str]
    ) -> None:
        self._storage = storage
        self._resource = resource
        self._target = target
        self._matches = selection(query, resource)
        self._bookmarks = flag(query, "allowWatchBookmarks")
        self._seconds = float(query.get("timeoutSeconds") or 1800)
        since = int(query.get("resourceVersion") or 0)
        self._seen = since or storage.revision
        self._pending = deque(() if since else self._states())
        self._deadline: float | None = None
        self._over = False
        self._ended = False
        self._broken = False

    @property
    def collection(self) -> tuple[str, str]:
        """The group and plural of what is watched."""
        return self._target.group, self._target.plural

    @property
    def ended(self) -> bool:
        return self._ended

    def end(self, *, broken: bool = False) -> None:
        """Let the stream end after what has happened so far, `broken` as if the connection were lost."""
        self._ended, self._broken = True, broken
        self._storage.wake()

    async def line(self) -> bytes | None:
        """Wait for the next event; None once the watch is over. Raises ConnectionFailed if it breaks."""
        while not self._pending and not self._over:
            await self._listen()
        return self._pending.popleft() if self._pending else None

    async def _listen(self) -> None:
        """Wait until something happens, here or elsewhere, or until the end."""
        clock = asyncio.get_running_loop().time
        if self._deadline is None:
            self._deadline = clock() + self._seconds
        with suppress(TimeoutError):
            async with asyncio.timeout_at(self._deadline):
                await self._storage.wait(lambda: self._ended or self._has_news())
        if self._has_news():
            self._over = clock() >= self._deadline
            try:
                self._pending.extend(self._news())
            except StatusError as error:
                self._pending.append(_encoded("ERROR", error.status()))
                self._over = True
        elif self._broken:
            raise ConnectionFailed("the connection was lost")
        else:
            self._over = True
            if self._bookmarks and not self._ended:
                self._pending.append(self._line("BOOKMARK", self._bookmark()))

    def _bookmark(self) -> Object:
        return {"metadata": {"creationTimestamp": None, "resourceVersion": str(self._seen)}}

    def _has_news(self) -> bool:
        return self._storage.revision > self._seen or self._seen < self._storage.compacted

    def _states(self) -> Iterator[bytes]:
        found = self._storage.select(self._target.group, self._target.plural, self._target.namespace)
        for _, document in found:
            if self._matches(document):
                yield self._line("ADDED", document)

    def _news(self) -> Iterator[bytes]:
        for change in self._storage.since(self._seen):
            self._seen = change.revision
            namespace = self._target.namespace
            if change.key[:2] == self.collection and namespace in (None, change.key.namespace):
                yield from self._event(change)

    def _event(self, change: Change) -> Iterator[bytes]:
        """An object that comes to match a selector is added, one that no longer does is deleted."""
        before = change.before if change.before and self._matches(change.before) else None
        after = change.after if change.after and self._matches(change.after) else None
        if after:
            yield self._line("MODIFIED" if before else "ADDED", after)
        elif before:
            last = change.after or before
            metadata = {**last["metadata"], "resourceVersion": str(change.revision)}
            yield self._line("DELETED", {**last, "metadata": metadata})

    def _line(self, event: str, document: Object) -> bytes:
        return _encoded(event, shown(self._resource, self._target.version, document))


def _encoded(event: str, document: Object) -> bytes:
    return orjson.dumps({"type": event, "object": document}) + b"\n"
