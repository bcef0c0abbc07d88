"""A whole rollout in memory: a cluster, controllers that work on it, and what people do to it.

Nothing of the controllers runs but while a test waits, in `until`, `settle` or `sleep`. Seconds are those of
`FastLoop`, for the controllers, the cluster and the tests alike.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import yaml

from turnout.names import GROUP, ROUTING_POLICY, TRAFFIC_WEIGHTS, VERSION
from turnout.plugin import Kind, Ref
from turnout.registry import Registry
from turnout.runtime.client import Client
from turnout.runtime.clock import Clock
from turnout.runtime.controller import Controller
from turnout.runtime.observer import Observer
from turnout.settings import Settings
from turnout.testing import kinds as of_kinds
from turnout.testing.builders import MODEL, NAMESPACE
from turnout.testing.connection import Connection
from turnout.testing.outcome import Object, Outcome

QUIET = 1.5
"""A controller that has made no call for so many seconds has nothing to do, but for what it waits for."""

OF_THE_SERVER = frozenset({"creationTimestamp", "generation", "managedFields", "resourceVersion", "uid"})
"""Metadata that nobody applies."""


@dataclass
class Running:
    """A controller at work."""

    task: asyncio.Task[None]
    connection: Connection
    controller: Controller


class Rollout(Outcome):
    """One cluster. Every method acts at once, but for those that wait. What comes of it is in `Outcome`.

    `registry`: the plugins of the controllers. `kinds`: what the cluster serves unchecked; None: all that
    the plugins watch and write. `crds`: what it serves by definitions. Objects are in the namespace `models`.
    """

    def __init__(
        self,
        runner: asyncio.Runner,
        registry: Registry,
        *,
        kinds: Iterable[Kind] | None = None,
        crds: Iterable[of_kinds.Definition] = (),
    ) -> None:
        self._runner = runner
        self._loop = runner.get_loop()
        self._began = datetime.now(UTC), self._loop.time()
        self._running: list[Running] = []
        self.registry = registry
        served = of_kinds.of_plugins(registry) if kinds is None else kinds
        super().__init__(of_kinds.cluster(served, crds, now=self.now))

    @property
    def connection(self) -> Connection:
        """That of the only controller."""
        (running,) = self._running
        return running.connection

    # time

    def now(self) -> datetime:
        """The wall clock of the controllers and of the cluster."""
        start, began = self._began
        return start + timedelta(seconds=self._loop.time() - began)

    def until(self, holds: Callable[[], object], *, within: float = 50.0) -> None:
        """Let the controllers work until something holds. Raises AssertionError with what policies say."""

        async def wait() -> None:
            async with asyncio.timeout(within):
                while not holds():  # noqa: ASYNC110 - of plain data; there is nobody to set an event
                    await asyncio.sleep(0.05)

        try:
            self._runner.run(wait())
        except TimeoutError:
            raise AssertionError(f"not within {within:g} s; the policies: {self._told()}") from None
        self._still_running()

    def settle(self, quiet: float = QUIET) -> None:
        """Let the controllers work until they have made no call for a while."""

        async def wait() -> None:
            count, looks = len(self.calls), 0
            while looks * 0.1 < quiet:  # counted, not timed: on a busy machine nothing may get its turn
                await asyncio.sleep(0.1)
                await asyncio.to_thread(int)  # nor may the thread on which plugins run
                count, looks = len(self.calls), looks + 1 if len(self.calls) == count else 0

        self._runner.run(wait())
        self._still_running()

    def sleep(self, seconds: float) -> None:
        """Let the controllers work for so many seconds."""
        self._runner.run(asyncio.sleep(seconds))
        self._still_running()

    # controllers

    def start(
        self,
        *,
        instance: str = "",
        namespaces: Iterable[str] | None = (NAMESPACE,),
        registry: Registry | None = None,
        settings: Mapping[str, Any] | None = None,
        observer: Observer | None = None,
        leading: asyncio.Event | None = None,
    ) -> Running:
        """Start a controller. Before `until` or `settle` it has made no call. `settings`: a document.

        `observer` is told of its work; before `leading` is set it stands by.
        """

        async def begin() -> Running:
            connection = Connection(self.cluster)
            controller = Controller(
                Client(connection, on_call=observer.called if observer else None),
                registry or self.registry,
                Settings.of(settings or {}),
                namespaces=None if namespaces is None else frozenset(namespaces),
                instance=instance,
                clock=Clock(self.now, self._loop.time),
                observer=observer,
            )
            return Running(self._loop.create_task(controller.run(leading)), connection, controller)

        running = self._runner.run(begin())
        self._running.append(running)
        return running

    def stop(self, running: Running | None = None) -> None:
        """End a controller, or the only one, as SIGTERM would."""
        ended = running or self._running[-1]
        self._running.remove(ended)

        async def end() -> None:
            ended.task.cancel()
            with suppress(asyncio.CancelledError):
                await ended.task

        self._runner.run(end())

    def kill(self, running: Running | None = None) -> None:
        """End a controller in the middle of whatever it does: none of its calls arrives any more."""
        (running or self._running[-1]).connection.alive = False
        self.stop(running)

    def restart(self, **options: Any) -> Running:
        """Kill the controller and start another one."""
        self.kill()
        return self.start(**options)

    def close(self) -> None:
        """Stop all controllers."""
        while self._running:
            self.stop()

    # what people do

    def apply(self, *documents: Object | str) -> None:
        """Apply objects, or YAML text of them; a status is written as the controller of its kind would.

        They may be as `kubectl get` shows them: what the API server alone decides is left out.
        """
        for given in documents:
            for document in filter(None, yaml.safe_load_all(given) if isinstance(given, str) else [given]):
                metadata = {k: value for k, value in document["metadata"].items() if k not in OF_THE_SERVER}
                stated = {key: value for key, value in document.items() if key != "status"}
                stated["metadata"] = metadata
                self.cluster.apply_manifest(stated, namespace=NAMESPACE)
                if "status" in document:
                    ref = self.cluster.ref(document, namespace=NAMESPACE)
                    self.cluster.set_status(ref, document["status"])

    def policy(self, name: str = MODEL, *, labels: Mapping[str, str] | None = None, **spec: Any) -> None:
        """Apply a policy; `spec`: what it says, by default of the versions `<name>-0` and `<name>-1`."""
        self.apply(policy(name, labels=labels, **spec))

    def weights(self, name: str = MODEL, **weights: int) -> None:
        """Apply traffic weights, `wisdom_0=20` for version wisdom-0."""
        named = {version.replace("_", "-"): weight for version, weight in weights.items()}
        self.apply({**_head(TRAFFIC_WEIGHTS, name), "spec": {"weights": named}})

    def delete(self, ref: Ref) -> None:
        """Delete an object, as kubectl would."""
        self.cluster.delete(ref)

    def _told(self) -> str:
        return yaml.safe_dump([one.get("status") for one in self.cluster.objects(ROUTING_POLICY)])

    def _still_running(self) -> None:
        for running in self._running:
            if running.task.done():
                running.task.result()
                raise AssertionError("a controller has ended")


def policy(name: str = MODEL, *, labels: Mapping[str, str] | None = None, **spec: Any) -> Object:
    """A policy's manifest."""
    head = _head(ROUTING_POLICY, name)
    head["metadata"]["labels"] = dict(labels or {})
    return {**head, "spec": {"modelVersions": [{"name": f"{name}-0"}, {"name": f"{name}-1"}], **spec}}


def _head(kind: Kind, name: str) -> Object:
    return {"apiVersion": f"{GROUP}/{VERSION}", "kind": kind.kind, "metadata": {"name": name}}
