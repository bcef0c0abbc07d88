"""A cluster in memory, controllers that run on it, and what people and ModelMesh do to it.

Nothing of the controllers runs but while a test waits, in `until` or `settle`. Seconds are those of
`FastLoop`, for the controller, the cluster and the tests alike.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from typing import Any, NoReturn

import orjson
import yaml

from tests.runtime.connection import Connection
from tests.toys import ToyHosts, ToySteps, ToyTable
from tests.toys.hosts import KNATIVE_SERVICE
from tests.toys.table import CONFIG_MAP
from turnout.names import FINALIZER_DRAIN, ROUTING_POLICY, TRAFFIC_WEIGHTS
from turnout.plugin import Kind, Plugin, Ref
from turnout.registry import Registry
from turnout.runtime.client import Client
from turnout.runtime.clock import Clock
from turnout.runtime.controller import Controller
from turnout.runtime.events import EVENT
from turnout.runtime.transport import ConnectionFailed, Request
from turnout.settings import Settings
from turnout.strategies.blue_green import BlueGreen
from turnout.strategies.canary import Canary
from turnout.strategies.mirror import Mirroring
from turnout.testing.memory import Call, InMemoryCluster, StatusError
from turnout_istio.gateway import GATEWAY, SERVICE_ENTRY
from turnout_istio.router import Istio
from turnout_istio.virtual_service import VIRTUAL_SERVICE
from turnout_kserve_modelmesh.environment import INFERENCE_SERVICE, KServeModelMesh

NAMESPACE = "models"
PROPAGATION, IN_FLIGHT, LIMIT = 6.0, 3.0, 30.0
"""Seconds of the drain, as set for all tests that do not say otherwise."""

DRAIN = {
    "inFlightSeconds": IN_FLIGHT,
    "limitSeconds": LIMIT,
    "propagationSeconds": {"istio": PROPAGATION},
}
QUIET = 1.5
"""A controller that has made no call for so many seconds has nothing to do, but for what it waits for."""

Object = dict[str, Any]


@dataclass
class Running:
    """A controller at work."""

    task: asyncio.Task[None]
    connection: Connection


class Bed:
    """One cluster. Every method acts at once, but for those that wait."""

    def __init__(self, runner: asyncio.Runner, *plugins: Plugin[Any]) -> None:
        self._runner = runner
        self._loop = runner.get_loop()
        self._began = datetime.now(UTC), self._loop.time()
        self._running: list[Running] = []
        self.registry = Registry.of(
            *(BlueGreen(), Canary(), Mirroring(), KServeModelMesh(), Istio()),
            *(ToySteps(), ToyTable(), ToyHosts()),
            *plugins,
        )
        self.cluster = InMemoryCluster(now=self.now)
        for definition in files("turnout").joinpath("crds").iterdir():
            self.cluster.install_crd(yaml.safe_load(definition.read_text(encoding="utf-8")))
        for kind in (INFERENCE_SERVICE, KNATIVE_SERVICE, VIRTUAL_SERVICE, GATEWAY, SERVICE_ENTRY):
            self.cluster.install(kind)

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
        """Let the controllers work until something holds."""

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
                await asyncio.to_thread(
                    int
                )  # plugins run on a thread, which may not have got its turn either
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
        drain: Mapping[str, Any] | None = None,
        namespaces: Iterable[str] | None = (NAMESPACE,),
        registry: Registry | None = None,
        settings: Mapping[str, Any] | None = None,
    ) -> Running:
        """Start a controller. Before `until` or `settle` it has made no call."""

        async def begin() -> Running:
            connection = Connection(self.cluster)
            controller = Controller(
                Client(connection),
                registry or self.registry,
                Settings.of({"drain": {**DRAIN, **(drain or {})}, **(settings or {})}),
                namespaces=None if namespaces is None else frozenset(namespaces),
                instance=instance,
                clock=Clock(self.now, self._loop.time),
            )
            return Running(self._loop.create_task(controller.run()), connection)

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
        while self._running:
            self.stop()

    # what people do

    def policy(self, name: str = "wisdom", *, labels: Mapping[str, str] | None = None, **spec: Any) -> None:
        """Apply a policy, as blue-green of two versions unless `spec` says otherwise."""
        self.cluster.apply_manifest(policy(name, labels=labels, **spec), namespace=NAMESPACE)

    def weights(self, name: str = "wisdom", **weights: int) -> None:
        """Apply traffic weights, `wisdom_0=20` for version wisdom-0."""
        named = {version.replace("_", "-"): weight for version, weight in weights.items()}
        manifest = {
            "apiVersion": "turnout.dev/v1alpha1",
            "kind": "TrafficWeights",
            "metadata": {"name": name},
            "spec": {"weights": named},
        }
        self.cluster.apply_manifest(manifest, namespace=NAMESPACE)

    def version(self, name: str, ready: bool | None = True, **metadata: Any) -> None:
        """Apply a version, and say whether it is ready (None: not yet known)."""
        self.cluster.apply_manifest(version(name, **metadata), namespace=NAMESPACE)
        self.ready(name, ready)

    def ready(self, name: str, ready: bool | None = True) -> None:
        """Say whether a version is ready, as ModelMesh does."""
        word = {True: "True", False: "False", None: "Unknown"}[ready]
        self.cluster.set_status(isvc(name), {"conditions": [{"type": "Ready", "status": word}]})

    def heartbeat(self, name: str) -> None:
        """Write a version's status anew, with nothing in it that a decision reads."""
        live = self.get(isvc(name))
        status = {**live["status"], "heartbeat": str(self.now())}
        self.cluster.set_status(isvc(name), status)

    def replace(self, name: str, label: str) -> None:
        """What `kubectl replace` does to a version: another model, and no finalizers."""
        self.cluster.replace(version(name, label=label, storage=label), namespace=NAMESPACE)

    def delete(self, ref: Ref) -> None:
        self.cluster.delete(ref)

    # what there is

    @property
    def calls(self) -> list[Call]:
        """The calls of controllers so far."""
        return self.cluster.calls

    @property
    def writes(self) -> list[str]:
        """What controllers have written so far, events aside, as `apply virtualservices/wisdom`."""
        return [
            f"{call.verb} {call.resource.partition('.')[0]}/{call.name}{'/status' * bool(call.subresource)}"
            for call in self.cluster.writes
            if call.resource != str(EVENT)
        ]

    def forget_calls(self) -> None:
        self.cluster.calls.clear()

    def get(self, ref: Ref) -> Object:
        """An object, which must exist."""
        found = self.cluster.get(ref)
        assert found is not None, f"{ref} does not exist"
        return found

    def exists(self, ref: Ref) -> bool:
        return self.cluster.get(ref) is not None

    def status(self, name: str = "wisdom") -> Object:
        """A policy's status."""
        status: Object = self.get(rp(name)).get("status", {})
        return status

    def split(self, name: str = "wisdom") -> str:
        return str(self.status(name).get("split", ""))

    def condition(self, kind: str, name: str = "wisdom") -> tuple[str, str]:
        """Status and reason of a policy's condition; empty while it has none."""
        found = condition_of(self.status(name), kind)
        return str(found.get("status", "")), str(found.get("reason", ""))

    def message(self, kind: str, name: str = "wisdom") -> str:
        return str(condition_of(self.status(name), kind).get("message", ""))

    def shares(self, name: str = "wisdom") -> dict[str, int]:
        """The weights by version in the last rule of a VirtualService; 100 for a route without a weight."""
        found = self.cluster.get(vs(name))
        return shares_of(found) if found else {}

    def finalizers(self, name: str) -> list[str]:
        listed: list[str] = self.get(isvc(name))["metadata"].get("finalizers", [])
        return listed

    def protected(self, name: str) -> bool:
        """Whether a version has the drain finalizer."""
        found = self.cluster.get(isvc(name))
        return found is not None and FINALIZER_DRAIN in found["metadata"].get("finalizers", [])

    def events(self, reason: str) -> list[str]:
        """The messages of the events with that reason."""
        listed = self.cluster.objects(EVENT, NAMESPACE)
        return [event["message"] for event in listed if event["reason"] == reason]

    def snapshot(self) -> dict[str, Object]:
        """Everything that is written for policies, without what differs from run to run."""
        routes = (VIRTUAL_SERVICE, GATEWAY, SERVICE_ENTRY, CONFIG_MAP)
        kinds = (*routes, INFERENCE_SERVICE, ROUTING_POLICY, TRAFFIC_WEIGHTS)
        return {
            f"{kind.kind}/{found['metadata']['name']}": stripped(found, self._uids())
            for kind in kinds
            for found in self.cluster.objects(kind)
        }

    def _uids(self) -> dict[str, str]:
        kinds = (INFERENCE_SERVICE, ROUTING_POLICY)
        found = [one["metadata"] for kind in kinds for one in self.cluster.objects(kind)]
        return {metadata["uid"]: f"uid of {metadata['name']}" for metadata in found}

    def _told(self) -> str:
        return yaml.safe_dump([one.get("status") for one in self.cluster.objects(ROUTING_POLICY)])

    def _still_running(self) -> None:
        for running in self._running:
            if running.task.done():
                running.task.result()
                raise AssertionError("a controller has ended")


def policy(name: str = "wisdom", *, labels: Mapping[str, str] | None = None, **spec: Any) -> Object:
    """A policy's manifest."""
    return {
        "apiVersion": "turnout.dev/v1alpha1",
        "kind": "RoutingPolicy",
        "metadata": {"name": name, "labels": dict(labels or {})},
        "spec": {
            "targetEnv": "kserve-modelmesh",
            "trafficStrategy": "blue-green",
            "modelVersions": [{"name": f"{name}-0"}, {"name": f"{name}-1"}],
            **spec,
        },
    }


def version(name: str, *, label: str = "v0", storage: str = "v0", **metadata: Any) -> Object:
    """An InferenceService's manifest; another `storage` makes it another model."""
    labels = {"app.kubernetes.io/name": "wisdom", "app.kubernetes.io/version": label}
    return {
        "apiVersion": "serving.kserve.io/v1beta1",
        "kind": "InferenceService",
        "metadata": {"name": name, "labels": labels, **metadata},
        "spec": {"predictor": {"model": {"storageUri": f"s3://models/{storage}"}}},
    }


def vs(name: str = "wisdom", namespace: str = NAMESPACE) -> Ref:
    return Ref(VIRTUAL_SERVICE, namespace, name)


def rp(name: str = "wisdom", namespace: str = NAMESPACE) -> Ref:
    return Ref(ROUTING_POLICY, namespace, name)


def tw(name: str = "wisdom", namespace: str = NAMESPACE) -> Ref:
    return Ref(TRAFFIC_WEIGHTS, namespace, name)


def isvc(name: str, namespace: str = NAMESPACE) -> Ref:
    return Ref(INFERENCE_SERVICE, namespace, name)


def gateway(name: str = "mm-gateway", namespace: str = NAMESPACE) -> Ref:
    return Ref(GATEWAY, namespace, name)


def service_entry(name: str = "wisdom", namespace: str = NAMESPACE) -> Ref:
    return Ref(SERVICE_ENTRY, namespace, name)


def condition_of(status: Mapping[str, Any], kind: str) -> Mapping[str, Any]:
    """A condition; an empty mapping where it is missing."""
    return next((one for one in status.get("conditions", ()) if one["type"] == kind), {})


def shares_of(virtual_service: Mapping[str, Any]) -> dict[str, int]:
    """The weights of the last rule, by the version whose header it sets."""
    routes = virtual_service["spec"]["http"][-1]["route"]
    return {route["headers"]["request"]["set"]["mm-vmodel-id"]: route.get("weight", 100) for route in routes}


def owners(document: Mapping[str, Any]) -> list[str]:
    """The names of an object's owners."""
    return sorted(owner["name"] for owner in document["metadata"].get("ownerReferences", ()))


def stripped(document: Object, uids: Mapping[str, str]) -> Object:
    """A document without times and versions, with readable uids."""
    metadata = {
        key: value
        for key, value in document["metadata"].items()
        if key not in ("managedFields", "resourceVersion", "creationTimestamp", "uid", "generation")
    }
    status = dict(document.get("status", {}))
    status["conditions"] = [
        {key: value for key, value in one.items() if key != "lastTransitionTime"}
        for one in status.get("conditions", ())
    ]
    text = orjson.dumps({**document, "metadata": metadata, "status": status}, option=orjson.OPT_SORT_KEYS)
    for uid, name in uids.items():
        text = text.replace(uid.encode(), name.encode())
    found: Object = orjson.loads(text)
    return found


def loses(plural: str, times: int = 1) -> Callable[[Request, Any], None]:
    """An `on_response` that loses the answers to so many writes of a kind: they have taken effect."""
    lost: list[int] = []

    def hook(request: Request, response: object) -> None:
        if request.method == "PATCH" and f"/{plural}/" in request.path and len(lost) < times:
            lost.append(1)
            fail()

    return hook


def refuse(
    *, verb: str = "", kind: Kind | None = None, code: int = 403, reason: str = "Forbidden", name: str = ""
) -> Callable[[Request], None]:
    """An `on_request` that refuses the calls it is about, and lets all others pass."""
    from turnout.testing.memory.paths import parse
    from turnout.testing.memory.paths import verb as verb_of

    def hook(request: Request) -> None:
        target = parse(request.path)
        if target is None:
            return
        about = kind is None or (target.group, target.plural) == (kind.group, kind.plural)
        if about and verb in ("", verb_of(target, request)) and name in ("", target.name):
            raise StatusError(code, reason, f"{verb_of(target, request)} {target.plural}: it is not allowed")

    return hook


def fail(message: str = "the answer was lost") -> NoReturn:
    raise ConnectionFailed(message)
