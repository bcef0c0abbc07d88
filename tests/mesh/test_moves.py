"""A policy moves from ModelMesh to KServe's pods under load: not one call fails, and the split stays."""

import json
import time
from contextlib import ExitStack

from tests.cluster.controller import Object
from tests.mesh.load import Load, failed, split
from tests.mesh.models import OneModel
from tests.mesh.site import MeshSite
from tests.mesh.statistics import expected_split
from tests.support import wait_until
from tests.support.kserve import standard

SERVICE_PORT = 80


def deploy(site: MeshSite, server: OneModel) -> None:
    """A version in Standard mode, before KServe has said anything of it."""
    site.serve(f"{server.version}-predictor", SERVICE_PORT, server.port, protocol="grpc")
    document = {
        "apiVersion": "serving.kserve.io/v1beta1",
        "kind": "InferenceService",
        "metadata": {
            "name": server.version,
            "annotations": {"serving.kserve.io/deploymentMode": "Standard"},
        },
        "spec": {
            "predictor": {"model": {"modelFormat": {"name": "sklearn"}, "storageUri": "s3://models/v1"}}
        },
    }
    site.kubectl("apply", "-f", "-", document=json.dumps(document))


def ready(site: MeshSite, name: str) -> None:
    """What KServe says of a version that is ready."""
    patch = json.dumps({"status": standard(name, site.namespace)})
    site.kubectl(
        "patch", "inferenceservice", name, "--subresource=status", "--type=merge", f"--patch={patch}"
    )


def declare(site: MeshSite, environment: str, *names: str, **config: Object) -> None:
    versions = [{"name": name, "weight": weight} for name, weight in zip(names, (20, 80), strict=True)]
    spec = {
        "targetEnv": environment,
        "trafficStrategy": "blue-green",
        "router": site.router,
        "modelVersions": versions,
        "config": config,
    }
    metadata = {"name": "wisdom"}
    document = {
        "apiVersion": "turnout.dev/v1alpha1",
        "kind": "RoutingPolicy",
        "metadata": metadata,
        "spec": spec,
    }
    site.kubectl("apply", "-f", "-", document=json.dumps(document))


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
        servers = [stack.enter_context(OneModel(name)) for name in ("pod-0", "pod-1")]
        load = stack.enter_context(Load(site.address, site.authority()))
        for server in servers:
            deploy(site, server)
        options = {"protocol": "grpc", "port": 8033, "servicePort": SERVICE_PORT}
        declare(site, "kserve", "pod-0", "pod-1", kserve=options)
        wait_until(
            lambda: site.condition("wisdom", "Routed") == ("False", "Moving"), timeout=20, what="it waits"
        )
        ready(site, "pod-0")
        time.sleep(1.0)
        assert routed_to(site) == {"modelmesh-serving"}
        before = time.monotonic()
        ready(site, "pod-1")
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
