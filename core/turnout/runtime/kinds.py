"""The caches of the kinds that plugins need: started when a policy first uses one."""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Iterable, Iterator
from functools import partial
from typing import Any

from turnout.calling import Quarantined
from turnout.decision.objects import Entry
from turnout.plugin import Environment, Kind, Plugin, Ref
from turnout.reasons import Reason
from turnout.runtime.cache import Cache, Watch
from turnout.runtime.client import Client
from turnout.runtime.clock import Clock
from turnout.runtime.context import Need, Obstacle
from turnout.runtime.digest import Digester
from turnout.runtime.guard import Guard
from turnout.runtime.observer import Observer
from turnout.runtime.reflector import Cause, Reflector
from turnout.runtime.store import Name, Store

log = logging.getLogger(__name__)

Spawn = Callable[[Coroutine[Any, Any, None]], asyncio.Task[None]]

_REASONS = {
    Cause.CRD_MISSING: Reason.KIND_NOT_INSTALLED,
    Cause.FORBIDDEN: Reason.FORBIDDEN,
    Cause.UNREACHABLE: Reason.WAITING,
}


def scopes(namespaces: frozenset[str] | None) -> list[str | None]:
    """Where each is followed by itself, in order; None stands for all namespaces at once."""
    return [None] if namespaces is None else [*sorted(namespaces)]


class KindCaches:
    """Follows kinds: what environments watch in all of `reached`, what routers write in `served` alone.

    Both are namespaces, the second a part of the first; None stands for all there are.
    """

    def __init__(
        self,
        client: Client,
        store: Store,
        guard: Guard,
        clock: Clock,
        *,
        served: frozenset[str] | None,
        reached: frozenset[str] | None,
        changed: Callable[[Ref, Entry | None, Entry | None], None],
        turned: Callable[[Kind], None],
        spawn: Spawn,
        observer: Observer,
    ) -> None:
        self._client = client
        self._store = store
        self._clock = clock
        self._served = served
        self._reached = reached
        self._changed = changed
        self._turned = turned
        self._spawn = spawn
        self._observer = observer
        self._watches: dict[Kind, dict[str | None, Watch]] = {}
        self.digester = Digester(guard)

    def need(self, plugin: Plugin[Any]) -> None:
        """Follow the kinds of a plugin from now on."""
        namespaces = self._reached if isinstance(plugin, Environment) else self._served
        for kind in self.digester.use(plugin):
            watches = self._watches.setdefault(kind, {})
            for watch in watches.values():  # what is there was read without asking this plugin
                watch.cache.refill()
                watch.reflector.restart()
            for scope in scopes(namespaces):
                if scope not in watches:
                    watches[scope] = self._follow(kind, scope)

    def watches(self) -> Iterator[Watch]:
        """Everything that is followed."""
        for watches in self._watches.values():
            yield from watches.values()

    def follows(self, kind: Kind, scope: str | None) -> bool:
        """Whether the kind is followed in a namespace, or in all of them (None)."""
        return scope in self._watches.get(kind, {})

    def obstacle(self, needs: Iterable[Need]) -> Obstacle | None:
        """What keeps a decision from relying on kinds in namespaces, if anything does."""
        found = [obstacle for need in needs if (obstacle := self._obstacle(*need))]
        return next((one for one in found if not one.filling), found[0] if found else None)

    def troubled(self, kind: Kind) -> bool:
        """Whether the kind cannot be followed somewhere, for a reason that people should hear."""
        return any(watch.cache.problem for watch in self._watches.get(kind, {}).values())

    def _obstacle(self, kind: Kind, namespace: str) -> Obstacle | None:
        if self._reached is not None and namespace not in self._reached:
            return Obstacle(Reason.FORBIDDEN, f"this controller does not watch namespace {namespace}")
        if kind not in self._watches:
            return Obstacle(Reason.WAITING, f"{kind} are being read", filling=True)
        watch = self._watches[kind].get(None if self._reached is None else namespace)
        if watch is None:
            return Obstacle(Reason.FORBIDDEN, f"this controller does not watch {kind} in {namespace}")
        cache = watch.cache
        if cache.usable:
            return None
        if cache.problem is None:
            return Obstacle(Reason.WAITING, f"{kind} are being read", filling=True)
        return Obstacle(_REASONS[cache.problem.cause], cache.problem.message)

    def _follow(self, kind: Kind, scope: str | None) -> Watch:
        cache = Cache(
            self._store.entries(kind),
            scope,
            partial(self.digester.entries, kind),
            partial(self._entry_changed, kind),
            partial(self._turned, kind),
        )
        told_end = partial(self._observer.watch_ended, kind)
        reflector = Reflector(self._client, kind, scope, cache, told_end=told_end)
        self._spawn(reflector.run())
        log.debug("following %s", kind, extra={"resource": str(kind), "namespace": scope or ""})
        return Watch(kind, scope, cache, reflector)

    def _entry_changed(self, kind: Kind, name: Name, before: Entry | None, after: Entry | None) -> None:
        self._changed(Ref(kind, *name), before, after)

    def quarantined(self, quarantined: Quarantined) -> None:
        """Ask a plugin again about all objects that it knows of once it is out of quarantine.

        Of those that changed meanwhile it has not said a word, whatever call it was that hung.
        """
        log.warning("%s", quarantined, extra={"plugin": quarantined.plugin})
        wait = max(0.0, quarantined.until - self._clock.monotonic())
        for kind in self.digester.asked(quarantined.plugin):
            for watch in self._watches.get(kind, {}).values():
                asyncio.get_running_loop().call_later(wait, watch.reflector.restart)
