"""Tells notifiers of shifts, each in a queue of its own: one that is slow or fails delays nobody else."""

import logging
from collections import deque
from collections.abc import Callable, Coroutine, Iterable
from typing import Any

from turnout.plugin import Notifier, Options, Shift
from turnout.reasons import Reason
from turnout.runtime.events import Event, Recorder, about_policy
from turnout.runtime.keys import PolicyKey
from turnout.runtime.observer import TIMED_OUT, Observer
from turnout.runtime.plugin_loops import CallFailed, PluginLoops

log = logging.getLogger(__name__)

LIMIT = 10.0
"""Seconds for one call."""
WAITING = 1000
"""So many shifts wait for a notifier at most; of more the oldest are dropped."""

Told = tuple[PolicyKey, str, Shift]
"""A policy, its uid, and what has shifted."""


class Notifiers:
    """The notifiers that the administrator has set."""

    def __init__(
        self,
        notifiers: Iterable[tuple[Notifier[Any], Options]],
        recorder: Recorder,
        loops: PluginLoops,
        spawn: Callable[[Coroutine[Any, Any, None]], object],
        observer: Observer,
    ) -> None:
        self._lines = [_Line(*one, recorder, loops, spawn, observer) for one in notifiers]

    def tell(self, key: PolicyKey, uid: str, shift: Shift) -> None:
        """Tell all of them, in a while."""
        for line in self._lines:
            line.put((key, uid, shift))


class _Line:
    """What one notifier is still to be told. Its task lives only while there is something."""

    def __init__(
        self,
        notifier: Notifier[Any],
        options: Options,
        recorder: Recorder,
        loops: PluginLoops,
        spawn: Callable[[Coroutine[Any, Any, None]], object],
        observer: Observer,
    ) -> None:
        self._notifier = notifier
        self._options = options
        self._recorder = recorder
        self._loops = loops
        self._spawn = spawn
        self._observer = observer
        self._waiting: deque[Told] = deque()
        self._busy = False

    def put(self, told: Told) -> None:
        if len(self._waiting) == WAITING:
            self._failed(self._waiting.popleft(), f"has {WAITING} shifts waiting", TIMED_OUT)
        self._waiting.append(told)
        if not self._busy:
            self._busy = True
            self._spawn(self._work())

    async def _work(self) -> None:
        try:
            while self._waiting:
                await self._one(self._waiting.popleft())
        finally:
            self._busy = False

    async def _one(self, told: Told) -> None:
        key, _, shift = told
        try:
            await self._loops.call(
                self._notifier.name, key, lambda: self._notifier.shifted(shift, self._options), LIMIT
            )
        except CallFailed as error:
            self._failed(told, str(error), error.how)

    def _failed(self, told: Told, problem: str, how: str) -> None:
        key, uid, _ = told
        self._observer.plugin_failed(self._notifier.name, how)
        text = f"notifier {self._notifier.name} {problem}; it has not been told of the shift"
        log.warning("%s: %s", key, text, extra={"policy": str(key), "plugin": self._notifier.name})
        about = about_policy(key.namespace, key.name)
        self._recorder.record(Event(about, uid, Reason.NOTIFIER_FAILED, text, warning=True))
