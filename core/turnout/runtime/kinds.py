"""The caches of the kinds that plugins need: started when a policy first uses one."""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Iterable, Iterator
from functools import partial
from typing import Any

from turnout.calling import Quarantined
from turnout.decision.objects import Entry
from turnout.plugin import Kind, Plugin, Ref
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


class KindCaches:
    """Follows kinds in the namespaces of the controller; None stands for all of them."""

    def __init__(
        self,
        client: Client,
        store: Store,
        guard: Guard,
        clock: Clock,
        namespaces: frozenset[str] | None,
        *,
        changed: Callable[[Ref, Entry | None, Entry | None], None],
        turned: Callable[[Kind], None],
        spawn: Spawn,
        observer: Observer,
    ) -> None:
        self._client = client
        self._store = store
        self._clock = clock
        self._namespaces = namespaces
        self._changed = changed
        self._turned = turned
        self._spawn = spawn
        self._observer = observer
        self._watches: dict[Kind, dict[str | None, Watch]] = {}
        self.digester = Digester(guard)

    def need(self, plugin: Plugin[Any]) -> None:
        """Follow the kinds of a plugin from now on."""
        for kind in self.digester.use(plugin):
            if kind in self._watches:
                # What is there was read without asking this plugin.
                for watch in self._watches[kind].values():
                    watch.cache.refill()
                    watch.reflector.restart()
            else:
                self._follow(kind)

    def watches(self) -> Iterator[Watch]:
        """Everything that is followed."""
        for watches in self._watches.values():
            yield from watches.values()

    def follows(self, kind: Kind) -> bool:
        """Whether the kind is followed."""
        return kind in self._watches

    def obstacle(self, needs: Iterable[Need]) -> Obstacle | None:
        """What keeps a decision from relying on kinds in namespaces, if anything does."""
        found = [obstacle for need in needs if (obstacle := self._obstacle(*need))]
        return next((one for one in found if not one.filling), found[0] if found else None)

    def troubled(self, kind: Kind) -> bool:
        """Whether the kind cannot be followed somewhere, for a reason that people should hear."""
        return any(watch.cache.problem for watch in self._watches.get(kind, {}).values())

    def _obstacle(self, kind: Kind, namespace: str) -> Obstacle | None:
        watches = self._watches.get(kind, {})
        scope = None if self._namespaces is None else namespace
        if self._namespaces is not None and namespace not in self._namespaces:
            return Obstacle(Reason.FORBIDDEN, f"this controller does not watch namespace {namespace}")
        if scope not in watches:
            return Obstacle(Reason.WAITING, f"{kind} are being read", filling=True)
        cache = watches[scope].cache
        if cache.usable:
            return None
        if cache.problem is None:
            return Obstacle(Reason.WAITING, f"{kind} are being read", filling=True)
        return Obstacle(_REASONS[cache.problem.cause], cache.problem.message)

    def _follow(self, kind: Kind) -> None:
        self._watches[kind] = {}
        scopes: list[str | None] = [None] if self._namespaces is None else [*sorted(self._namespaces)]
        for scope in scopes:
            cache = Cache(
                self._store.entries(kind),
                scope,
                partial(self.digester.entries, kind),
                partial(self._entry_changed, kind),
                partial(self._turned, kind),
            )
            reflector = Reflector(
                self._client, kind, scope, cache, told_end=partial(self._observer.watch_ended, kind)
            )
            self._watches[kind][scope] = Watch(kind, scope, cache, reflector)
            self._spawn(reflector.run())
        log.debug("following %s", kind, extra={"resource": str(kind)})

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
