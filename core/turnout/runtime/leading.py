"""Runs a controller that stands by until it leads, and again when it leads no longer."""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any

from turnout.runtime.controller import Controller
from turnout.runtime.fence import Fence
from turnout.runtime.lease import Deposed, Lease
from turnout.runtime.transport import Transport

log = logging.getLogger(__name__)


async def lead(make: Callable[[Transport], Controller], transport: Transport, lease: Lease) -> None:
    """Run until cancelled; nothing is written before the Lease is ours, nor after it.

    `make`: a new controller on a connection. One that stands by has its caches filled. When this is
    cancelled, the controller has ended and its writes are answered before another one may lead.
    """
    while True:
        fence = Fence(transport, lease.remaining)
        leading = asyncio.Event()
        running = asyncio.ensure_future(make(fence).run(leading))
        try:
            await _beside(running, lease.acquire())
            log.info("leading, by the %s", lease, extra={"lease": lease.name})
            leading.set()
            await _beside(running, lease.keep())
        except Deposed as error:
            told = "this controller leads no longer, and stands by: %s"
            log.warning(told, error, extra={"lease": lease.name})
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
            if await fence.quiet():
                await lease.release()


async def _beside(running: asyncio.Future[None], work: Coroutine[Any, Any, None]) -> None:
    """Do some work while a controller runs. Raises what ends either."""
    task = asyncio.ensure_future(work)
    try:
        await asyncio.wait({running, task}, return_when=asyncio.FIRST_COMPLETED)
        (running if running.done() else task).result()
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
