"""What is carried over routes as Iter8 does, whichever versions are ready: its templates executed, against plans."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
import yaml

from tests.migration.charts import DEPLOYMENT, NAMESPACE, Chart, Object
from turnout import loading
from turnout.documents import Sourced
from turnout.migration import Artifacts, carry
from turnout.migration.differences import of_routes
from turnout.migration.gotemplate import execute
from turnout.offline import Offline
from turnout.settings import Settings

REGISTRY = loading.load()


def inference_service(name: str, ready: bool) -> list[Object]:
    status = {"conditions": [{"type": "Ready", "status": str(ready)}]}
    head = {"apiVersion": "serving.kserve.io/v1beta1", "kind": "InferenceService"}
    return [{**head, "metadata": {"name": name, "namespace": NAMESPACE, "uid": name}, "status": status}]


def deployment(name: str, ready: bool) -> list[Object]:
    metadata = {"name": name, "namespace": NAMESPACE, "uid": name, "generation": 1}
    labels = {"app": name}
    number = 1 if ready else 0
    counts = {"replicas": 1, "updatedReplicas": 1, "readyReplicas": number, "availableReplicas": number}
    condition = {"type": "Available", "status": str(ready), "reason": "x", "message": ""}
    template = {"metadata": {"labels": labels}, "spec": {"containers": []}}
    workload: Object = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata}
    workload["spec"] = {"replicas": 1, "selector": {"matchLabels": labels}, "template": template}
    workload["status"] = {**counts, "observedGeneration": 1, "conditions": [condition]}
    service: Object = {"apiVersion": "v1", "kind": "Service", "metadata": {**metadata, "uid": f"{name}-svc"}}
    service["spec"] = {"selector": labels, "ports": [{"name": "http", "port": 8080}]}
    return [workload, service]


def iter8s(chart: Chart, ready: Sequence[bool]) -> Any:
    """The VirtualService that Iter8's controller applies."""
    spec = yaml.safe_load(chart.routemap()["data"]["strSpec"])
    weights = [one.get("weight", 1) if up else 0 for one, up in zip(spec["versions"], ready, strict=True)]
    (template,) = spec["routingTemplates"].values()
    return yaml.safe_load(execute(template["template"], weights, "template"))["spec"]


def turnouts(chart: Chart, ready: Sequence[bool]) -> Any:
    """The one that turnout's controller writes for what is carried over."""
    artifacts = Artifacts(NAMESPACE, whole=True)
    artifacts.add(chart.documents())
    (found,) = carry(artifacts)
    make = deployment if chart.environment == DEPLOYMENT else inference_service
    versions = [one for name, up in zip(chart.names, ready, strict=True) for one in make(name, up)]
    offline = Offline(REGISTRY, Settings(), datetime(2026, 1, 2, tzinfo=UTC), NAMESPACE)
    offline.add(Sourced("test", one) for one in (*found.manifests, *versions))
    (planned,) = offline.plan()
    assert planned.problem is None
    (route,) = [one for one in planned.documents if one["kind"] == "VirtualService"]
    return route["spec"]


def ready(number: int) -> Iterator[tuple[bool, ...]]:
    """All in which the primary is ready: without it, turnout does better than Iter8."""
    for bits in range(2 ** (number - 1)):
        yield (True, *(bool(bits >> index & 1) for index in range(number - 1)))


@pytest.mark.parametrize("release", ["0.13", "0.14"])
@pytest.mark.parametrize("strategy", ["blue-green", "canary"])
@pytest.mark.parametrize("weights", [(50, 50), (20, 80), (1, 999)], ids=str)
def test_of_two_versions(release: str, strategy: str, weights: tuple[int, int]) -> None:
    chart = Chart(release, strategy=strategy, weights=weights)
    for some in ready(2):
        assert of_routes(iter8s(chart, some), turnouts(chart, some)) == [], some


def test_of_three_versions_unless_the_second_alone_is_out() -> None:
    """There Iter8 leaves out the weight of the primary, which is then 0."""
    chart = Chart(names=("a", "b", "c"), weights=(10, 20, 30))
    alike = {some: not of_routes(iter8s(chart, some), turnouts(chart, some)) for some in ready(3)}
    assert alike == {some: some != (True, False, True) for some in ready(3)}
    chart = Chart(strategy="canary", names=("a", "b", "c"), weights=(1, 1, 1))
    for some in ready(3):
        # The same match twice: to turnout the first candidate has it.
        assert of_routes(iter8s(chart, some)["http"][0], turnouts(chart, some)["http"][0]) == []


@pytest.mark.parametrize(
    ("release", "environment", "strategy"),
    [
        ("0.17", "kserve-modelmesh", "blue-green"),
        ("0.17", "kserve-modelmesh", "canary"),
        ("1.1", "kserve-modelmesh", "blue-green"),
        ("1.1", "kserve-modelmesh", "canary"),
        ("0.17", DEPLOYMENT, "blue-green"),
        ("1.1", DEPLOYMENT, "blue-green"),
        ("1.1", DEPLOYMENT, "canary"),
        ("1.1", DEPLOYMENT, "mirror"),
    ],
)
def test_of_later_charts_but_for_headers(release: str, environment: str, strategy: str) -> None:
    """The one that tells versions, and one that Iter8 takes off."""
    chart = Chart(release, environment, strategy, port=8080 if environment == DEPLOYMENT else None)
    for some in ready(2):
        found = of_routes(without_headers(iter8s(chart, some)), without_headers(turnouts(chart, some)))
        paths = [path for path, _, _ in found]
        # The last chart leaves a candidate that is not ready in, with weight 0, and no weight to the primary.
        broken = (release, environment, strategy) == ("1.1", "kserve-modelmesh", "blue-green")
        assert paths == (["spec.http[0].route[0]"] if broken and not some[1] else []), some


def without_headers(spec: Any) -> Any:
    """The routes without the headers of responses, and without those that are taken off requests."""
    for rule in spec["http"]:
        for route in rule["route"]:
            request = route.get("headers", {}).get("request", {})
            route["headers"] = {"request": {"set": request["set"]}} if "set" in request else {}
    return spec
