"""Lists a kind and then watches it, again from where a watch ended: no more than a prepared program needs."""

from collections.abc import AsyncGenerator
from contextlib import aclosing

from turnout.plugin import Kind
from turnout.runtime.client import Client
from turnout.runtime.stream import Event

WATCH_SECONDS = 3600
"""The API server may end a watch sooner, as it does where it takes a client for too slow."""


async def follow(client: Client, kind: Kind, namespace: str) -> AsyncGenerator[list[Event], None]:
    """What there is, as one batch of ADDED events, and then every batch of changes.

    Use it with `contextlib.aclosing`. Raises what the client raises: what is measured is spoilt then.
    """
    version = ""
    found: list[Event] = []
    async for page in client.pages(kind, namespace):
        version = page.resource_version
        found += [Event("ADDED", item) for item in page.items]
    yield found
    while True:
        watch = client.watch(kind, namespace, version, timeout_seconds=WATCH_SECONDS, idle=WATCH_SECONDS)
        async with aclosing(watch) as batches:
            async for batch in batches:
                if batch:
                    version = batch[-1].object["metadata"]["resourceVersion"]
                    yield batch
