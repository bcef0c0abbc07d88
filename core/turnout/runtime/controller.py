"""The controller: caches, a queue, and workers that reconcile what the queue hands out."""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any

from turnout.calling import PluginError
from turnout.decision.assess import Assessor
from turnout.decision.join import protects
from turnout.decision.objects import Entry
from turnout.decision.observe import name_of
from turnout.names import LABEL_POLICY, LABEL_SHARED, ROUTING_POLICY, TRAFFIC_WEIGHTS
from turnout.plugin import Kind, Ref
from turnout.registry import Registry
from turnout.runtime.apply import Writer
from turnout.runtime.cache import Cache
from turnout.runtime.client import Client
from turnout.runtime.clock import Clock
from turnout.runtime.context import Context, Retry
from turnout.runtime.digest import document
from turnout.runtime.drain import DrainReconciler
from turnout.runtime.errors import ApiError
from turnout.runtime.events import Recorder
from turnout.runtime.gates import Gates
from turnout.runtime.guard import Guard
from turnout.runtime.in_force import RoutesInForce
from turnout.runtime.keys import DrainKey, Key, PolicyKey, SharedKey, WeightsKey
from turnout.runtime.kinds import KindCaches
from turnout.runtime.lanes import Lanes
from turnout.runtime.notifiers import Notifiers
from turnout.runtime.orphans import follow_orphans
from turnout.runtime.plugin_loops import PluginLoops
from turnout.runtime.probing import Probing, in_use
from turnout.runtime.queue import WorkQueue
from turnout.runtime.reconciler import PolicyReconciler
from turnout.runtime.reflector import Cause, Reflector
from turnout.runtime.shared import SharedReconciler
from turnout.runtime.shifts import Shifts
from turnout.runtime.store import Document, Name, Shelf, Store
from turnout.runtime.transport import ConnectionFailed
from turnout.runtime.weights import WeightsReconciler
from turnout.settings import Settings

log = logging.getLogger(__name__)

WORKERS = 16
DRAIN_WORKERS = 8
"""Of their own: however slow the writes of routes are, a deleted version goes at its limit."""


class Controller:
    """Serves the policies of some namespaces, or of all (None), until it is cancelled.

    Several in one cluster share the policies by the label turnout.dev/instance.
    """

    def __init__(
        self,
        client: Client,
        registry: Registry,
        settings: Settings,
        *,
        namespaces: frozenset[str] | None,
        instance: str = "",
        clock: Clock | None = None,
    ) -> None:
        clock = clock or Clock()
        self._client = client
        self._namespaces = namespaces
        self._tasks: set[asyncio.Task[None]] = set()
        self._failed: asyncio.Future[None] | None = None
        guard = Guard(clock=clock.monotonic, sentenced=lambda sentence: self._kinds.quarantined(sentence))
        store = Store()
        reached = _reached(namespaces, settings)
        self._scopes: list[str | None] = [None] if reached is None else [*sorted(reached)]
        self._kinds = KindCaches(
            client,
            store,
            guard,
            clock,
            reached,
            changed=self._entry_changed,
            turned=self._kind_turned,
            spawn=self._spawn,
        )
        self._loops = PluginLoops()
        probing = Probing(in_use(registry, settings), clock, self._loops, self._spawn)
        self._queue: Lanes[Key] = Lanes(lambda key: isinstance(key, DrainKey))
        recorder = Recorder(client, clock)
        notifiers = Notifiers(settings.in_use(registry.notifiers), recorder, self._loops, self._spawn)
        gates = Gates(
            settings.in_use(registry.gates),
            settings.gates.fail_open,
            clock,
            self._loops,
            spawn=self._spawn,
            woken=self._queue.add,
        )
        self._context = Context(
            assessor=Assessor(registry, settings),
            writer=Writer(client, store, self._kinds.digester),
            recorder=recorder,
            guard=guard,
            clock=clock,
            queue=self._queue,
            kinds=self._kinds,
            store=store,
            in_force=RoutesInForce(store, clock, settings.drain, probing),
            gates=gates,
            shifts=Shifts(recorder, notifiers),
            instance=instance,
            namespaces=namespaces,
        )
        self._policies = PolicyReconciler(self._context)
        self._reconcilers: dict[type, Callable[[Any], Coroutine[Any, Any, float | None]]] = {
            PolicyKey: self._policies.reconcile,
            WeightsKey: WeightsReconciler(self._context, self._policies).reconcile,
            SharedKey: SharedReconciler(self._context).reconcile,
            DrainKey: DrainReconciler(self._context).reconcile,
        }
        self._own: list[Cache[Document]] = []

    async def run(self, leading: asyncio.Event | None = None) -> None:
        """Run until cancelled. Every task has ended when this returns.

        `leading`: until it is set, everything is followed and nothing is done.
        """
        self._failed = asyncio.get_running_loop().create_future()
        try:
            for kind, shelf in (
                (ROUTING_POLICY, self._context.store.policies),
                (TRAFFIC_WEIGHTS, self._context.store.weights),
            ):
                self._follow(kind, shelf)
            self._spawn(self._context.recorder.run())
            self._spawn(follow_orphans(self._client, self._context, self._kinds, self._scopes))
            self._spawn(self._start_work(leading))
            await self._failed
        finally:
            self._context.queue.close()
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
            self._loops.close()
            self._context.guard.close()

    async def _start_work(self, leading: asyncio.Event | None) -> None:
        if leading:
            await leading.wait()
        for queue, workers in ((self._queue, WORKERS), (self._queue.second, DRAIN_WORKERS)):
            for _ in range(workers):
                self._spawn(self._work(queue))

    def _spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[None]) -> None:
        """A task that ends by itself is a fault of the program: better stop than go on without it."""
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) and self._failed and not self._failed.done():
            self._failed.set_exception(error)

    def _follow(self, kind: Kind, shelf: Shelf[Document]) -> None:
        async def digest(objects: Any) -> list[tuple[Name, Document]]:
            return [(name_of(obj), document(obj)) for obj in objects]

        for scope in [None] if self._namespaces is None else [*sorted(self._namespaces)]:
            cache = Cache(shelf, scope, digest, self._document_changed, self._documents_turned)
            self._own.append(cache)
            self._spawn(Reflector(self._client, kind, scope, cache).run())

    def _document_changed(self, name: Name, before: Document | None, after: Document | None) -> None:
        if self._context.unseen is not None:
            self._context.queue.add(PolicyKey(*name))
            self._context.queue.add(WeightsKey(*name))

    def _documents_turned(self) -> None:
        """Begin once all policies and all weights are known: without the weights traffic would shift."""
        if any(cache.problem and cache.problem.cause is Cause.CRD_MISSING for cache in self._own):
            log.error("turnout's CRDs are not installed: turnout crds | kubectl apply --server-side -f -")
        if self._context.unseen is not None or not all(cache.usable for cache in self._own):
            return
        keys = [PolicyKey(*name) for name in self._context.store.policies.names()]
        self._context.unseen = {
            key for key in keys if (policy := self._context.policy(key)) and self._context.serves(policy)
        }
        for key in keys:
            self._context.queue.add(key)
        for name in self._context.store.weights.names():
            self._context.queue.add(WeightsKey(*name))
        log.info("%d policies", len(self._context.unseen))

    def _kind_turned(self, kind: Kind) -> None:
        """A cache became usable, or ceased to be."""
        for key, needs in list(self._context.waiting.items()):
            obstacle = self._kinds.obstacle(needs)
            if obstacle is None or not obstacle.filling:
                self._context.queue.add(key)
        for key in self._context.index.using(kind) if self._kinds.troubled(kind) else ():
            self._context.queue.add(key)

    def _entry_changed(self, ref: Ref, before: Entry | None, after: Entry | None) -> None:
        queue, index = self._context.queue, self._context.index
        policies = index.policies(ref)
        for key in policies:
            queue.add(key)
        entry = after or before
        if entry and entry.written:
            if policy := entry.written.labels.get(LABEL_POLICY):
                queue.add(PolicyKey(ref.namespace, policy))
            if LABEL_SHARED in entry.written.labels or self._context.claims.first(ref):
                queue.add(SharedKey(ref))
        if after and protects(after):
            wanted = policies and self._context.assessor.settings.drain.enabled
            drains = bool(after.deleting) or not wanted
        else:
            drains = ref in self._context.leaving  # someone else has released it
        if drains:
            queue.add(DrainKey(ref))

    async def _work(self, queue: WorkQueue[Key]) -> None:
        while True:
            key = await queue.get()
            try:
                again = await self._reconcilers[type(key)](key)
            except Retry:
                queue.retry(key)
            except (ApiError, ConnectionFailed, PluginError) as error:
                delay = queue.retry(key)
                log.warning("%s: %s; again in %.1f s", _shown(key), error, delay)
            except Exception:
                log.exception("%s: a fault of the controller; it is tried again", _shown(key))
                queue.retry(key)
            else:
                queue.forget(key)
                if again is not None:
                    queue.add_after(key, again)
            finally:
                queue.done(key)


def _shown(key: Key) -> str:
    return str(key.ref) if isinstance(key, SharedKey | DrainKey) else f"{key.namespace}/{key.name}"


def _reached(namespaces: frozenset[str] | None, settings: Settings) -> frozenset[str] | None:
    """Where versions and routes may be: the controller's namespaces, and what their policies may reach."""
    if namespaces is None:
        return None
    return frozenset().union(*(settings.allowed_namespaces(namespace) for namespace in namespaces))
