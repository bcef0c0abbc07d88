"""The threads of `asyncio.to_thread` for plugins: daemons, so that nothing they wait for delays an exit."""

import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

MOST = 32
"""Threads of one plugin. More calls wait their turn."""

_Job = tuple[Future[Any], Callable[[], object]]


class DaemonThreads(ThreadPoolExecutor):
    """Event loops take no other class for their default; only its outside is used.

    Those of the standard library are waited for at the end of the process, however long that takes.
    """

    def __init__(self) -> None:
        super().__init__()
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._began = 0
        self._busy = 0
        self._lock = threading.Lock()

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        future: Future[T] = Future()
        with self._lock:
            self._busy += 1
            if self._began < min(self._busy, MOST):
                self._began += 1
                threading.Thread(target=self._work, name="turnout-to-thread", daemon=True).start()
        self._jobs.put((future, lambda: fn(*args, **kwargs)))
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """The threads end when what they run does. Nobody waits."""
        with self._lock:
            for _ in range(self._began):
                self._jobs.put(None)

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            future, fn = job
            if future.set_running_or_notify_cancel():
                try:
                    future.set_result(fn())
                except BaseException as error:  # noqa: BLE001  the caller's to see, whatever it is
                    future.set_exception(error)
            with self._lock:
                self._busy -= 1
            del job, future, fn
