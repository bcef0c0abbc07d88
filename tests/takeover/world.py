"""A cluster in memory in which Iter8 routes, and runs of a take-over that are cut off."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import yaml

from tests.migration.charts import NAMESPACE, Chart, Object
from turnout import loading
from turnout.documents import Sourced
from turnout.migration import Carried, carry
from turnout.migration.gotemplate import execute
from turnout.names import ROUTING_POLICY, TRAFFIC_WEIGHTS
from turnout.offline import Offline, Planned
from turnout.plugin import Ref
from turnout.runtime.client import Client
from turnout.runtime.transport import ConnectionFailed, Request, Response
from turnout.settings import Settings
from turnout.takeover.reading import CONFIG_MAP, OBJECTS, read, resources
from turnout.takeover.takeover import TakeOver
from turnout.testing.memory import InMemoryCluster
from turnout_istio.gateway import GATEWAY, SERVICE_ENTRY
from turnout_istio.virtual_service import VIRTUAL_SERVICE

MANAGER = "iter8-controller"
FINALIZER = "iter8.tools/finalizer"
ISVC = OBJECTS["InferenceService"]
ROUTES = Ref(VIRTUAL_SERVICE, NAMESPACE, "wisdom")
ENTRY = Ref(SERVICE_ENTRY, NAMESPACE, "wisdom")
POLICY = Ref(ROUTING_POLICY, NAMESPACE, "wisdom")
WEIGHTS = Ref(TRAFFIC_WEIGHTS, NAMESPACE, "wisdom")
ROUTEMAP = Ref(CONFIG_MAP, NAMESPACE, "wisdom-routemap")
REGISTRY = loading.load()


def version(name: str) -> Ref:
    return Ref(ISVC, NAMESPACE, name)


class World:
    """Iter8's objects of a chart, with all versions ready, as its controller has left them."""

    def __init__(self, chart: Chart, *, owns: bool = False) -> None:
        self.chart = chart
        self.owns = owns
        self.cluster = InMemoryCluster()
        for kind in (ROUTING_POLICY, TRAFFIC_WEIGHTS, VIRTUAL_SERVICE, SERVICE_ENTRY, GATEWAY, ISVC):
            self.cluster.install(kind)
        self.said: list[str] = []
        self.routes: list[Any] = []
        for name in chart.names:
            self._version(name)
        for document in chart.documents():
            document["metadata"].setdefault("finalizers", []).append(FINALIZER)
            self.cluster.create(document, namespace=NAMESPACE)
        self.iter8()
        self.cluster.on_response = self._look

    def _version(self, name: str) -> None:
        labels = {"iter8.tools/watch": "true"}
        metadata = {"name": name, "namespace": NAMESPACE, "labels": labels, "finalizers": [FINALIZER]}
        document = {"apiVersion": "serving.kserve.io/v1beta1", "kind": "InferenceService"}
        self.cluster.create({**document, "metadata": metadata, "spec": {}})
        self.ready(name)

    def hold(self, name: str) -> None:
        """Iter8's controller puts its finalizer on a version."""
        self.cluster.patch(version(name), {"metadata": {"finalizers": [FINALIZER]}})

    def ready(self, name: str, ready: bool = True) -> None:
        self.cluster.set_status(version(name), {"conditions": [{"type": "Ready", "status": str(ready)}]})

    def iter8(self, weights: Sequence[int] = (50, 50)) -> None:
        """Iter8's controller applies what its template yields, even if the routemap has been taken from it."""
        routemap = self.cluster.get(ROUTEMAP)
        assert routemap
        found = yaml.safe_load(routemap["data"]["strSpec"])
        (template,) = found["routingTemplates"].values()
        document = yaml.safe_load(execute(template["template"], weights, "template"))
        if self.owns:
            head = routemap["metadata"]
            owner = {"apiVersion": "v1", "kind": "configmap", "name": head["name"], "uid": head["uid"]}
            document["metadata"]["ownerReferences"] = [owner]
        self.cluster.apply_manifest(document, manager=MANAGER, namespace=NAMESPACE)

    def label(self) -> str:
        """By which Iter8's controller finds the routemap."""
        found = self.cluster.get(ROUTEMAP)
        assert found
        return str(found["metadata"]["labels"]["iter8.tools/kind"])

    def _look(self, request: Request, _: Response) -> None:
        if request.method != "GET":
            found = self.cluster.get(ROUTES)
            self.routes.append(found and found["spec"])

    def run(self, transport: Any = None, *, accept: bool = False) -> None:
        """Take the model over."""
        asyncio.run(self._run(transport, accept=accept))

    async def _run(self, transport: Any, *, accept: bool) -> None:
        over = transport or self.cluster
        artifacts = await read(Client(over), NAMESPACE)
        carried, *_ = carry(artifacts)
        holders = resources(artifacts, carried.namespace, carried.routemap)
        taking = TakeOver(over, planned, self.said.append, accept_changes=accept, settle=0.0)
        await taking.permitted(await taking.prepare(carried), holders)
        await taking.run(carried, holders)

    def carried(self) -> Carried:
        """What becomes of its routemap."""
        (found,) = carry(asyncio.run(read(Client(self.cluster), NAMESPACE)))
        return found


def planned(documents: Sequence[Any], namespace: str) -> Planned:
    offline = Offline(REGISTRY, Settings(), datetime(2026, 1, 2, tzinfo=UTC), namespace)
    offline.add(Sourced("the cluster", one) for one in documents)
    (found,) = offline.plan()
    return found


class Cut:
    """A transport that is cut at the call of a number: before it arrives, or before its answer does."""

    def __init__(self, cluster: InMemoryCluster, at: int, *, arrives: bool) -> None:
        self._cluster = cluster
        self._left = at
        self._arrives = arrives

    async def send(self, request: Request) -> Response:
        self._left -= 1
        if self._left < 0:
            raise ConnectionFailed("the process is gone")
        if self._left == 0:
            if self._arrives:
                await self._cluster.send(request)
            raise ConnectionFailed("the process is gone")
        return await self._cluster.send(request)

    async def close(self) -> None:
        """Nothing is open."""


def entry(chart: Chart) -> Object:
    """The ServiceEntry of the chart."""
    return {
        "apiVersion": "networking.istio.io/v1beta1",
        "kind": "ServiceEntry",
        "metadata": {"name": chart.model},
        "spec": {
            "hosts": chart.hosts,
            "location": "MESH_INTERNAL",
            "ports": [{"number": 8033, "name": "http", "protocol": "HTTP"}],
            "resolution": "DNS",
            "workloadSelector": {"labels": {"modelmesh-service": "modelmesh-serving"}},
        },
    }
