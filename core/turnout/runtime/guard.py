"""Runs pure plugin code off the event loop, on a thread that can be given up.

A plugin that hangs is quarantined and the others go on at once on a new thread. Python cannot kill a
thread, so the old one is left: it is a daemon, so it never blocks exit, and it is asked to end by an
exception, so that an endless loop does not use a processor for ever. What a thread cannot be freed
from is C code that keeps the interpreter's lock: nothing else runs then, the event loop included.
"""

import asyncio
import contextlib
import ctypes
import queue
import threading
import time
from collections import Counter, deque
from collections.abc import Callable
from typing import Any, TypeVar

from turnout.calling import FOR, Abandoned, Calls, Quarantined, Sentence
from turnout.runtime.observer import RAISED, TIMED_OUT

T = TypeVar("T")

TICKS = 10
"""A limit is counted in this many ticks. A tick counts once however late it comes, so a process that
was stopped for an hour has used one tick, and its plugins still have the others to answer in."""

POLICIES = 3
"""One that hangs for so many policies is not called for others either: each costs all of them the limit."""


def interrupt(thread: threading.Thread) -> None:
    """Raise Abandoned in a thread that lives, as soon as it runs Python code."""
    if thread.ident is not None:
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread.ident), ctypes.py_object(Abandoned))


class DecisionStuck(RuntimeError):  # noqa: N818  named for what happened
    """A call did not end within the limit, and it was not a plugin that used the time."""


class _Job:
    """One call of `Guard.run`: what to run, who waits for it, and who was seen running at each tick."""

    __slots__ = ("calls", "fn", "future", "outcome", "samples", "timer")

    def __init__(self, fn: Callable[[Calls], Any], future: "asyncio.Future[Any]") -> None:
        self.fn = fn
        self.future = future
        self.calls = Calls()
        self.outcome: tuple[Any, BaseException | None] | None = None
        self.samples: Counter[str | None] = Counter()
        self.timer: asyncio.TimerHandle | None = None


class _Worker:
    """A daemon thread that runs jobs in order until it is told to stop."""

    def __init__(self, done: Callable[[_Job], None]) -> None:
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._done = done
        self._thread = threading.Thread(target=self._work, name="turnout-plugins", daemon=True)
        self._thread.start()

    def put(self, job: _Job) -> None:
        self._jobs.put(job)

    def stop(self) -> None:
        self._jobs.put(None)

    def abandon(self, job: _Job) -> None:
        """Let nobody wait for `job` any more, and end it if it is Python code that loops."""
        job.calls.abandoned = True
        interrupt(self._thread)
        self.stop()  # only now: until here the thread lives, and its number is its own

    def _work(self) -> None:
        # Abandoned may arrive at any bytecode; RuntimeError: the event loop was closed meanwhile.
        with contextlib.suppress(Abandoned, RuntimeError):
            while (job := self._jobs.get()) is not None:
                job.outcome = _run(job)
                job.future.get_loop().call_soon_threadsafe(self._done, job)
                del job  # what it decided must not stay in memory until the next one


def _run(job: _Job) -> tuple[Any, BaseException | None]:
    try:
        return job.fn(job.calls), None
    except StopIteration as error:  # a future refuses it
        return None, RuntimeError(f"StopIteration escaped from a decision: {error}")
    except BaseException as error:  # noqa: BLE001  the caller's to see, whatever it is
        return None, error


class Guard:
    """Runs decisions one at a time, in the order of the calls.

    `limit`: seconds of one decision, after which the plugin that was seen running most is
    quarantined: for `first` seconds, twice as long each time it hangs again soon, at most `longest`.
    `sentenced` is told of it, and `failed` of every plugin that does not answer as it should, and how.
    Belongs to the event loop that `run` is first awaited on.
    """

    def __init__(
        self,
        *,
        limit: float = 5.0,
        first: float = 60.0,
        longest: float = 3600.0,
        clock: Callable[[], float] = time.monotonic,
        sentenced: Callable[[Quarantined], None] = lambda _: None,
        failed: Callable[[str, str], None] = lambda *_: None,
    ) -> None:
        self._limit = limit
        self._first = first
        self._longest = longest
        self._clock = clock
        self._sentenced = sentenced
        self._failed = failed
        self._sentences: dict[str, Sentence] = {}
        self._waiting: deque[_Job] = deque()
        self._current: _Job | None = None
        self._worker: _Worker | None = None
        self._closed = False

    async def run(self, fn: Callable[[Calls], T]) -> T:
        """What `fn` returns. Runs on the guard's thread, with calls to plugins through `Calls`.

        Raises what `fn` raises, PluginFailed among it; Quarantined when a plugin took too long or is
        in quarantine; DecisionStuck when the time was core's own. A caller that is cancelled leaves
        the call running; its result is dropped.
        """
        if self._closed:
            raise RuntimeError("the guard is closed")
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Job(fn, future))
        self._next()
        return await future

    def quarantined(self) -> dict[str, float]:
        """The plugins in quarantine now, and until when, in seconds of the guard's clock."""
        now = self._clock()
        return {name: s.until for name, s in self._sentences.items() if s.until > now}

    def close(self) -> None:
        """Cancel everything that waits. The thread ends when the call it is in does."""
        self._closed = True
        if self._current:
            self._waiting.appendleft(self._current)
            self._disarm(self._current)
        for job in self._waiting:
            job.calls.abandoned = True
            job.future.cancel()
        self._waiting.clear()
        self._current = None
        if self._worker:
            self._worker.stop()

    def _next(self) -> None:
        while self._current is None and self._waiting:
            job = self._waiting.popleft()
            if job.future.cancelled():
                continue
            now = self._clock()
            job.calls.quarantined = {n: s for n, s in self._sentences.items() if s.until > now}
            self._current = job
            self._worker = self._worker or _Worker(self._done)
            self._arm(job)
            self._worker.put(job)

    def _done(self, job: _Job) -> None:
        if job is not self._current or job.outcome is None:
            return  # given up before it came to an end
        self._disarm(job)
        self._current = None
        for plugin in job.calls.failed:
            self._failed(plugin, RAISED)
        result, error = job.outcome
        self._settle(job, result, error)

    def _settle(self, job: _Job, result: Any, error: BaseException | None) -> None:
        if not job.future.done():
            if error is None:
                job.future.set_result(result)
            else:
                job.future.set_exception(error)
        self._next()

    def _arm(self, job: _Job) -> None:
        job.timer = job.future.get_loop().call_later(self._limit / TICKS, self._tick, job)

    def _disarm(self, job: _Job) -> None:
        if job.timer:
            job.timer.cancel()

    def _tick(self, job: _Job) -> None:
        if job.outcome is not None:
            self._done(job)  # the result wins, even over a deadline that has passed
            return
        job.samples[job.calls.running] += 1
        if job.samples.total() < TICKS:
            self._arm(job)
            return
        if self._worker:
            self._worker.abandon(job)
        self._worker = None
        self._current = None
        self._settle(job, None, self._verdict(job))

    def _verdict(self, job: _Job) -> Exception:
        """Who used the time, by the ticks at which it was seen running."""
        blamed = job.samples.most_common(1)[0][0]
        if blamed is None:
            return DecisionStuck(f"a decision took over {self._limit:g} s outside of any plugin")
        now = self._clock()
        self._sentences = {name: s for name, s in self._sentences.items() if now < s.until + s.delay}
        plugin, about, _ = blamed.partition(FOR)
        hung = [name for name in self.quarantined() if name.startswith(plugin + FOR)]
        if about and len(hung) + 1 >= POLICIES:
            blamed = plugin
        last = self._sentences.get(blamed)
        # Hanging again within a delay of its release means that it has not recovered in between.
        delay = min(last.delay * 2, self._longest) if last else self._first
        reason = f"did not return within {self._limit:g} s; it is not called for the next {delay:g} s"
        self._sentences[blamed] = Sentence(now + delay, delay, reason)
        quarantined = Quarantined(blamed, now + delay, reason)
        self._failed(blamed, TIMED_OUT)
        self._sentenced(quarantined)
        return quarantined
