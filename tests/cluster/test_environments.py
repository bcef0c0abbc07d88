"""Rollouts in the environments deployment and kserve; tests play the parts of their controllers."""

import json
from typing import Any

import pytest

from tests.cluster.controller import Object, Site
from tests.support import wait_until
from tests.support.kserve import condition, knative, standard

POLICY = "wisdom"


def declare(site: Site, environment: str, **options: Any) -> None:
    """Apply the policy of two versions that share by halves."""
    spec = {
        "targetEnv": environment,
        "trafficStrategy": "blue-green",
        "modelVersions": [{"name": "wisdom-0"}, {"name": "wisdom-1"}],
        "config": {environment: options},
    }
    apply(site, "turnout.dev/v1alpha1", "RoutingPolicy", POLICY, spec=spec)


def apply(site: Site, api_version: str, kind: str, name: str, **body: Any) -> None:
    document = {"apiVersion": api_version, "kind": kind, "metadata": {"name": name}, **body}
    site.kubectl("apply", "-f", "-", document=json.dumps(document))


def say(site: Site, kind: str, name: str, **status: Any) -> None:
    """Write an object's status, as its controller would."""
    patch = json.dumps({"status": status})
    site.kubectl("patch", kind, name, "--subresource=status", "--type=merge", f"--patch={patch}")


def routes(site: Site) -> list[tuple[str, int, str, int]]:
    """Host, port, authority and weight of each route that the VirtualService has."""
    rules = site.get("virtualservice", POLICY).get("spec", {}).get("http", [{"route": []}])
    return [
        (
            route["destination"]["host"].removesuffix(f".{site.namespace}.svc.cluster.local"),
            route["destination"]["port"]["number"],
            route.get("headers", {}).get("request", {}).get("set", {}).get("Host", ""),
            route.get("weight", 100),
        )
        for route in rules[-1]["route"]
    ]


def until_routes(site: Site, *expected: tuple[str, int, str, int]) -> None:
    wait_until(lambda: routes(site) == [*expected], timeout=20, what=f"routes {expected}")


def protected(site: Site, kind: str, name: str) -> bool:
    return "turnout.dev/drain" in site.get(kind, name).get("metadata", {}).get("finalizers", ())


def no_call_was_denied(site: Site) -> bool:
    return not [call for call in site.control_plane.audit(site.account) if call.code == 403]


# deployment


class Workload:
    """A Deployment or a StatefulSet with its Service, rolled out by hand."""

    def __init__(self, site: Site, kind: str, name: str) -> None:
        self.site, self.kind, self.name = site, kind, name

    def apply(self, replicas: int = 2) -> None:
        labels = {"app": self.name}
        pod = {
            "metadata": {"labels": labels},
            "spec": {"containers": [{"name": "server", "image": "server"}]},
        }
        spec: Object = {"replicas": replicas, "selector": {"matchLabels": labels}, "template": pod}
        if self.kind == "StatefulSet":
            spec["serviceName"] = self.name
        apply(self.site, "apps/v1", self.kind, self.name, spec=spec)
        service = {"selector": labels, "ports": [{"port": 8000, "targetPort": 8080}]}
        apply(self.site, "v1", "Service", self.name, spec=service)

    def roll_out(self) -> None:
        """All replicas that are wanted are available."""
        found = self.site.get(self.kind, self.name)
        wanted = found["spec"]["replicas"]
        counts = dict.fromkeys(("replicas", "readyReplicas", "availableReplicas"), wanted)
        more: Object = {}
        if self.kind == "Deployment":
            more = {"conditions": [condition("Available", reason="MinimumReplicasAvailable", message="")]}
        say(
            self.site,
            self.kind,
            self.name,
            **counts,
            **more,
            observedGeneration=found["metadata"]["generation"],
        )


@pytest.mark.parametrize("kind", ["Deployment", "StatefulSet"])
def test_a_rollout_of_workloads(site: Site, kind: str) -> None:
    primary, candidate = (Workload(site, kind, name) for name in ("wisdom-0", "wisdom-1"))
    primary.apply()
    primary.roll_out()
    declare(site, "deployment", workload=kind)
    site.start()
    until_routes(site, ("wisdom-0", 8000, "", 100))

    candidate.apply()
    wait_until(
        lambda: all(protected(site, part, "wisdom-1") for part in (kind, "Service")),
        what="both are protected",
    )
    assert routes(site) == [("wisdom-0", 8000, "", 100)]
    candidate.roll_out()
    halves = ("wisdom-0", 8000, "", 50), ("wisdom-1", 8000, "", 50)
    until_routes(site, *halves)

    # With no replica it leaves at once, and it comes back when its controller has seen to it.
    candidate.apply(replicas=0)
    until_routes(site, ("wisdom-0", 8000, "", 100))
    candidate.apply()
    assert routes(site) == [("wisdom-0", 8000, "", 100)]
    candidate.roll_out()
    until_routes(site, *halves)

    # Both objects stay until the routes have left them.
    site.kubectl("delete", f"{kind}/wisdom-1", "service/wisdom-1", "--wait=false")
    until_routes(site, ("wisdom-0", 8000, "", 100))
    assert site.get(kind, "wisdom-1")
    assert site.get("Service", "wisdom-1")
    for part in (kind, "Service"):
        site.kubectl("wait", "--for=delete", f"{part}/wisdom-1", "--timeout=30s")
    assert no_call_was_denied(site)


# kserve


class InferenceService:
    """One that KServe serves in one of its modes."""

    def __init__(self, site: Site, mode: str, name: str) -> None:
        self.site, self.mode, self.name = site, mode, name

    def apply(self) -> None:
        model = {"modelFormat": {"name": "sklearn"}, "storageUri": "gs://models/wisdom"}
        apply(
            *(self.site, "serving.kserve.io/v1beta1", "InferenceService", self.name),
            spec={"predictor": {"model": model}},
        )

    def becomes(self, ready: str) -> None:
        """KServe reports it, with all that it reports in this mode."""
        in_mode = standard if self.mode in ("Standard", "RawDeployment") else knative
        status = in_mode(self.name, self.site.namespace, mode=self.mode)
        others = [one for one in status["conditions"] if one["type"] != "Ready"]
        status["conditions"] = [*others, condition("Ready", ready)]
        say(self.site, "inferenceservice", self.name, **status)

    def route(self, weight: int) -> tuple[str, int, str, int]:
        if self.mode in ("Standard", "RawDeployment"):
            return f"{self.name}-predictor", 80, "", weight
        return self.name, 80, f"{self.name}.{self.site.namespace}.svc.cluster.local", weight


@pytest.mark.parametrize("mode", ["Standard", "RawDeployment", "Knative", "Serverless"])
def test_a_rollout_of_inference_services(site: Site, mode: str) -> None:
    primary, candidate = (InferenceService(site, mode, name) for name in ("wisdom-0", "wisdom-1"))
    site.start()
    declare(site, "kserve")
    primary.apply()
    wait_until(lambda: protected(site, "inferenceservice", "wisdom-0"), what="the primary is protected")
    assert routes(site) == []  # nothing says yet how it is reached
    primary.becomes("True")
    until_routes(site, primary.route(100))

    candidate.apply()
    candidate.becomes("False")
    wait_until(lambda: protected(site, "inferenceservice", "wisdom-1"), what="the candidate is protected")
    assert routes(site) == [primary.route(100)]
    candidate.becomes("True")
    until_routes(site, primary.route(50), candidate.route(50))
    candidate.becomes("Unknown")
    primary.becomes("False")
    until_routes(site, candidate.route(100))
    primary.becomes("True")
    until_routes(site, primary.route(50), candidate.route(50))

    site.kubectl("delete", "inferenceservice", "wisdom-1", "--wait=false")
    until_routes(site, primary.route(100))
    assert site.get("inferenceservice", "wisdom-1")
    site.kubectl("wait", "--for=delete", "inferenceservice/wisdom-1", "--timeout=30s")
    assert no_call_was_denied(site)
