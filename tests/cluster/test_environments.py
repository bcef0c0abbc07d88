"""Rollouts in the environments deployment and kserve; tests play the parts of their controllers."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.cluster.controller import Site
from tests.cluster.versions import STANDARD, InferenceService, Workload, apply, delete
from tests.support import wait_until

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


# deployment


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
    delete(site, f"{kind}/wisdom-1", "service/wisdom-1")
    until_routes(site, ("wisdom-0", 8000, "", 100))
    assert site.get(kind, "wisdom-1")
    assert site.get("Service", "wisdom-1")
    for part in (kind, "Service"):
        site.kubectl("wait", "--for=delete", f"{part}/wisdom-1", "--timeout=30s")
    assert site.denied() == []


# kserve


def route(version: InferenceService, weight: int) -> tuple[str, int, str, int]:
    """How the VirtualService leads to a version."""
    if version.mode in STANDARD:
        return f"{version.name}-predictor", 80, "", weight
    return version.name, 80, f"{version.name}.{version.site.namespace}.svc.cluster.local", weight


@pytest.fixture
def crds(site: Site, request: pytest.FixtureRequest) -> Iterator[None]:
    """Those of one of KServe's versions, for the test alone; the newest are there."""
    if request.param == "kserve":
        yield
        return
    site.control_plane.install_crds(request.param)
    yield
    site.control_plane.install_crds("kserve")


@pytest.mark.usefixtures("crds")
@pytest.mark.parametrize(
    ("crds", "mode"),
    [
        ("kserve-0.15", "RawDeployment"),
        ("kserve-0.15", "Serverless"),
        ("kserve", "Standard"),
        ("kserve", "RawDeployment"),
        ("kserve", "Knative"),
        ("kserve", "Serverless"),
    ],
    indirect=["crds"],
)
def test_a_rollout_of_inference_services(site: Site, mode: str) -> None:
    primary, candidate = (InferenceService(site, mode, name) for name in ("wisdom-0", "wisdom-1"))
    site.start()
    declare(site, "kserve")
    primary.apply()
    wait_until(lambda: protected(site, "inferenceservice", "wisdom-0"), what="the primary is protected")
    assert routes(site) == []  # nothing says yet how it is reached
    primary.becomes("True")
    until_routes(site, route(primary, 100))

    candidate.apply()
    candidate.becomes("False")
    wait_until(lambda: protected(site, "inferenceservice", "wisdom-1"), what="the candidate is protected")
    assert routes(site) == [route(primary, 100)]
    candidate.becomes("True")
    until_routes(site, route(primary, 50), route(candidate, 50))
    candidate.becomes("Unknown")
    primary.becomes("False")
    until_routes(site, route(candidate, 100))
    primary.becomes("True")
    until_routes(site, route(primary, 50), route(candidate, 50))

    delete(site, "inferenceservice/wisdom-1")
    until_routes(site, route(primary, 100))
    assert site.get("inferenceservice", "wisdom-1")
    site.kubectl("wait", "--for=delete", "inferenceservice/wisdom-1", "--timeout=30s")
    assert site.denied() == []
