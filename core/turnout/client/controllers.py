"""Whether a controller is at work, by its Lease: what a wait would otherwise wait for in vain.

As those who would take over do, it goes by its own clock alone: nobody is there when the Lease has not
changed for twice as long as it says. A controller without a Lease, or whose Lease may not be read, is taken
to be at work.
"""

import asyncio
from collections.abc import Awaitable, Mapping
from typing import Any, Never, TypeVar

from turnout.plugin import Ref
from turnout.plugin.reading import integer, mapping, text
from turnout.runtime.client import Client
from turnout.runtime.errors import ApiError
from turnout.runtime.lease import LEASE
from turnout.runtime.transport import ConnectionFailed
from turnout.shown import plain

LOOK = 2.0
"""Seconds between two looks."""
PATIENCE = 30.0
"""Seconds without a change, at least: the pod of a controller that runs alone may be replaced meanwhile."""
DURATION = 15
"""Seconds after which one has run out that does not say when; the default of `turnout run`."""

Spec = Mapping[str, Any]
T = TypeVar("T")


class NoControllerError(RuntimeError):
    """No controller is at work, so what is waited for cannot come; the message says how that is known."""


async def until_missing(work: Awaitable[T], missing: Awaitable[None]) -> T:
    """What some work gives, unless `missing` raises before."""
    working, looking = asyncio.ensure_future(work), asyncio.ensure_future(missing)
    try:
        await asyncio.wait({working, looking}, return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            looking.result()
        return await working
    finally:
        for task in (working, looking):
            task.cancel()
        await asyncio.gather(working, looking, return_exceptions=True)


async def missing(client: Client, lease: str) -> Never:
    """Look on for as long as a controller is at work. Raises NoControllerError once none is.

    `lease`: namespace and name; empty for none that is known, which raises nothing.
    """
    namespace, _, name = lease.partition("/")
    loop, seen, since = asyncio.get_running_loop(), None, None
    while name:
        await asyncio.sleep(LOOK)
        try:
            found = await client.get(Ref(LEASE, namespace, name))
        except ApiError:
            break
        except ConnectionFailed:
            since = None  # it may have changed meanwhile
        else:
            spec = mapping(found.get("spec")) if found else None
            if since is None or spec != seen:
                seen, since = spec, loop.time()
            elif loop.time() - since >= _patience(spec):
                raise NoControllerError(f"no controller is at work: {_told(lease, spec)}")
    await loop.create_future()  # for ever
    raise AssertionError  # not reached


def _patience(spec: Spec | None) -> float:
    """Twice as long as it says: then those who stand by would have it."""
    said = integer(spec.get("leaseDurationSeconds")) if spec else None
    return max(PATIENCE, 2.0 * (said or DURATION))


def _told(lease: str, spec: Spec | None) -> str:
    if spec is None:
        return f"its Lease {plain(lease)} does not exist"
    renewed = text(spec.get("renewTime"), 64)
    if holder := text(spec.get("holderIdentity")):
        return f"{plain(holder)} does not renew the Lease {plain(lease)}, last done at {plain(renewed)}"
    return f"nobody has the Lease {plain(lease)}, let go at {plain(renewed)}"
