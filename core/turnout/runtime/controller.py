"""The controller: caches, a queue, and workers that reconcile what the queue hands out."""

import asyncio
import logging
from collections.abc import Coroutine, Mapping, Sequence
from functools import partial
from typing import Any

from turnout.decision.assess import Assessor
from turnout.decision.join import protects
from turnout.decision.objects import Entry
from turnout.decision.observe import name_of
from turnout.names import LABEL_POLICY, LABEL_SHARED, ROUTING_POLICY, TRAFFIC_WEIGHTS
from turnout.plugin import Kind, Ref
from turnout.registry import Registry
from turnout.runtime.apply import Writer
from turnout.runtime.cache import Cache, Watch
from turnout.runtime.client import Client
from turnout.runtime.clock import Clock
from turnout.runtime.context import Context
from turnout.runtime.digest import document
from turnout.runtime.drain import DrainReconciler
from turnout.runtime.events import Recorder
from turnout.runtime.gates import Gates
from turnout.runtime.guard import Guard
from turnout.runtime.in_force import RoutesInForce
from turnout.runtime.keys import DrainKey, Key, PolicyKey, SharedKey, WeightsKey
from turnout.runtime.kinds import KindCaches, scopes
from turnout.runtime.lanes import Lanes
from turnout.runtime.notifiers import Notifiers
from turnout.runtime.observer import Observer
from turnout.runtime.orphans import follow_orphans
from turnout.runtime.plugin_loops import PluginLoops
from turnout.runtime.probing import Probing, in_use
from turnout.runtime.queue import WorkQueue
from turnout.runtime.reconciler import PolicyReconciler
from turnout.runtime.reflector import Cause, Reflector
from turnout.runtime.shared import SharedReconciler
from turnout.runtime.shifts import Shifts
from turnout.runtime.store import Document, Name, Shelf, Store
from turnout.runtime.weights import WeightsReconciler
from turnout.runtime.workers import Reconcile, Workers
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
        lease: str = "",
        clock: Clock | None = None,
        observer: Observer | None = None,
    ) -> None:
        clock, observer = clock or Clock(), observer or Observer()
        self._client = client
        self._namespaces = namespaces
        self._tasks: set[asyncio.Task[None]] = set()
        self._failed: asyncio.Future[None] | None = None
        guard = Guard(
            clock=clock.monotonic,
            sentenced=lambda sentence: self._kinds.quarantined(sentence),
            failed=observer.plugin_failed,
        )
        store = Store()
        reached = _reached(namespaces, settings)
        self._scopes = scopes(reached)
        self._kinds = KindCaches(
            client,
            store,
            guard,
            clock,
            served=namespaces,
            reached=reached,
            changed=self._entry_changed,
            turned=self._kind_turned,
            spawn=self._spawn,
            observer=observer,
        )
        self._loops = PluginLoops()
        probing = Probing(in_use(registry, settings), clock, self._loops, self._spawn, observer)
        self._queue: Lanes[Key] = Lanes(lambda key: isinstance(key, DrainKey))
        recorder = Recorder(client, clock)
        notifiers = Notifiers(
            settings.in_use(registry.notifiers), recorder, self._loops, self._spawn, observer
        )
        gates = Gates(
            settings.in_use(registry.gates),
            settings.gates.fail_open,
            clock,
            self._loops,
            spawn=self._spawn,
            woken=self._queue.add,
            observer=observer,
        )
        self.context = Context(
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
            shifts=Shifts(recorder, notifiers, observer),
            observer=observer,
            instance=instance,
            lease=lease,
            namespaces=namespaces,
        )
        policies = PolicyReconciler(self.context)
        self.drains = DrainReconciler(self.context)
        self._began: float | None = None  # to work, by the event loop's clock
        reconcilers: dict[type, Reconcile] = {
            PolicyKey: policies.reconcile,
            WeightsKey: WeightsReconciler(self.context, policies.admission).reconcile,
            SharedKey: SharedReconciler(self.context).reconcile,
            DrainKey: self.drains.reconcile,
        }
        self._workers = Workers(reconcilers, clock, observer)
        self._own: list[Watch] = []

    async def run(self, leading: asyncio.Event | None = None) -> None:
        """Run until cancelled. Every task has ended when this returns.

        `leading`: until it is set, everything is followed and nothing is done.
        """
        self._failed = asyncio.get_running_loop().create_future()
        try:
            for kind, shelf in (
                (ROUTING_POLICY, self.context.store.policies),
                (TRAFFIC_WEIGHTS, self.context.store.weights),
            ):
                self._follow(kind, shelf)
            self._spawn(self.context.recorder.run())
            self._spawn(follow_orphans(self._client, self.context, self._kinds, self._scopes))
            self._spawn(self._start_work(leading))
            await self._failed
        finally:
            self._began = None
            self.context.queue.close()
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
            self._loops.close()
            self.context.guard.close()

    @property
    def working(self) -> bool:
        """Whether it reconciles: not while it stands by."""
        return self._began is not None

    @property
    def worked_for(self) -> float:
        """Seconds since it began to reconcile; 0 while it stands by."""
        return 0.0 if self._began is None else asyncio.get_running_loop().time() - self._began

    @property
    def failed(self) -> bool:
        """Whether it ends because something in it has."""
        return self._failed is not None and self._failed.done() and not self._failed.cancelled()

    @property
    def own_watches(self) -> Sequence[Watch]:
        """Those of policies and weights. Without one of them nothing can be decided."""
        return self._own

    @property
    def watches(self) -> Sequence[Watch]:
        """All, those of the kinds of plugins included."""
        return [*self._own, *self._kinds.watches()]

    @property
    def queues(self) -> Mapping[str, WorkQueue[Key]]:
        """What waits for workers, by a name of the queue."""
        return {"policies": self._queue, "drains": self._queue.second}

    async def _start_work(self, leading: asyncio.Event | None) -> None:
        if leading:
            await leading.wait()
        self._began = asyncio.get_running_loop().time()
        self.context.observer.began_to_work()
        for queue, workers in ((self._queue, WORKERS), (self._queue.second, DRAIN_WORKERS)):
            for _ in range(workers):
                self._spawn(self._workers.work(queue))

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

        for scope in scopes(self._namespaces):
            cache = Cache(shelf, scope, digest, self._document_changed, self._documents_turned)
            told_end = partial(self.context.observer.watch_ended, kind)
            reflector = Reflector(self._client, kind, scope, cache, told_end=told_end)
            self._own.append(Watch(kind, scope, cache, reflector))
            self._spawn(reflector.run())

    def _document_changed(self, name: Name, before: Document | None, after: Document | None) -> None:
        if self.context.unseen is not None:
            self.context.queue.add(PolicyKey(*name))
            self.context.queue.add(WeightsKey(*name))

    def _documents_turned(self) -> None:
        """Begin once all policies and all weights are known: without the weights traffic would shift."""
        problems = [watch.cache.problem for watch in self._own]
        if any(problem and problem.cause is Cause.CRD_MISSING for problem in problems):
            log.error("turnout's CRDs are not installed: turnout crds | kubectl apply --server-side -f -")
        if self.context.unseen is not None or not all(watch.cache.usable for watch in self._own):
            return
        keys = [PolicyKey(*name) for name in self.context.store.policies.names()]
        self.context.unseen = {
            key for key in keys if (policy := self.context.policy(key)) and self.context.serves(policy)
        }
        for key in keys:
            self.context.queue.add(key)
        for name in self.context.store.weights.names():
            self.context.queue.add(WeightsKey(*name))
        log.info("%d policies", len(self.context.unseen))

    def _kind_turned(self, kind: Kind) -> None:
        """A cache became usable, or ceased to be."""
        for key, needs in list(self.context.waiting.items()):
            obstacle = self._kinds.obstacle(needs)
            if obstacle is None or not obstacle.filling:
                self.context.queue.add(key)
        for key in self.context.index.using(kind) if self._kinds.troubled(kind) else ():
            self.context.queue.add(key)

    def _entry_changed(self, ref: Ref, before: Entry | None, after: Entry | None) -> None:
        queue, index = self.context.queue, self.context.index
        policies = index.policies(ref)
        for key in policies:
            queue.add(key)
        entry = after or before
        if entry and entry.written:
            if policy := entry.written.labels.get(LABEL_POLICY):
                queue.add(PolicyKey(ref.namespace, policy))
            if LABEL_SHARED in entry.written.labels or self.context.claims.first(ref):
                queue.add(SharedKey(ref))
        if after and protects(after):
            wanted = policies and self.context.assessor.settings.drain.enabled
            drains = bool(after.deleting) or not wanted
        else:
            drains = ref in self.context.leaving  # someone else has released it
        if drains:
            queue.add(DrainKey(ref))


def _reached(namespaces: frozenset[str] | None, settings: Settings) -> frozenset[str] | None:
    """Where versions may be: the controller's namespaces, and what their policies may reach."""
    if namespaces is None:
        return None
    return frozenset().union(*(settings.allowed_namespaces(namespace) for namespace in namespaces))
