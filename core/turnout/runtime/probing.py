"""Asks probes whether proxies carry the routes of policies: only while a drain waits to know."""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Iterable, Iterator
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

import orjson

from turnout.plugin import Kind, Options, Probe, Ref, Route
from turnout.registry import Registry
from turnout.runtime.clock import Clock
from turnout.runtime.keys import PolicyKey
from turnout.runtime.observer import RAISED, Observer
from turnout.runtime.plugin_loops import CallFailed, PluginLoops
from turnout.settings import Settings
from turnout.shapes import repr_of

log = logging.getLogger(__name__)

EVERY = 0.5
"""Seconds from one question about the routes of a policy to the next."""
LIMIT = 2.0
"""Seconds of one question."""
AT_ONCE = 16
"""So many policies are asked about at the same time; the others take their turn."""

Bodies = tuple[tuple[Ref, bytes], ...]
"""Routes of a policy, each with its canonical JSON."""


class Said(Enum):
    """What probes say of routes."""

    CARRIED = "the proxies carry the routes"
    BEHIND = "a proxy does not carry the routes yet"
    UNKNOWN = "no probe can tell whether the proxies carry the routes"
    ASKING = "no answer yet"


@dataclass(frozen=True, slots=True)
class Answer:
    """The last answer. `since`: from when it counts; `late`: after it had been BEHIND for these routes."""

    said: Said
    since: float = 0.0
    late: bool = False


@dataclass(frozen=True, slots=True)
class InUse:
    """A probe with its options, and the kinds of the routes that it can ask about."""

    probe: Probe[Any]
    options: Options
    kinds: frozenset[Kind]


def in_use(registry: Registry, settings: Settings) -> Iterator[InUse]:
    """The probes that the administrator has set."""
    for probe, options in settings.in_use(registry.probes):
        if router := registry.routers.get(probe.router):
            yield InUse(probe, options, frozenset(router.plugin.writes))


@dataclass(slots=True)
class _Known:
    """The routes of a policy, and what was said of them. `trusted`: from when their being carried counts.

    `replaced`: routes of before, by their hash, with the times until which proxies may still get them.
    """

    routes: Bodies
    trusted: float = 0.0
    replaced: dict[int, float] = field(default_factory=dict)
    said: Said = Said.ASKING
    since: float = 0.0
    asked: float = float("-inf")
    answered: float = float("-inf")
    late: bool = False
    asking: bool = False


class Probing:
    """What probes say of each policy's routes. Those of now are asked about, and of no others it counts."""

    def __init__(
        self,
        probes: Iterable[InUse],
        clock: Clock,
        loops: PluginLoops,
        spawn: Callable[[Coroutine[Any, Any, None]], object],
        observer: Observer,
    ) -> None:
        self._probes = tuple(probes)
        self._clock = clock
        self._loops = loops
        self._spawn = spawn
        self._observer = observer
        self._turns = asyncio.Semaphore(AT_ONCE)
        self._known: dict[PolicyKey, _Known] = {}
        self._told: dict[tuple[str, PolicyKey], str] = {}

    def follow(self, key: PolicyKey, routes: Bodies, propagation: float) -> None:
        """Note the routes of now.

        Proxies that carry the same as once before may not have got what was written in between. So when
        routes come back, or one is gone, which nobody can ask about, that they are carried counts only
        once the `propagation` of what was there in between is over.
        """
        known = self._known.get(key)
        if not self._probes or (known and known.routes == routes):
            return
        if known is None:
            self._known[key] = _Known(routes)
            return
        now = self._clock.monotonic()
        replaced = {what: until for what, until in known.replaced.items() if until > now}
        replaced[hash(known.routes)] = now + propagation
        gone = {ref for ref, _ in known.routes} - {ref for ref, _ in routes}
        trusted = now + propagation if gone else max(replaced.get(hash(routes), 0.0), known.trusted)
        self._known[key] = _Known(routes, trusted, replaced)

    def answer(self, key: PolicyKey) -> Answer | None:
        """What is known of the routes that were noted last; None if no probe can be asked.

        Asks if that is due, and the next call learns what came of it.
        """
        known = self._known.get(key)
        if known is None or not any(ref.kind in one.kinds for one in self._probes for ref, _ in known.routes):
            return None
        now = self._clock.monotonic()
        if known.said is Said.CARRIED:
            return Answer(known.said, max(known.since, known.trusted), known.late)
        if not known.asking and now - known.asked >= EVERY:
            known.asking, known.asked = True, now
            self._spawn(self._ask(key, known))
        fresh = now - known.answered <= EVERY + LIMIT
        return Answer(known.said if fresh else Said.ASKING, known.since, known.late)

    def forget(self, key: PolicyKey) -> None:
        """The policy is gone, and its routes are."""
        self._known.pop(key, None)
        for one in self._probes:
            self._told.pop((one.probe.name, key), None)

    async def _ask(self, key: PolicyKey, known: _Known) -> None:
        try:
            async with self._turns:
                said = await self._all(key, known.routes)
            now = self._clock.monotonic()
            if said is not known.said:
                log.info("%s: %s", key, said.value, extra={"policy": str(key)})
                known.said, known.since = said, now
            known.answered = now
            known.late = known.late or said is Said.BEHIND
        finally:
            known.asking = False

    async def _all(self, key: PolicyKey, routes: Bodies) -> Said:
        """What all probes say together."""
        asked = [one for one in self._probes if any(ref.kind in one.kinds for ref, _ in routes)]
        words = await asyncio.gather(*(self._one(key, one, routes) for one in asked))
        if any(word is False for word in words):
            return Said.BEHIND
        kinds = frozenset[Kind]().union(*(one.kinds for one in asked))
        whole = all(ref.kind in kinds for ref, _ in routes)
        return Said.CARRIED if whole and any(word is True for word in words) else Said.UNKNOWN

    async def _one(self, key: PolicyKey, one: InUse, routes: Bodies) -> bool | None:
        """What a probe says; None if it fails, or takes too long."""
        probe, problem, how = one.probe, "", RAISED
        theirs = [_route(ref, body) for ref, body in routes if ref.kind in one.kinds]
        try:
            word: object = await self._loops.call(
                probe.name, key, lambda: probe.in_force(theirs, one.options), LIMIT
            )
        except CallFailed as error:
            word, problem, how = None, str(error), error.how
        if word is not None and not isinstance(word, bool):
            word, problem = None, f"returned {repr_of(word)}, expected True, False or None"
        if problem:
            self._observer.plugin_failed(probe.name, how)
        self._tell(key, probe.name, problem)
        return word

    def _tell(self, key: PolicyKey, probe: str, problem: str) -> None:
        """Log what is wrong with a probe: once, for as long as it is so."""
        if problem and self._told.get((probe, key)) != problem:
            told = "%s: probe %s %s; deleted versions are held for a time"
            log.warning(told, key, probe, problem, extra={"policy": str(key), "plugin": probe})
        if problem:
            self._told[probe, key] = problem
        else:
            self._told.pop((probe, key), None)


def _route(ref: Ref, body: bytes) -> Route:
    return Route(ref.kind, ref.namespace, ref.name, orjson.loads(body))
