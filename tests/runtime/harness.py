"""The rollouts of these tests: InferenceServices behind Istio, with what people and ModelMesh do to them.

Nothing of the controllers runs but while a test waits, in `until` or `settle`. Seconds are those of
`FastLoop`, for the controller, the cluster and the tests alike.
"""

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, NoReturn, TypeVar

import orjson

from tests.toys import ToyHosts, ToySteps, ToyTable
from tests.toys.hosts import KNATIVE_SERVICE
from tests.toys.table import CONFIG_MAP
from turnout.names import FINALIZER_DRAIN, ROUTING_POLICY, TRAFFIC_WEIGHTS
from turnout.plugin import Kind, Plugin, Ref
from turnout.registry import Registry
from turnout.runtime.transport import ConnectionFailed, Request
from turnout.strategies.blue_green import BlueGreen
from turnout.strategies.canary import Canary
from turnout.strategies.mirror import Mirroring
from turnout.testing import builders, rollout
from turnout.testing.builders import MODEL
from turnout.testing.memory import StatusError
from turnout.testing.rollout import Rollout, Running
from turnout_istio.gateway import GATEWAY, SERVICE_ENTRY
from turnout_istio.router import Istio
from turnout_istio.virtual_service import VIRTUAL_SERVICE
from turnout_kserve_modelmesh.environment import INFERENCE_SERVICE, KServeModelMesh

NAMESPACE = builders.NAMESPACE
PROPAGATION, IN_FLIGHT, LIMIT = 6.0, 3.0, 30.0
"""Seconds of the drain, as set for all tests that do not say otherwise."""

DRAIN = {
    "inFlightSeconds": IN_FLIGHT,
    "limitSeconds": LIMIT,
    "propagationSeconds": {"istio": PROPAGATION},
}

Object = dict[str, Any]
T = TypeVar("T")


class Bed(Rollout):
    """A cluster with InferenceServices and Istio, where the toys are installed too."""

    def __init__(self, runner: asyncio.Runner, *plugins: Plugin[Any]) -> None:
        registry = Registry.of(
            *(BlueGreen(), Canary(), Mirroring(), KServeModelMesh(), Istio()),
            *(ToySteps(), ToyTable(), ToyHosts()),
            *plugins,
        )
        kinds = (INFERENCE_SERVICE, KNATIVE_SERVICE, VIRTUAL_SERVICE, GATEWAY, SERVICE_ENTRY)
        super().__init__(runner, registry, kinds=kinds)

    def start(
        self,
        *,
        drain: Mapping[str, Any] | None = None,
        settings: Mapping[str, Any] | None = None,
        **options: Any,
    ) -> Running:
        """Start a controller, whose drain takes the seconds of these tests where `drain` does not say others."""
        given = {"drain": {**DRAIN, **(drain or {})}, **(settings or {})}
        return super().start(settings=given, **options)

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """What comes of some work in the loop of the controllers."""
        return self._runner.run(work)

    def forget(self, running: Running) -> None:
        """A controller has ended by itself."""
        self._running.remove(running)

    def policy(self, name: str = MODEL, *, labels: Mapping[str, str] | None = None, **spec: Any) -> None:
        """Apply a policy, as blue-green of two versions unless `spec` says otherwise."""
        self.apply(policy(name, labels=labels, **spec))

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

    # what there is

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

    def snapshot(self) -> dict[str, Object]:
        """Everything that is written for policies, without what differs from run to run."""
        routes = (VIRTUAL_SERVICE, GATEWAY, SERVICE_ENTRY, CONFIG_MAP)
        kinds = (*routes, INFERENCE_SERVICE, KNATIVE_SERVICE, ROUTING_POLICY, TRAFFIC_WEIGHTS)
        return {
            f"{kind.kind}/{found['metadata']['name']}": stripped(found, self._uids())
            for kind in kinds
            for found in self.cluster.objects(kind)
        }

    def _uids(self) -> dict[str, str]:
        kinds = (INFERENCE_SERVICE, KNATIVE_SERVICE, ROUTING_POLICY)
        found = [one for kind in kinds for one in self.cluster.objects(kind)]
        return {one["metadata"]["uid"]: f"uid of {one['kind']} {one['metadata']['name']}" for one in found}


def policy(name: str = MODEL, *, labels: Mapping[str, str] | None = None, **spec: Any) -> Object:
    """A policy's manifest, of blue-green unless `spec` says otherwise."""
    usual = {"targetEnv": "kserve-modelmesh", "trafficStrategy": "blue-green"}
    return rollout.policy(name, labels=labels, **{**usual, **spec})


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
