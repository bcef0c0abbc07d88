"""Sees what the routes of a namespace say, and when: the benchmarks' own watch, and their only clock."""

import asyncio
import time
from collections.abc import Callable
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

from benchmarks import objects
from benchmarks.following import follow
from turnout.runtime.client import Client

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
        self._following: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to follow, until `stop`."""
        self._following = asyncio.get_running_loop().create_task(self._follow())

    async def stop(self) -> None:
        """Cease to follow."""
        if self._following:
            self._following.cancel()
            await asyncio.gather(self._following, return_exceptions=True)

    async def _follow(self) -> None:
        """Follow until cancelled."""
        async with aclosing(follow(self._client, objects.VIRTUAL_SERVICE, self._namespace)) as batches:
            async for batch in batches:
                now = time.perf_counter()
                for event in batch:
                    if event.type == "DELETED":
                        self._delete(event.object)
                    elif event.type in ("ADDED", "MODIFIED"):
                        self._put(event.object, now)

    async def when(self, name: str, *, candidate: bool, limit: float = 30.0) -> float:
        """Wait until a model's route gives the candidate calls, or none; the time at which it began to."""
        what = f"{self._namespace}/{name} with{'' if candidate else 'out'} candidate"
        await self._until(lambda: name in self._seen and self._seen[name].candidate is candidate, limit, what)
        return self._seen[name].at

    async def when_all(self, models: int, *, candidate: bool) -> float:
        """The same for all models; the time of the last."""
        wanted = (models, models if candidate else 0)
        limit = (
            60.0 + 0.1 * models
        )  # twice what it takes on a busy machine; a program that fails takes for ever
        what = f"routes of {self._namespace}, and those with candidate, are {wanted}"
        await self._until(lambda: (len(self._seen), self._with_candidate) == wanted, limit, what)
        return max(seen.at for seen in self._seen.values())

    async def when_none(self, limit: float = 60.0) -> None:
        """Wait until there are no routes."""
        await self._until(lambda: not self._seen, limit, f"no routes in {self._namespace}")

    async def _until(self, condition: Callable[[], bool], limit: float, what: str) -> None:
        deadline = time.perf_counter() + limit
        while not condition():
            if time.perf_counter() > deadline:
                found = (len(self._seen), self._with_candidate)
                raise TimeoutError(f"not within {limit:g} s: {what}; found {found}")
            if self._following and self._following.done():
                await self._following
            await asyncio.sleep(LOOK)

    def _put(self, route: dict[str, Any], at: float) -> None:
        name = route["metadata"]["name"]
        candidate = objects.candidate_routed(route)
        before = self._seen.get(name)
        if before is None or before.candidate is not candidate:
            self._seen[name] = Seen(candidate, at)
            self._with_candidate += candidate - (before.candidate if before else False)

    def _delete(self, route: dict[str, Any]) -> None:
        before = self._seen.pop(route["metadata"]["name"], None)
        self._with_candidate -= before.candidate if before else False
