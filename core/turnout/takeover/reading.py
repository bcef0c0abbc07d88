"""Reads Iter8's objects from a cluster. Needs the rights to list ConfigMaps, and to get what they name."""

from collections.abc import Mapping
from contextlib import aclosing
from typing import Any

from turnout.errors import Invalid
from turnout.migration import Artifacts, routemap
from turnout.migration.artifacts import KINDS
from turnout.migration.routemap import LABEL_KIND, ROUTEMAP, TAKEN_OVER
from turnout.plugin import Kind, Ref
from turnout.plugin.reading import mapping
from turnout.runtime.client import Client
from turnout.runtime.errors import ApiError

CONFIG_MAP = Kind("", ("v1",), "ConfigMap", "configmaps")
OBJECTS = {
    "ConfigMap": CONFIG_MAP,
    "Deployment": Kind("apps", ("v1",), "Deployment", "deployments"),
    "InferenceService": Kind("serving.kserve.io", ("v1beta1",), "InferenceService", "inferenceservices"),
    "Service": Kind("", ("v1",), "Service", "services"),
}
SELECTOR = f"{LABEL_KIND} in ({ROUTEMAP},{TAKEN_OVER})"


async def read(client: Client, namespace: str | None) -> Artifacts:
    """The routemaps of a namespace (None: of all), with the objects that they name."""
    found: list[Mapping[str, Any]] = []
    async with aclosing(client.pages(CONFIG_MAP, namespace, labels=SELECTOR)) as pages:
        async for page in pages:
            if page.first:
                found.clear()
            found.extend({"kind": "ConfigMap", **item} for item in page.items)
    artifacts = Artifacts(namespace or "", whole=True)
    artifacts.add(found)
    for ref in dict.fromkeys(ref for place in artifacts.routemaps for ref in resources(artifacts, *place)):
        if document := await get(client, ref):
            artifacts.add([document])
    return artifacts


def resources(artifacts: Artifacts, namespace: str, name: str) -> list[Ref]:
    """The objects that a routemap names, of the kinds that Iter8's charts know."""
    try:
        read_ = routemap.read(artifacts.routemaps[namespace, name], namespace, name)
    except Invalid:
        return []
    named = [one for version in read_.versions for one in version.resources if one.gvr_short in KINDS]
    return [Ref(OBJECTS[KINDS[one.gvr_short]], read_.namespace_of(one), one.name) for one in named]


async def get(client: Client, ref: Ref) -> Mapping[str, Any] | None:
    """An object with its kind; None too where the cluster has no such kind."""
    try:
        found = await client.get(ref)
    except ApiError as error:
        if error.kind_missing:
            return None
        raise
    return {**found, "kind": ref.kind.kind, "metadata": mapping(found.get("metadata"))} if found else None
