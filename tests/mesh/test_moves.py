"""A policy moves from ModelMesh to KServe's pods under load: not one call fails, and the split stays."""

import time
from contextlib import ExitStack

from tests.cluster.controller import Object
from tests.cluster.versions import InferenceService
from tests.mesh.load import Load, failed, split
from tests.mesh.models import OneModel
from tests.mesh.site import MeshSite
from tests.mesh.statistics import expected_split
from tests.support import wait_until

SERVICE_PORT = 80


def deploy(site: MeshSite, server: OneModel) -> InferenceService:
    """A version in Standard mode, before KServe has said anything of it."""
    site.serve(f"{server.version}-predictor", SERVICE_PORT, server.address, server.port, protocol="grpc")
    version = InferenceService(site, "Standard", server.version)
    version.apply()
    return version


def declare(site: MeshSite, environment: str, *names: str, **config: Object) -> None:
    versions = ({"name": name, "weight": weight} for name, weight in zip(names, (20, 80), strict=True))
    site.environment = environment
    site.apply_policy("blue-green", *versions, **config)


def routed_to(site: MeshSite) -> set[str]:
    """The hosts to which the VirtualService leads."""
    rules = site.get("virtualservice", "wisdom")["spec"]["http"]
    return {route["destination"]["host"].partition(".")[0] for route in rules[-1]["route"]}


def test_a_policy_moves_to_kserve_without_a_failed_call(site: MeshSite) -> None:
    site.deploy("wisdom-0", "wisdom-1")
    site.start()
    declare(site, "kserve-modelmesh", "wisdom-0", "wisdom-1")
    site.until_in_force({"wisdom-0": 20, "wisdom-1": 80})
    with ExitStack() as stack:
        servers = [stack.enter_context(OneModel(name, 8033)) for name in ("pod-0", "pod-1")]
        load = stack.enter_context(Load(site.address, site.authority()))
        pods = [deploy(site, server) for server in servers]
        options = {"protocol": "grpc", "port": 8033, "servicePort": SERVICE_PORT}
        declare(site, "kserve", "pod-0", "pod-1", kserve=options)
        wait_until(
            lambda: site.condition("wisdom", "Routed") == ("False", "Moving"), timeout=20, what="it waits"
        )
        pods[0].becomes("True")
        time.sleep(1.0)
        assert routed_to(site) == {"modelmesh-serving"}
        before = time.monotonic()
        pods[1].becomes("True")
        wait_until(
            lambda: routed_to(site) == {"pod-0-predictor", "pod-1-predictor"}, timeout=20, what="it has moved"
        )
        for name in ("wisdom-0", "wisdom-1"):
            site.kubectl("delete", "inferenceservice", name, "--wait=false")
        wait_until(
            lambda: site.names("inferenceservices") == ["pod-0", "pod-1"], timeout=60, what="the old ones go"
        )
        since = time.monotonic()
        time.sleep(3.0)
        expected_split(lambda: split(load.calls(since=since)), {"pod-0": 20, "pod-1": 80})
    assert not failed(load.calls())
    assert set(split(load.calls(until=before))) == {"wisdom-0", "wisdom-1"}
