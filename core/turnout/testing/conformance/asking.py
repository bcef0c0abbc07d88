"""Awaits a plugin's method on an event loop of its own, and sees what becomes of that loop meanwhile.

As in the controller the loop is on a daemon thread, so that a plugin which never ends holds up nobody.
"""

import _socket
import asyncio
import sys
import threading
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from types import FrameType
from typing import Any

from turnout.runtime.daemons import DaemonThreads
from turnout.testing.conformance.watching import for_others

GRACE = 1.0
"""Seconds that a call has to end in once it is cancelled."""
_TICK = 0.01
_LOOKS_UP = frozenset({"getaddrinfo", "gethostbyname", "gethostbyname_ex", "gethostbyaddr", "getnameinfo"})
_CONVERSES = frozenset(
    {"connect", "connect_ex", "accept", "recv", "recv_into", "recvfrom", "send", "sendall", "sendto"}
)

Fn = Callable[[], Awaitable[Any]]


@dataclass(slots=True)
class Asked:
    """What came of a call.

    `said`: its answer, None where it raised `error` or has not `answered`. `stood_still`: the seconds for
    which the loop did nothing else, at the longest. `blocking`: the calls of functions that block a loop.
    `ended`: whether it did, in time or once it was cancelled.
    """

    said: Any = None
    answered: bool = False
    error: BaseException | None = None
    seconds: float = 0.0
    stood_still: float = 0.0
    blocking: dict[str, None] = field(default_factory=dict)
    ended: bool = False


def ask(fn: Fn, limit: float) -> Asked:
    """Await `fn()`, and cancel it after `limit` seconds."""
    asked = Asked()
    began = time.monotonic()
    thread = threading.Thread(target=_run, args=(fn, limit, asked), daemon=True)
    thread.start()
    thread.join(limit + 2 * GRACE + 1)
    if thread.is_alive():  # it has never let go of its loop
        asked.seconds = asked.stood_still = time.monotonic() - began
    return asked


def _run(fn: Fn, limit: float, asked: Asked) -> None:
    loop = asyncio.new_event_loop()
    loop.set_default_executor(DaemonThreads())
    loop.set_exception_handler(lambda loop, context: None)

    def look(frame: FrameType, event: str, arg: Any) -> None:
        if event == "c_call" and (found := _blocking(arg)) and not for_others(frame):
            asked.blocking[found] = None

    watched = sys.getprofile() is None
    if watched:
        sys.setprofile(look)
    try:
        loop.run_until_complete(_asking(fn, limit, asked))
    finally:
        if watched:
            sys.setprofile(None)
    if asked.ended:
        loop.close()
    else:
        _left.append(loop)


_left: list[object] = []
"""Loops with calls that do not end: nobody may take them away while the process lives."""


async def _asking(fn: Fn, limit: float, asked: Asked) -> None:
    ticking = asyncio.create_task(_tick(asked))
    await asyncio.sleep(0)
    began = time.monotonic()
    task = asyncio.create_task(_told(fn, asked))
    await asyncio.wait({task}, timeout=limit)
    asked.seconds = time.monotonic() - began
    if not task.done():
        task.cancel()
        await asyncio.wait({task}, timeout=GRACE)
    asked.ended = task.done()
    await asyncio.sleep(5 * _TICK)
    ticking.cancel()
    if not asked.ended:
        _left.append(task)


async def _told(fn: Fn, asked: Asked) -> None:
    try:
        asked.said = await fn()
        asked.answered = True
    except asyncio.CancelledError:
        raise
    except BaseException as error:  # noqa: BLE001  plugin code
        asked.error = error


async def _tick(asked: Asked) -> None:
    """Note by how much a hundredth of a second is too long."""
    while True:
        began = time.monotonic()
        await asyncio.sleep(_TICK)
        asked.stood_still = max(asked.stood_still, time.monotonic() - began - _TICK)


def _blocking(function: Any) -> str | None:
    """What a C function is called that blocks whoever calls it."""
    name, module = function.__name__, getattr(function, "__module__", None)
    if name == "sleep" and module == "time":
        return "time.sleep"
    if name in _LOOKS_UP and module == "_socket":
        return f"socket.{name}"
    owner = getattr(function, "__self__", None)
    if name in _CONVERSES and isinstance(owner, _socket.socket) and owner.gettimeout() != 0:
        return f"{name} of a blocking socket"
    return None
