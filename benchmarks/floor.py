"""The floor: a client that decides nothing.

At start it applies one prepared VirtualService for each model of a namespace; then it watches
InferenceServices and answers each candidate that becomes ready, or ceases to be, with one prepared
apply. It owes nobody a status, a finalizer or an event, and does not survive an error. It uses
turnout's own connection, so what is measured against it is the work between the calls, and their number.

    python -m benchmarks.floor NAMESPACE
"""

import asyncio
import sys
from contextlib import aclosing

from benchmarks import objects
from benchmarks.following import follow
from turnout.runtime import kube
from turnout.runtime.client import Client

CONCURRENCY = 16
"""Calls at once; the controller has as many workers."""


class Floor:
    """One namespace's floor."""

    def __init__(self, client: Client, namespace: str) -> None:
        self._client = client
        self._namespace = namespace
        self._ready: dict[str, bool] = {}
        self._free = asyncio.Semaphore(CONCURRENCY)
        self._tasks: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Serve until killed."""
        async with aclosing(follow(self._client, objects.INFERENCE_SERVICE, self._namespace)) as batches:
            async for batch in batches:
                for event in batch:
                    if event.type in ("ADDED", "MODIFIED") and (name := self._note(event.object)):
                        self._spawn(name, self._ready[name])

    def _note(self, service: dict[str, object]) -> str | None:
        """Remember a candidate's readiness; the model's name if that has changed."""
        metadata = service["metadata"]
        assert isinstance(metadata, dict)
        name, which = objects.model_and_version(metadata["name"])
        ready = objects.is_ready(service)
        if which != objects.CANDIDATE or self._ready.get(name) == ready:
            return None
        self._ready[name] = ready
        return name

    def _spawn(self, name: str, ready: bool) -> None:
        task = asyncio.ensure_future(self._apply(name, ready))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _apply(self, name: str, ready: bool) -> None:
        prepared = objects.virtual_service(self._namespace, name, candidate=ready)
        async with self._free:
            route = objects.ref(objects.VIRTUAL_SERVICE, self._namespace, name)
            await self._client.apply(route, prepared)


async def main(namespace: str) -> None:
    """Run the floor of a namespace until killed."""
    transport = await kube.connect()
    try:
        await Floor(Client(transport), namespace).run()
    finally:
        await transport.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
