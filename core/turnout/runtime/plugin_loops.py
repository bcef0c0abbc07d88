"""Runs async plugin code on event loops of its own, so that nothing it does holds up the controller's.

Each plugin has a loop on a daemon thread, from its first call. What blocks it holds up that plugin's calls
alone, and only until the thread is given up: the next call gets a new one. The process ends without them.
"""

import asyncio
import contextlib
import logging
import threading
from collections.abc import Awaitable, Callable
from typing import Any

from turnout.calling import describe
from turnout.runtime.daemons import DaemonThreads
from turnout.runtime.guard import TICKS, interrupt
from turnout.runtime.observer import RAISED, TIMED_OUT

log = logging.getLogger(__name__)

GRACE = 1.0
"""Seconds that a call has to end in once it is cancelled."""
MOST = 8
"""So many threads of a plugin may be blocked and given up. Then it is not called until one has ended."""


class CallFailed(Exception):  # noqa: N818  named for what happened
    """There is no answer. The text goes on from the plugin's name: `did not return within 5 s`."""

    def __init__(self, told: str, how: str = RAISED) -> None:
        super().__init__(told)
        self.how = how


class PluginLoops:
    """The loops of all plugins that do I/O. Belongs to the event loop of whoever calls."""

    def __init__(self) -> None:
        self._plugins: dict[str, _Plugin] = {}

    async def call(self, plugin: str, key: object, fn: Callable[[], Awaitable[Any]], limit: float) -> Any:
        """What `fn()` gives, called and awaited on the plugin's loop. Raises CallFailed.

        After `limit` seconds the call is cancelled. As long as it has not ended even so, another one with
        its `key` fails at once.
        """
        if plugin not in self._plugins:
            self._plugins[plugin] = _Plugin(plugin)
        return await self._plugins[plugin].call(key, fn, limit)

    def close(self) -> None:
        """Cancel what is under way, and wait for none of it."""
        for plugin in self._plugins.values():
            plugin.close()


class _Plugin:
    """The calls of one plugin."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._thread: _Thread | None = None
        self._given_up: list[_Thread] = []
        self._calls: dict[object, _Call] = {}
        self._told: set[str] = set()

    async def call(self, key: object, fn: Callable[[], Awaitable[Any]], limit: float) -> Any:
        late = f"did not return within {limit:g} s"
        if key in self._calls:
            raise CallFailed(late, TIMED_OUT)
        thread = self._free_thread()
        call = self._calls[key] = _Call(fn, thread, lambda call: self._ended(key, call))
        try:
            if await call.within(limit):
                return call.answer()
        finally:
            call.cancel()
        if not await call.within(GRACE):
            self._give_up(call)
        raise CallFailed(late, TIMED_OUT)

    def close(self) -> None:
        if self._thread:
            self._thread.stop()

    def _free_thread(self) -> "_Thread":
        if self._thread is None or not self._thread.alive:
            self._given_up = [thread for thread in self._given_up if thread.alive]
            if len(self._given_up) >= MOST:
                raise CallFailed(f"blocks {MOST} threads")
            self._thread = _Thread(self._name)
        return self._thread

    def _ended(self, key: object, call: "_Call") -> None:
        if self._calls.get(key) is call:
            del self._calls[key]

    def _give_up(self, call: "_Call") -> None:
        """Leave a call that was cancelled and goes on, and the thread where it blocks that."""
        thread = call.thread
        if call.reached:
            self._tell("a call goes on after it was cancelled; nobody waits for it any more")
        elif thread is self._thread:
            self._tell("a call blocks the event loop of its plugin; others are made on a new thread")
            self._thread = None
            self._given_up.append(thread)
            blocking = thread.give_up()
            there = [(key, one.task) for key, one in self._calls.items() if one.thread is thread]
            for key, task in there:
                if task is not blocking:
                    del self._calls[key]

    def _tell(self, what: str) -> None:
        """Log it, once."""
        if what not in self._told:
            self._told.add(what)
            log.warning("plugin %s: %s", self._name, what, extra={"plugin": self._name})


class _Call:
    """One call. `reached`: the plugin's loop has taken note that it is cancelled.

    `ended` is called on the event loop of whoever made it.
    """

    def __init__(
        self, fn: Callable[[], Awaitable[Any]], thread: "_Thread", ended: Callable[["_Call"], None]
    ) -> None:
        self.thread = thread
        self.task: asyncio.Task[None] | None = None
        self.reached = False
        self._fn = fn
        self._ended = ended
        self._here = asyncio.get_running_loop()
        self._end = self._here.create_future()
        self._answer: Any = None
        self._problem = ""
        thread.do(self._begin)

    async def within(self, seconds: float) -> bool:
        """Whether it has ended. What the process was stopped for counts as a tick, as it does for `Guard`."""
        for _ in range(TICKS):
            if not self._end.done():
                await asyncio.wait({self._end}, timeout=seconds / TICKS)
        return self._end.done()

    def answer(self) -> Any:
        if self._problem:
            raise CallFailed(self._problem)
        return self._answer

    def cancel(self) -> None:
        if not self._end.done():
            self.thread.do(self._cancel)

    def _note_end(self) -> None:
        self._end.set_result(None)
        self._ended(self)

    # on the plugin's thread

    def _begin(self) -> None:
        self.task = asyncio.get_running_loop().create_task(self._run())
        self.task.add_done_callback(self._tell_end)

    async def _run(self) -> None:
        try:
            self._answer = await self._fn()
        except BaseException as error:  # noqa: BLE001  a SystemExit of a plugin must not end its loop
            self._problem = f"raised {describe(error)}"

    def _cancel(self) -> None:
        self.reached = True
        if self.task:
            self.task.cancel()

    def _tell_end(self, _: object) -> None:
        with contextlib.suppress(RuntimeError):  # that event loop was closed meanwhile
            self._here.call_soon_threadsafe(self._note_end)


class _Thread:
    """An event loop on a daemon thread."""

    def __init__(self, plugin: str) -> None:
        self._runner = asyncio.Runner(loop_factory=asyncio.new_event_loop)
        self._loop = self._runner.get_loop()
        self._loop.set_default_executor(DaemonThreads())
        self._stopped = asyncio.Event()
        self._thread = threading.Thread(target=self._work, name=f"turnout-{plugin}", daemon=True)
        self._thread.start()

    @property
    def alive(self) -> bool:
        return self._thread.is_alive()

    def do(self, what: Callable[[], object]) -> None:
        """Call it on the loop, in a while."""
        with contextlib.suppress(RuntimeError):  # the loop has ended
            self._loop.call_soon_threadsafe(what)

    def stop(self) -> None:
        """Cancel what runs, and end once it has ended."""
        self.do(self._stopped.set)

    def give_up(self) -> "asyncio.Task[Any] | None":
        """End it, too, if it is Python code that loops. Returns the task that blocks it."""
        blocking = asyncio.current_task(self._loop)
        interrupt(self._thread)
        self.stop()
        return blocking

    def _work(self) -> None:
        # Abandoned may arrive at any bytecode, and tasks of a plugin's own may raise SystemExit.
        with contextlib.suppress(BaseException), self._runner:
            self._runner.run(self._stopped.wait())
