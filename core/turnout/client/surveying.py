"""Reads what a rollout is made of, once, and decides from that as `turnout plan` does.

The plugins and the settings are those of whoever asks; the controller's may be others. What may not be read
is told, and then nothing is said of what would be decided.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from turnout.client.limited import limited
from turnout.client.survey import LeaseSeen, RouteSeen, ShiftSeen, Survey, Writer
from turnout.decision.assess import listed_routes, unknown_routes
from turnout.documents import Sourced
from turnout.names import TRAFFIC_WEIGHTS
from turnout.offline import Offline, Planned
from turnout.plugin import Ref
from turnout.plugin.reading import items, mapping, text, timestamp
from turnout.reasons import Reason
from turnout.registry import Registry
from turnout.rollout import Rollout
from turnout.runtime.client import Client
from turnout.runtime.errors import ApiError
from turnout.runtime.events import EVENT
from turnout.runtime.lease import LEASE
from turnout.settings import Settings
from turnout.shown import sentence

SOURCE = "the cluster"
ROUNDS = 8
"""A decision may look at further objects, such as those of a former environment: it takes two, or three."""

Object = Mapping[str, Any]


async def survey(
    client: Client, policy: Object, registry: Registry, settings: Settings, now: datetime
) -> Survey:
    """Read what a policy's rollout is made of, in a few rounds of calls at a time."""
    rollout = Rollout.read(policy)
    reading = _Reading(client, Offline(registry, settings, now, drain=True))
    weights = Ref(TRAFFIC_WEIGHTS, rollout.namespace, rollout.name)
    status = mapping(policy.get("status"))
    listed = listed_routes(status, registry)
    reading.take(policy)
    shifts, lease, _ = await asyncio.gather(
        _shifts(client, policy, reading.unread), _lease(client, rollout), reading.read([weights, *listed])
    )
    planned = await reading.decide()
    routes = [*map(reading.route, listed), *map(_unknown, unknown_routes(status, registry))]
    return Survey(rollout, planned, tuple(routes), shifts, tuple(reading.unread), lease)


@dataclass(slots=True)
class _Reading:
    """Objects as they are read, and what is decided from them."""

    client: Client
    offline: Offline
    unread: list[str] = field(default_factory=list)
    _found: dict[Ref, Object | None] = field(default_factory=dict)
    _news: list[Sourced] = field(default_factory=list)
    _absent: list[Ref] = field(default_factory=list)
    _incomplete: bool = False

    def take(self, obj: Object) -> None:
        self._news.append(Sourced(SOURCE, obj))

    async def read(self, refs: Iterable[Ref], *, may_fail: Iterable[Ref] = ()) -> None:
        """Read objects at once. Without one that is not in `may_fail` nothing can be decided."""
        optional = set(may_fail)
        wanted = [ref for ref in dict.fromkeys(refs) if ref not in self._found]
        answers = await asyncio.gather(*map(self.client.get, wanted), return_exceptions=True)
        for ref, answer in zip(wanted, answers, strict=True):
            if isinstance(answer, ApiError):
                self._found[ref] = None
                self.unread.append(sentence(str(answer), 1024))
                self._incomplete |= ref not in optional
            elif isinstance(answer, BaseException):
                raise answer
            elif answer is None:
                self._found[ref] = None
                self._absent.append(ref)
            else:
                self._found[ref] = answer
                self.take(answer)

    async def decide(self) -> Planned | None:
        """What would be decided, with all that this looks at."""
        for _ in range(ROUNDS):
            if self._incomplete:
                return None
            (planned,) = await asyncio.to_thread(self._decided)
            missing = sorted(self.offline.asked - self._found.keys(), key=str)
            if not missing:
                return planned
            written = {item.ref for item in planned.assessment.rendered}
            await self.read(missing, may_fail=written)
        self.unread.append(f"a decision has not looked at the same objects twice in {ROUNDS} rounds")
        return None

    def route(self, ref: Ref) -> RouteSeen:
        found = self._found.get(ref)
        exists = True if found else False if ref in self._absent else None
        return RouteSeen(ref.kind.kind, ref.namespace, ref.name, exists, tuple(_written(found or {})))

    def _decided(self) -> list[Planned]:
        with limited() as run:
            self.offline.run = run
            self.offline.add(self._news)
            self._news.clear()
            for ref in self._absent:
                self.offline.absent(ref)
            return self.offline.plan()


async def _lease(client: Client, rollout: Rollout) -> LeaseSeen | None:
    """What a wait goes by; few need it here, so that nothing is said where it may not be read."""
    namespace, _, name = rollout.lease.partition("/")
    if not name:
        return None
    try:
        found = await client.get(Ref(LEASE, namespace, name))
    except ApiError:
        return None
    spec = mapping(found.get("spec")) if found else {}
    return LeaseSeen(rollout.lease, text(spec.get("holderIdentity")), timestamp(spec.get("renewTime")))


async def _shifts(client: Client, policy: Object, unread: list[str]) -> tuple[ShiftSeen, ...] | None:
    try:
        return tuple(sorted([one async for one in _told(client, policy)], key=_time, reverse=True))
    except ApiError as error:
        unread.append(sentence(str(error), 1024))
        return None


async def _told(client: Client, policy: Object) -> AsyncIterator[ShiftSeen]:
    metadata = mapping(policy.get("metadata"))
    fields = {"involvedObject.uid": text(metadata.get("uid")), "reason": str(Reason.SHIFTED)}
    async with aclosing(client.pages(EVENT, text(metadata.get("namespace")), fields=fields)) as pages:
        async for page in pages:
            for event in page.items:
                yield ShiftSeen(timestamp(event.get("lastTimestamp")), text(event.get("message"), 1024))


def _time(one: ShiftSeen | Writer) -> float:
    return one.time.timestamp() if one.time else 0.0


def _unknown(said: Object) -> RouteSeen:
    """Of a router that is not installed here."""
    kind, namespace, name = (text(said.get(one)) for one in ("kind", "namespace", "name"))
    return RouteSeen(kind, namespace, name, None)


def _written(obj: Object) -> Iterator[Writer]:
    """Who has written fields of an object, but for its status, the last first."""
    writers = [
        Writer(text(one.get("manager"), 128), text(one.get("operation"), 16), timestamp(one.get("time")))
        for one in items(mapping(obj.get("metadata")).get("managedFields"))
        if not one.get("subresource")
    ]
    yield from sorted(writers, key=_time, reverse=True)
