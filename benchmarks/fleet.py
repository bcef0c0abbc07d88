"""Fills and empties the namespaces: so many models, each a policy and two versions."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from functools import partial
from typing import Any

from benchmarks import objects
from benchmarks.objects import CANDIDATE, GATEWAY, INFERENCE_SERVICE, PRIMARY, SERVICE_ENTRY, VIRTUAL_SERVICE
from turnout.names import ROUTING_POLICY
from turnout.plugin import Kind
from turnout.runtime.client import Client

CONCURRENCY = 16


class Fleet:
    """The models of one namespace. Primaries are ready; candidates have just been deployed at first.

    `policies`: whether the models have any; the floor has no use for them.
    """

    def __init__(self, client: Client, namespace: str, models: int, *, policies: bool) -> None:
        self._client = client
        self._policies = policies
        self.namespace = namespace
        self.names = [objects.model(number) for number in range(models)]

    async def create(self) -> None:
        """Create the namespace, the versions and the policies."""
        await self._client.create(objects.NAMESPACE, None, {"metadata": {"name": self.namespace}})
        await each(self.names, self._create_model)

    async def flip(self, name: str, *, ready: bool, which: str = CANDIDATE) -> None:
        """Have a version become ready, or cease to be."""
        await self._status(name, which, objects.readiness(ready))

    async def flip_all(self, *, ready: bool) -> None:
        """The same with every candidate, as fast as the API server takes it."""
        await each(self.names, lambda name: self.flip(name, ready=ready))

    async def beat(self, count: int) -> None:
        """Change the status of so many versions without changing what it means."""
        names = [self.names[number % len(self.names)] for number in range(count)]
        await each(enumerate(names), lambda one: self._status(one[1], PRIMARY, objects.heartbeat(one[0])))

    async def remove_routes(self) -> None:
        """Delete all that was written for the policies."""
        for kind in (VIRTUAL_SERVICE, SERVICE_ENTRY, GATEWAY):
            found = [name async for name in self._existing(kind)]
            await each(found, partial(self._delete, kind))

    async def renew(self) -> None:
        """Have everything be as if no controller had ever been here."""
        for kind in (ROUTING_POLICY, VIRTUAL_SERVICE, SERVICE_ENTRY, GATEWAY):
            found = [name async for name in self._existing(kind)]
            await each(found, partial(self._delete, kind))
        await each(self.names, self._unprotect)
        await each(self.names, self._create_policy)

    async def _create_model(self, name: str) -> None:
        for which in (PRIMARY, CANDIDATE):
            service = objects.inference_service(name, which)
            await self._client.create(INFERENCE_SERVICE, self.namespace, service)
        await self.flip(name, ready=True, which=PRIMARY)
        if self._policies:
            await self._create_policy(name)

    async def _create_policy(self, name: str) -> None:
        await self._client.create(ROUTING_POLICY, self.namespace, objects.policy(name))

    async def _unprotect(self, name: str) -> None:
        for which in (PRIMARY, CANDIDATE):
            ref = objects.ref(INFERENCE_SERVICE, self.namespace, objects.version(name, which))
            await self._client.merge_patch(ref, {"metadata": {"finalizers": None}})

    async def _status(self, name: str, which: str, patch: dict[str, Any]) -> None:
        ref = objects.ref(INFERENCE_SERVICE, self.namespace, objects.version(name, which))
        await self._client.merge_patch(ref, patch, subresource="status")

    async def _existing(self, kind: Kind) -> Any:
        async for page in self._client.pages(kind, self.namespace):
            for item in page.items:
                yield item["metadata"]["name"]

    async def _delete(self, kind: Kind, name: str) -> None:
        await self._client.delete(objects.ref(kind, self.namespace, name))


async def each(items: Iterable[Any], act: Callable[[Any], Awaitable[None]]) -> None:
    """Do something with each item, a fixed number at a time."""
    waiting = iter(items)

    async def work() -> None:
        for item in waiting:
            await act(item)

    async with asyncio.TaskGroup() as group:
        for _ in range(CONCURRENCY):
            group.create_task(work())
