"""What moves are played with: toy routers and environments, and what there is before and after."""

import json
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

from tests.runtime.harness import (
    NAMESPACE,
    PROPAGATION,
    Bed,
    gateway,
    service_entry,
    vs,
)
from tests.toys.hosts import KNATIVE_SERVICE
from tests.toys.table import CONFIG_MAP, ToyTable
from turnout.plugin import Kind, Ref
from turnout.registry import Registry

TABLE = Ref(CONFIG_MAP, NAMESPACE, "wisdom-table")
ARRIVAL = 8.0
"""Seconds that the tables need to arrive, as set here."""
DRAIN = {"propagationSeconds": {"istio": PROPAGATION, "toy-table": ARRIVAL}}
OLD = (vs(), service_entry(), gateway())


def start(bed: Bed) -> None:
    bed.start(drain=DRAIN)


def there(bed: Bed, refs: Iterable[Ref] = OLD) -> list[bool]:
    return [bed.exists(ref) for ref in refs]


def listed(bed: Bed) -> list[str]:
    """The kinds of what the status lists."""
    return [one["kind"] for one in bed.status().get("routes", ())]


def in_table(bed: Bed, ref: Ref = TABLE) -> dict[str, int]:
    """The weights by version in a table; empty where there is none."""
    if not bed.exists(ref):
        return {}
    rows, *_ = json.loads(bed.get(ref)["data"]["table.json"]).values()
    return {row["authority"] or row["headers"]["mm-vmodel-id"]: row["weight"] for row in rows}


def moved(bed: Bed) -> bool:
    return there(bed) == [False] * 3 and listed(bed) == ["ConfigMap"]


def shared_by_two(bed: Bed) -> Bed:
    """With two versions that share the calls by VirtualService, with an option of it."""
    for name in ("wisdom-0", "wisdom-1"):
        bed.version(name)
    bed.policy(config={"istio": {"timeout": "7s"}})
    start(bed)
    bed.until(lambda: bed.split() == "wisdom-0 50% / wisdom-1 50%")
    return bed


class Refused(ToyTable):
    """A table whose status has a word on it."""

    name = "refused"
    propagation = timedelta(seconds=ARRIVAL)

    def refusal(self, route: Mapping[str, Any]) -> str | None:
        return "no" if route["status"].get("word") == "no" else None

    def pending(self, route: Mapping[str, Any]) -> str | None:
        return None if route.get("status") else "it has no word yet"


class Elsewhere(ToyTable):
    """A table of a kind that the cluster does not have."""

    name = "elsewhere"
    writes = (Kind("example.com", ("v1",), "Table", "tables"),)


def say(bed: Bed, word: str) -> None:
    """What a network does to its route's status."""
    status = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": TABLE.name},
        "status": {"word": word},
    }
    bed.cluster.apply_manifest(status, namespace=NAMESPACE)


def without(registry: Registry, name: str) -> Registry:
    """The plugins but one."""
    axes = (registry.environments, registry.strategies, registry.routers)
    plugins = (loaded.plugin for axis in axes for loaded in axis.values())
    return Registry.of(*(plugin for plugin in plugins if plugin.name != name))


def host(bed: Bed, name: str) -> None:
    """Deploy a version of the new environment, that is ready."""
    service = {"apiVersion": "serving.knative.dev/v1", "kind": "Service", "metadata": {"name": name}}
    bed.cluster.apply_manifest(service, namespace=NAMESPACE)
    conditions = [{"type": "Ready", "status": "True", "reason": "Ready"}]
    status = {"url": f"http://{name}.example.com", "conditions": conditions}
    bed.cluster.set_status(Ref(KNATIVE_SERVICE, NAMESPACE, name), status)


def hosts(bed: Bed) -> dict[str, int]:
    """The weights of the VirtualService by the host that tells the versions apart."""
    routes = bed.get(vs())["spec"]["http"][-1]["route"]
    found = {route["headers"]["request"]["set"].get("Host"): route.get("weight", 100) for route in routes}
    found.pop(None, None)
    return found
