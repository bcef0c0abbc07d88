"""Sees what the routes of a namespace say, and when: the benchmarks' own watch, and their only clock."""

import asyncio
import time
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

from benchmarks import objects
from turnout.runtime.client import Client

WATCH_SECONDS = 3600
LOOK = 0.005
"""Seconds between two looks at what has been seen; times are those of the events themselves."""


@dataclass(frozen=True)
class Seen:
    """Whether a route gives the candidate calls, and since when, by time.perf_counter."""

    candidate: bool
    at: float


class Observer:
    """Follows the VirtualServices of one namespace."""

    def __init__(self, client: Client, namespace: str) -> None:
        self._client = client
        self._namespace = namespace
        self._seen: dict[str, Seen] = {}
        self._with_candidate = 0
        self.changes = 0

    async def run(self) -> None:
        """Follow until cancelled; begin where there are no routes, or few."""
        version = ""
        async for page in self._client.pages(objects.VIRTUAL_SERVICE, self._namespace):
            version = page.resource_version
            for route in page.items:
                self._put(route, time.perf_counter())
        watch = self._client.watch(
            objects.VIRTUAL_SERVICE,
            self._namespace,
            version,
            timeout_seconds=WATCH_SECONDS,
            idle=WATCH_SECONDS,
        )
        async with aclosing(watch) as batches:
            async for batch in batches:
                now = time.perf_counter()
                for event in batch:
                    if event.type == "DELETED":
                        self._delete(event.object)
                    elif event.type in ("ADDED", "MODIFIED"):
                        self._put(event.object, now)
        raise RuntimeError("the observer's watch has ended")

    async def when(self, name: str, *, candidate: bool, limit: float = 30.0) -> float:
        """Wait until a model's route gives the candidate calls, or none; the time at which it began to."""
        async with asyncio.timeout(limit):
            while (seen := self._seen.get(name)) is None or seen.candidate is not candidate:
                await asyncio.sleep(LOOK)
        return seen.at

    async def when_all(self, models: int, *, candidate: bool, limit: float = 300.0) -> float:
        """The same for all models; the time of the last."""
        async with asyncio.timeout(limit):
            while len(self._seen) < models or self._with_candidate != (models if candidate else 0):
                await asyncio.sleep(LOOK)
        return max(seen.at for seen in self._seen.values())

    async def when_none(self, limit: float = 60.0) -> None:
        """Wait until there are no routes."""
        async with asyncio.timeout(limit):
            while self._seen:
                await asyncio.sleep(LOOK)

    def _put(self, route: dict[str, Any], at: float) -> None:
        name = route["metadata"]["name"]
        candidate = objects.candidate_routed(route)
        before = self._seen.get(name)
        self.changes += 1
        if before is None or before.candidate is not candidate:
            self._seen[name] = Seen(candidate, at)
            self._with_candidate += candidate - (before.candidate if before else False)

    def _delete(self, route: dict[str, Any]) -> None:
        before = self._seen.pop(route["metadata"]["name"], None)
        self._with_candidate -= before.candidate if before else False
