"""The versions of the model wisdom in each environment: how they come, who serves them, and their clients."""

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from typing import ClassVar, Self, TypeVar

from tests.cluster.controller import Object
from tests.cluster.versions import InferenceService, Workload, apply, delete
from tests.mesh.calls import ask, versions
from tests.mesh.site import STANDALONE, MeshSite
from tests.support.assets import AssetsMissingError
from tests.support.echo import Client, Echo, Received
from tests.support.waiting import free_address

HTTP_PORT = 8080

EchoT = TypeVar("EchoT", bound=Echo)


class Versions(ABC):
    """Of one environment, while it is a context."""

    environment: ClassVar[str]
    options: ClassVar[Object] = {}
    """What the policy says to the environment."""
    objects: ClassVar[tuple[str, ...]] = ("inferenceservice",)
    """The kinds of objects that are a version, each with its name."""

    def __init__(self, site: MeshSite) -> None:
        self.site = site
        site.environment = self.environment
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self._stack.close()

    @abstractmethod
    def deploy(self, name: str) -> None:
        """A version is there, and not ready yet."""

    @abstractmethod
    def becomes_ready(self, name: str) -> None:
        """It is."""

    @abstractmethod
    def ask(self, number: int, **headers: str) -> Counter[str]:
        """Make calls to the model. Returns how many each version answered; raises where one fails."""

    @abstractmethod
    def received(self) -> Counter[str]:
        """How many calls and copies have reached each version."""

    def delete(self, name: str) -> None:
        """Delete its objects, and do not wait for their end."""
        delete(self.site, *(f"{kind}/{name}" for kind in self.objects))

    def protected(self, name: str) -> bool:
        """Whether a deletion of any of its objects would wait for the drain."""
        found = (self.site.get(kind, name).get("metadata", {}) for kind in self.objects)
        return all("turnout.dev/drain" in one.get("finalizers", ()) for one in found)

    def gone(self, name: str) -> bool:
        return not any(self.site.get(kind, name) for kind in self.objects)


class OverGrpc(Versions):
    def ask(self, number: int, **headers: str) -> Counter[str]:
        return versions(
            ask(self.site.address, self.site.authority(), number, metadata=tuple(headers.items()))
        )


class OverHttp(Versions):
    """`servers`: those that answer, by version."""

    def __init__(self, site: MeshSite) -> None:
        super().__init__(site)
        self.servers: dict[str, Echo] = {}

    def ask(self, number: int, **headers: str) -> Counter[str]:
        found: Counter[str] = Counter()
        with Client(self.site.address, self.site.authority()) as client:
            for _ in range(number):
                answer = client.ask(headers=headers)
                assert answer.status == 200, answer
                found[answer.name] += 1
        return found

    def received(self) -> Counter[str]:
        return Counter({name: len(server.received) for name, server in self.servers.items()})


class ModelMesh(OverGrpc):
    """InferenceServices that ModelMesh serves at one address, told apart by a header."""

    environment = "kserve-modelmesh"

    def __enter__(self) -> Self:
        self.site.open_modelmesh()
        return self

    def deploy(self, name: str) -> None:
        self.site.never_loads(name)
        self.site.apply_version(name)

    def becomes_ready(self, name: str) -> None:
        self.site.finish(name)
        self.site.until_ready(name)

    def received(self) -> Counter[str]:
        return self.site.asked()


class OverKServesPort(OverHttp):
    """Behind Services that have KServe's own port."""

    SERVICE_PORT = 80

    def listening(self, made: Callable[[str, int], EchoT]) -> EchoT:
        """A server that answers behind such a Service, made with an address and a port of this machine."""
        # Where nothing maps ports, the server itself has to listen on that of the Services.
        port = self.SERVICE_PORT if self.site.router == STANDALONE else HTTP_PORT
        try:
            server = made(free_address(), port)
        except PermissionError:
            told = "port 80 is not ours; as root: sysctl net.ipv4.ip_unprivileged_port_start=80"
            raise AssetsMissingError(told) from None
        self._stack.enter_context(server)
        return server

    def serve(self, name: str, server: Echo) -> None:
        self.site.serve(name, self.SERVICE_PORT, server.address, server.port, protocol="http")


class Standard(OverKServesPort):
    """InferenceServices with a Service each, as KServe makes them in Standard mode."""

    environment = "kserve"

    def deploy(self, name: str) -> None:
        server = self.servers[name] = self.listening(partial(Echo, name))
        self.serve(f"{name}-predictor", server)
        InferenceService(self.site, "Standard", name).apply()

    def becomes_ready(self, name: str) -> None:
        InferenceService(self.site, "Standard", name).becomes("True")


class LocalGateway(Echo):
    """Knative's, which knows by the host that is asked for to which version a call goes."""

    def answers(self, request: Received) -> str:
        return request.host.partition(".")[0]


class Knative(OverKServesPort):
    """InferenceServices in Knative mode: their Services are other names of Knative's local gateway."""

    environment = "kserve"
    GATEWAY = "knative-local-gateway"

    def __enter__(self) -> Self:
        self._gateway = self.listening(partial(LocalGateway, self.GATEWAY))
        self.serve(self.GATEWAY, self._gateway)
        return self

    def deploy(self, name: str) -> None:
        host = f"{self.GATEWAY}.{self.site.namespace}.svc.cluster.local"
        alias = {"type": "ExternalName", "externalName": host}  # without ports, as KServe makes it
        apply(self.site, "v1", "Service", name, spec=alias)
        self.site.mesh.names.tell(f"{name}.{self.site.namespace}.svc.cluster.local", self._gateway.address)
        InferenceService(self.site, "Knative", name).apply()

    def becomes_ready(self, name: str) -> None:
        InferenceService(self.site, "Knative", name).becomes("True")

    def received(self) -> Counter[str]:
        return Counter(map(self._gateway.answers, list(self._gateway.received)))


class Deployments(OverHttp):
    """Deployments, each with a Service."""

    environment = "deployment"
    workload = "Deployment"
    objects = ("deployment", "service")

    def deploy(self, name: str) -> None:
        server = Echo(name, free_address(), HTTP_PORT)
        self.servers[name] = self._stack.enter_context(server)
        Workload(self.site, self.workload, name).apply(port=HTTP_PORT)
        self.site.known(name, server.address, {"app": name})

    def becomes_ready(self, name: str) -> None:
        Workload(self.site, self.workload, name).roll_out()


class StatefulSets(Deployments):
    """StatefulSets, each with a Service."""

    workload = "StatefulSet"
    options: ClassVar[Object] = {"workload": "StatefulSet"}
    objects = ("statefulset", "service")


ENVIRONMENTS: dict[str, type[Versions]] = {
    "deployment": Deployments,
    "kserve": Standard,
    "kserve in Knative mode": Knative,
    "kserve-modelmesh": ModelMesh,
}
VARIANTS: dict[str, type[Versions]] = {"deployment of StatefulSets": StatefulSets}
"""What differs from one of them in its objects alone."""
