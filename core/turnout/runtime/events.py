"""Kubernetes events, which a person reads as the story of a policy. Losing one harms nothing."""

import asyncio
import logging
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

from turnout.decision.render import api_version
from turnout.names import FIELD_MANAGER, GROUP, ROUTING_POLICY, VERSION
from turnout.plugin import Kind, Ref
from turnout.reasons import Reason
from turnout.runtime.client import Client
from turnout.runtime.clock import Clock
from turnout.runtime.errors import ApiError
from turnout.runtime.transport import ConnectionFailed
from turnout.status import stamp

log = logging.getLogger(__name__)

EVENT = Kind("", ("v1",), "Event", "events")
REPEAT = 300.0
"""Seconds in which the same event about the same object is told once."""
REMEMBERED = 4096
WAITING = 1000
MESSAGE_LIMIT = 1024
NAME_LIMIT = 253 - 17


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to an object."""

    ref: Ref
    uid: str
    reason: Reason
    message: str
    warning: bool = False


def about_policy(namespace: str, name: str) -> Ref:
    """The policy as the object of an event."""
    return Ref(ROUTING_POLICY, namespace, name)


def _fields(event: Event) -> dict[str, str]:
    """What a line of the log about an event says besides its message."""
    return {"object": str(event.ref), "reason": event.reason}


class Recorder:
    """Takes events at once and writes them one after another, so that no reconcile waits for them."""

    def __init__(self, client: Client, clock: Clock) -> None:
        self._client = client
        self._clock = clock
        self._queue: asyncio.Queue[Event] = asyncio.Queue(WAITING)
        self._told: OrderedDict[Event, float] = OrderedDict()
        self._last = 0
        """Microseconds, in the name of the last event."""

    def record(self, event: Event) -> None:
        """Tell of something, unless it was told just now. Drops it when too many wait."""
        now = self._clock.monotonic()
        if now - self._told.get(event, float("-inf")) < REPEAT:
            return
        self._told[event] = now
        self._told.move_to_end(event)
        if len(self._told) > REMEMBERED:
            self._told.popitem(last=False)
        try:
            self._queue.put_nowait(event)
        except asyncio.QueueFull:
            told = "too many events wait; dropped: %s of %s: %s"
            log.warning(told, event.reason, event.ref, event.message, extra=_fields(event))

    async def run(self) -> None:
        """Write events until cancelled."""
        while True:
            event = await self._queue.get()
            try:
                await self._client.create(EVENT, event.ref.namespace, self._body(event))
            except (ApiError, ConnectionFailed) as error:
                log.debug("event of %s not written: %s", event.ref, error, extra=_fields(event))

    def _name(self, about: str) -> str:
        """One that sorts by time: kubectl lists events of the same second in the order of their names."""
        self._last = max(self._last + 1, int(self._clock.now().timestamp() * 1e6))
        return f"{about[:NAME_LIMIT].rstrip('.-')}.{self._last:016x}"

    def _body(self, event: Event) -> dict[str, Any]:
        now = stamp(self._clock.now())
        version = VERSION if event.ref.kind.group == GROUP else event.ref.kind.versions[0]
        return {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {
                "name": self._name(event.ref.name),
                "namespace": event.ref.namespace,
            },
            "involvedObject": {
                "apiVersion": api_version(event.ref.kind.group, version),
                "kind": event.ref.kind.kind,
                "namespace": event.ref.namespace,
                "name": event.ref.name,
                "uid": event.uid,
            },
            "reason": str(event.reason),
            "message": event.message[:MESSAGE_LIMIT],
            "type": "Warning" if event.warning else "Normal",
            "source": {"component": FIELD_MANAGER},
            "reportingComponent": f"{GROUP}/controller",
            "reportingInstance": FIELD_MANAGER,
            "action": str(event.reason),
            "firstTimestamp": now,
            "lastTimestamp": now,
            "count": 1,
        }
