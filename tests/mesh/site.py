"""A namespace with a controller, models that answer, and ways in for their clients."""

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

import pytest

from tests.cluster.controller import Object, Site
from tests.mesh.objects import NO_CERTIFICATES, gateway, on_loopback, service, service_entry
from tests.mesh.routes_watch import shares_of
from tests.mesh.standalone import Standalone
from tests.support import ControlPlane, wait_until
from tests.support.assets import MeshAssets
from tests.support.mesh import INGRESS_HOST, INGRESS_LABELS, SYSTEM, Envoy, Istiod, Node
from tests.support.names import Names
from tests.support.processes import ProcessGroup
from tests.support.waiting import answers, fetch, free_address, free_port

PROPAGATION = 2.0
"""Seconds that istiod and the proxies may take: with the debounce of the tests, a second less."""
IN_FLIGHT = 1.0
LOAD_SECONDS = 1.5
"""How long the stand-in takes to load a model."""
MODELMESH_PORT = 8033
GATEWAY = "models"
"""The Gateway of Gateway API, in the namespace of the proxies."""
BATCH = "x-batch"
"""A request header by whose value the models' server tells calls apart."""

STANDALONE = "envoy"
"""The router whose routes an Envoy without a mesh follows."""

by_each_router = pytest.mark.parametrize("router", ["istio", "gateway-api", STANDALONE])
"""For a test that holds whichever router writes the routes."""
in_the_mesh = pytest.mark.parametrize("router", ["istio", "gateway-api"])
"""For one of calls from within the mesh, whichever router writes them."""


class Mesh:
    """istiod and an ingress gateway, for all tests of a run; and the names of Services, for what is no part of it."""

    def __init__(self, control_plane: ControlPlane, assets: MeshAssets, directory: Path) -> None:
        self.control_plane = control_plane
        self.assets = assets
        self.processes = ProcessGroup(directory)
        self.istiod = Istiod(assets, control_plane, self.processes)
        gateway = Node("router", "istio-ingressgateway-0", SYSTEM, INGRESS_LABELS)
        self.ingress = Envoy(assets, self.istiod, self.processes, gateway)
        self.port = free_port()
        """Where the gateway listens, and the port of every Gateway."""
        self.names = Names()

    def start(self) -> None:
        """Start both, and make the gateway known by its Service's name, for mirrored requests."""
        self.names.start()
        self.control_plane.install_crds("gateway-api", "istio", "kserve", "turnout")
        self.control_plane.kubectl("create", "namespace", SYSTEM)
        documents = (
            self._ingress_service(),
            on_loopback(SYSTEM, self.port),
            NO_CERTIFICATES,
            service(SYSTEM, "gateway-api", self.port, INGRESS_LABELS),
            gateway(SYSTEM, GATEWAY, self.port, f"gateway-api.{SYSTEM}.svc.cluster.local"),
        )
        for document in documents:
            self.control_plane.kubectl("apply", "-f", "-", input=json.dumps(document))
        self.istiod.start()
        self.ingress.start()
        here = f"127.0.0.1:{self.port}"
        wait_until(lambda: self.ingress.listeners() == {here}, timeout=30, what=f"the gateway is at {here}")

    def stop(self) -> None:
        self.names.stop()
        self.processes.stop()

    def _ingress_service(self) -> Object:
        """The API server refuses Services with loopback endpoints; this is the same to istiod."""
        return service_entry(SYSTEM, "istio-ingressgateway", INGRESS_HOST, self.port, self.port)


class MeshSite(Site):
    """A namespace: ModelMesh's stand-in, a controller when it is started, and clients."""

    def __init__(
        self,
        mesh: Mesh,
        namespace: str,
        directory: Path,
        *,
        router: str = "istio",
        drain: Object | None = None,
        plugins: Object | None = None,
        reaches: str | None = None,
    ) -> None:
        """`router`: of its policies. `drain`, `plugins`: settings of the controllers besides those that fit.

        `reaches`: another namespace that its policies may name.
        """
        routers: Object = {
            "istio": {"defaults": {"gatewayPort": mesh.port}},
            "gateway-api": {"defaults": {"gateway": f"{SYSTEM}/{GATEWAY}"}},
            STANDALONE: {},
        }
        fitting = {"inFlightSeconds": IN_FLIGHT, "propagationSeconds": dict.fromkeys(routers, PROPAGATION)}
        chosen: Object = {"drain": fitting | (drain or {}), "plugins": routers | (plugins or {})}
        if reaches:
            chosen["allowNamespaces"] = {namespace: [reaches]}
        super().__init__(mesh.control_plane, namespace, directory, settings=json.dumps(chosen))
        self.mesh = mesh
        self.router = router
        self.environment = "kserve-modelmesh"
        """Of its policies, too."""
        self.served = namespace
        """The namespace of the models' Service, and so of their hosts."""
        self._models, self._control_port = free_address(), free_port()
        self._standin: subprocess.Popen[bytes] | None = None
        self._standalone: Standalone | None = None

    @property
    def address(self) -> str:
        """Where clients outside the mesh call."""
        return self._standalone.address if self._standalone else f"127.0.0.1:{self.mesh.port}"

    def authority(self, model: str = "wisdom") -> str:
        return f"{model}.{self.served}"

    def __enter__(self) -> Self:
        """The controller's account has its rights; the Envoy without a mesh runs, if the router is for one."""
        self.grant()
        if self.router == STANDALONE:
            mesh = self.mesh
            self._standalone = Standalone(
                mesh.control_plane, self.namespace, mesh.assets.envoy, mesh.names.server
            )

        return self

    def __exit__(self, *exception: object) -> None:
        self.close()
        self.release()

    def open_modelmesh(self, namespace: str | None = None) -> None:
        """Start the models' server, and make it known. `namespace`: of its Service, where it is another."""
        self.served = namespace or self.namespace
        self.serve(
            *("modelmesh-serving", MODELMESH_PORT, self._models, MODELMESH_PORT),
            protocol="grpc",
            namespace=self.served,
        )
        options = {
            "host": self._models,
            "port": MODELMESH_PORT,
            "control-port": self._control_port,
            "namespace": self.namespace,
            "load-seconds": LOAD_SECONDS,
            "header": BATCH,
        }
        arguments = [f"--{name}={value}" for name, value in options.items()]
        kubeconfig = self.control_plane.user("modelmesh", "system:masters").kubeconfig
        self._standin = self.mesh.processes.start(
            Path(sys.executable),
            ["-m", "turnout.testing.serving", *arguments],
            environment={"KUBECONFIG": str(kubeconfig)},
        )
        self.mesh.processes.wait_ready(self._standin, lambda: answers(f"{self._control}/counts"))

    def serve(
        self, name: str, port: int, address: str, local: int, *, protocol: str, namespace: str | None = None
    ) -> None:
        """Make a server of this machine, at an address and a port, a Service with a port."""
        labels = {"served-by": name}
        document = service(namespace or self.namespace, name, port, labels, protocol)
        self.control_plane.kubectl("apply", "-f", "-", input=json.dumps(document))
        self.known(name, address, labels, {protocol: local}, namespace=namespace)

    def known(
        self,
        name: str,
        address: str,
        labels: Mapping[str, str],
        ports: Mapping[str, int] | None = None,
        *,
        namespace: str | None = None,
    ) -> None:
        """Make an address that of a Service: in the mesh as its only workload, elsewhere by its name.

        The API server takes no Endpoints on loopback. `ports`: those that the Service does not name itself.
        """
        workload = {
            "apiVersion": "networking.istio.io/v1",
            "kind": "WorkloadEntry",
            "metadata": {"name": name, "namespace": namespace or self.namespace},
            "spec": {"address": address, "labels": labels, **({"ports": ports} if ports else {})},
        }
        self.control_plane.kubectl("apply", "-f", "-", input=json.dumps(workload))
        self.mesh.names.tell(f"{name}.{namespace or self.namespace}.svc.cluster.local", address)

    def template(self, values: str) -> str:
        """What `turnout template` makes of a values file of the tutorial, for the router of the site."""
        made = super().template(values)
        return made.replace("spec:\n  targetEnv:", f"spec:\n  router: {self.router}\n  targetEnv:")

    def close(self) -> None:
        super().close()
        if self._standalone:
            self._standalone.stop()
            self._standalone = None
        if self._standin:
            with suppress(KeyError):
                self.mesh.processes.end(self._standin, kill=True)
            self._standin = None

    def asked(self, batch: str | None = None) -> Counter[str]:
        """How many calls have come to the models' server, by the InferenceService that they were for.

        `batch`: those alone that have this value in the header BATCH.
        """
        found: Counter[str] = Counter()
        for one in json.loads(fetch(f"{self._control}/counts"))["counts"]:
            if batch is None or one["headers"].get(BATCH) == batch:
                found[one["service"]] += one["count"]
        return found

    def ended(self, name: str, since: float) -> list[float]:
        """When each call for a version was over at the models' server; by time.monotonic().

        `since`: when they began at the earliest.
        """
        calls = json.loads(fetch(f"{self._control}/calls?since={since}"))["calls"]
        return [one["ended"] for one in calls if one["service"] == name and one["began"] >= since]

    def outcomes(self, name: str) -> set[str]:
        """The gRPC statuses with which the models' server has answered calls for a version."""
        counts = json.loads(fetch(f"{self._control}/counts"))["counts"]
        return {one["code"] for one in counts if one["service"] == name}

    def never_loads(self, name: str) -> None:
        """A version's next model goes on loading until `finish`."""
        fetch(f"{self._control}/load?service={name}&seconds=inf", method="POST")

    def finish(self, name: str) -> None:
        """A version's model is loaded now."""
        fetch(f"{self._control}/finish?service={name}", method="POST")

    def loaded(self, name: str) -> bool:
        """Whether the models' server has a version's model."""
        state = json.loads(fetch(f"{self._control}/models")).get(name)
        return bool(state and state["active"])

    def slow(self, name: str, seconds: float) -> None:
        """A version takes its time from now on."""
        fetch(f"{self._control}/delay?service={name}&seconds={seconds}", method="POST")

    def failing(self, name: str) -> None:
        """A version answers with errors from now on."""
        fetch(f"{self._control}/fail?service={name}&code=INTERNAL", method="POST")

    @property
    def _control(self) -> str:
        return f"http://127.0.0.1:{self._control_port}"

    def shares_in_force(self, model: str = "wisdom") -> dict[str, int]:
        """The shares by the proxy's own configuration."""
        if self._standalone:
            return shares_of(self._standalone, "*")
        return shares_of(self.mesh.ingress, self.authority(model))

    def until_in_force(self, shares: dict[str, int], model: str = "wisdom") -> None:
        """Wait until the gateway splits calls so."""
        wait_until(
            lambda: self.shares_in_force(model) == shares, timeout=30, what=f"in force for {model}: {shares}"
        )

    def until_ready(self, name: str) -> None:
        """Wait until a version is loaded."""

        def ready() -> bool:
            conditions = self.get("inferenceservice", name).get("status", {}).get("conditions", ())
            return any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)

        wait_until(ready, timeout=30, what=f"{name} is ready")

    def deploy(self, *names: str) -> None:
        """Deploy versions, and wait until they are loaded. The app version of wisdom-1 is v1."""
        for name in names:
            self.apply_version(name)
        for name in names:
            self.until_ready(name)

    def apply_version(self, name: str) -> None:
        """Deploy a version."""
        document = self.tutorial("1-primary.yaml").replace("name: wisdom-0", f"name: {name}")
        version = f"app.kubernetes.io/version: v{name.rpartition('-')[2]}"
        document = document.replace("app.kubernetes.io/version: v0", version)
        self.kubectl("apply", "-f", "-", document=document)

    def remove(self, name: str) -> None:
        """Delete a version at once, drained or not."""
        self.kubectl("delete", "inferenceservice", name, "--wait=false")
        self.kubectl(
            "patch", "inferenceservice", name, "--type=merge", '--patch={"metadata":{"finalizers":null}}'
        )
        wait_until(lambda: not self.get("inferenceservice", name), what=f"{name} is gone")

    def declare(self, strategy: str, *versions: Object, **config: Any) -> None:
        """Apply the policy of the model wisdom, and wait until its routes are the decided ones."""
        self.apply_policy(strategy, *versions, **config)
        wait_until(self._routed, timeout=20, what="routed")

    def apply_policy(self, strategy: str, *versions: Object, **config: Any) -> None:
        """Apply the policy of the model wisdom."""
        spec = {
            "targetEnv": self.environment,
            "trafficStrategy": strategy,
            "router": self.router,
            "modelVersions": versions,
        }
        document = {
            "apiVersion": "turnout.dev/v1alpha1",
            "kind": "RoutingPolicy",
            "metadata": {"name": "wisdom"},
            "spec": spec | {"config": config},
        }
        self.kubectl("apply", "-f", "-", document=json.dumps(document))

    def _routed(self) -> bool:
        policy = self.get("routingpolicy", "wisdom")
        seen = policy.get("status", {}).get("observedGeneration") == policy["metadata"]["generation"]
        return seen and self.condition("wisdom", "Routed")[0] == "True"
