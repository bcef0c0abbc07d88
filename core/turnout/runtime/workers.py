"""Workers: each takes keys from a queue, one after the other, and reconciles them."""

import logging
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

from turnout.calling import PluginError
from turnout.runtime.clock import Clock
from turnout.runtime.context import Retry
from turnout.runtime.errors import FAULT, ApiError, reason_of
from turnout.runtime.keys import Key, fields, shown
from turnout.runtime.observer import Observer
from turnout.runtime.queue import WorkQueue
from turnout.runtime.transport import ConnectionFailed

log = logging.getLogger(__name__)

Reconcile = Callable[[Any], Coroutine[Any, Any, float | None]]
"""Reconciles a key; returns the seconds after which to come again, if so."""


class Workers:
    """`reconcilers`: by the class of a key."""

    def __init__(self, reconcilers: Mapping[type, Reconcile], clock: Clock, observer: Observer) -> None:
        self._reconcilers = reconcilers
        self._clock = clock
        self._observer = observer

    async def work(self, queue: WorkQueue[Key]) -> None:
        """Work until cancelled. What fails is told and tried again with backoff; other keys go on."""
        while True:
            key = await queue.get()
            began = self._clock.monotonic()
            try:
                again = await self._reconcilers[type(key)](key)
            except Retry:
                self._retry(queue, key)
            except (ApiError, ConnectionFailed, PluginError) as error:
                self._observer.failed(key, reason_of(error))
                delay = self._retry(queue, key)
                log.warning("%s: %s; again in %.1f s", shown(key), error, delay, extra=fields(key))
            except Exception:
                self._observer.failed(key, FAULT)
                told = "%s: a fault of the controller; it is tried again"
                log.exception(told, shown(key), extra=fields(key))
                self._retry(queue, key)
            else:
                queue.forget(key)
                if again is not None:
                    queue.add_after(key, again)
            finally:
                queue.done(key)
                self._observer.reconciled(key, self._clock.monotonic() - began)

    def _retry(self, queue: WorkQueue[Key], key: Key) -> float:
        self._observer.retried(key)
        return queue.retry(key)
