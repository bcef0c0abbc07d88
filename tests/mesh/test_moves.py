"""A policy moves from ModelMesh to pods of its own under load: not one call fails, and the split stays."""

import time
from abc import ABC, abstractmethod
from contextlib import ExitStack

import pytest

from tests.cluster.controller import Object
from tests.cluster.versions import InferenceService, Workload
from tests.mesh.load import Load, failed, split
from tests.mesh.models import OneModel
from tests.mesh.site import STANDALONE, MeshSite
from tests.mesh.statistics import expected_split
from tests.support import wait_until

PORT = 8080
OLD, NEW = ("wisdom-0", "wisdom-1"), ("pod-0", "pod-1")


class Version(ABC):
    """One that a server of its own answers for; not ready when it is deployed."""

    environment: str

    def __init__(self, site: MeshSite, server: OneModel) -> None:
        self.site, self.server = site, server

    @abstractmethod
    def deploy(self) -> None: ...

    @abstractmethod
    def becomes_ready(self) -> None: ...


class Pod(Version):
    """Of an InferenceService in Standard mode."""

    environment = "kserve"

    def deploy(self) -> None:
        name, server = self.server.version, self.server
        self.site.serve(f"{name}-predictor", PORT, server.address, server.port, protocol="grpc")
        InferenceService(self.site, "Standard", name).apply()

    def becomes_ready(self) -> None:
        InferenceService(self.site, "Standard", self.server.version).becomes("True")


class Deployed(Version):
    """Of a Deployment."""

    environment = "deployment"

    def deploy(self) -> None:
        name, server = self.server.version, self.server
        Workload(self.site, "Deployment", name).apply(port=PORT, protocol="grpc")
        self.site.known(name, server.address, {"app": name})

    def becomes_ready(self) -> None:
        Workload(self.site, "Deployment", self.server.version).roll_out()


def declare(site: MeshSite, environment: str, *names: str, **config: Object) -> None:
    versions = ({"name": name, "weight": weight} for name, weight in zip(names, (20, 80), strict=True))
    site.environment = environment
    site.apply_policy("blue-green", *versions, **config)


@pytest.mark.parametrize(
    ("kind", "router"),
    [(Pod, "istio"), (Pod, "gateway-api"), (Pod, STANDALONE), (Deployed, "istio"), (Deployed, STANDALONE)],
)
def test_a_policy_moves_to_pods_without_a_failed_call(site: MeshSite, kind: type[Version]) -> None:
    """Its candidate comes while it moves, is waited for from then on, and has its share from the first call."""
    site.deploy(*OLD)
    site.start()
    declare(site, "kserve-modelmesh", *OLD)
    site.until_in_force({"wisdom-0": 20, "wisdom-1": 80})
    with ExitStack() as stack:
        primary, candidate = (kind(site, stack.enter_context(OneModel(name, PORT))) for name in NEW)
        load = stack.enter_context(Load(site.address, site.authority()))
        primary.deploy()
        options = {"protocol": "grpc", "port": 8033, "servicePort": PORT}
        declare(site, kind.environment, *NEW, **{kind.environment: options})
        wait_until(
            lambda: site.condition("wisdom", "Routed") == ("False", "Moving"), timeout=20, what="it waits"
        )
        candidate.deploy()
        wait_until(lambda: "pod-1: " in site.message("wisdom", "Routed"), timeout=20, what="for both")
        primary.becomes_ready()
        time.sleep(1.5)
        assert answered_by(load, 1.0) == set(OLD)
        candidate.becomes_ready()
        wait_until(lambda: answered_by(load, 1.0) == set(NEW), timeout=30, what="it has moved")
        for name in OLD:
            site.kubectl("delete", "inferenceservice", name, "--wait=false")
        wait_until(
            lambda: not set(OLD) & set(site.names("inferenceservices")), timeout=60, what="the old ones go"
        )
        since = time.monotonic()
        time.sleep(3.0)
        expected_split(lambda: split(load.calls(since=since)), {"pod-0": 20, "pod-1": 80})
    assert not failed(load.calls())


def answered_by(load: Load, seconds: float) -> set[str]:
    """Who has answered the calls that began within the last seconds."""
    return set(split(load.calls(since=time.monotonic() - seconds)))
