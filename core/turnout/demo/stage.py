"""The cluster of the demo: kinds, files, a controller that runs, and what a person would do to it."""

import asyncio
from collections.abc import Callable, Mapping
from importlib.resources import files
from typing import Any

import yaml

from turnout import template
from turnout.names import ANNOTATION_PLAN, ROUTING_POLICY
from turnout.plugin import Ref
from turnout.registry import Registry
from turnout.runtime.client import Client
from turnout.runtime.controller import Controller
from turnout.settings import Settings
from turnout.testing.kinds import cluster, of_plugins

NAMESPACE = "modelmesh-serving"
MODEL = "wisdom"
ENVIRONMENT = "kserve-modelmesh"
"""As the tutorial's files have them."""
PATIENCE = 10.0
"""Seconds in which whatever is waited for has to happen: it takes milliseconds."""

KEPT = {"drain": {"inFlightSeconds": 0.5, "propagationSeconds": {"istio": 1}}}
"""Settings: no proxies have to follow here, so a deleted version is kept for a moment only."""


class Stuck(Exception):  # noqa: N818 - named for what happened
    """Something that has to happen did not."""


class Stage:
    """Acts as kubectl would, and as ModelMesh would where only it can.

    `router`: the one that the policy names; empty for none. `served`: somebody else plays ModelMesh.
    """

    def __init__(
        self,
        registry: Registry,
        *,
        settings: Mapping[str, Any] = KEPT,
        router: str = "",
        served: bool = False,
    ) -> None:
        self._router, self._served = router, served
        kinds = of_plugins(registry)
        self.cluster = cluster(kinds)
        self._kinds = {kind.kind: kind for kind in (*kinds, ROUTING_POLICY)}
        written = {kind for one in registry.routers.values() for kind in one.plugin.writes}
        self._written = sorted(written, key=str)
        self.client = Client(self.cluster)
        self.controller = Controller(
            self.client, registry, Settings.of(settings), namespaces=frozenset({NAMESPACE})
        )

    def text(self, file: str) -> str:
        """One of the tutorial's files."""
        return files("turnout.demo").joinpath("tutorial", file).read_text(encoding="utf-8")

    def manifests(self, values: str) -> list[dict[str, Any]]:
        """What `turnout template` makes of a values file, with the router in the policy."""
        made = template.manifests(yaml.safe_load(self.text(values)), subject=values)
        for policy in made if self._router else ():
            if policy["kind"] == ROUTING_POLICY.kind:
                policy["spec"]["router"] = self._router
        return made

    def apply(self, *documents: dict[str, Any] | str) -> None:
        for document in documents:
            self.cluster.apply_manifest(document, namespace=NAMESPACE)

    def replace(self, file: str) -> None:
        self.cluster.replace(yaml.safe_load(self.text(file)), namespace=NAMESPACE)

    def delete(self, kind: str, name: str) -> None:
        self.cluster.delete(self.ref(kind, name))

    def ready(self, name: str) -> None:
        """Say that a version is ready, as ModelMesh does once it has loaded the model."""
        if self._served:
            return
        status = {
            "conditions": [{"type": "Ready", "status": "True"}],
            "modelStatus": {"states": {"activeModelState": "Loaded"}},
        }
        self.cluster.set_status(self.ref("InferenceService", name), status)

    def get(self, kind: str, name: str) -> dict[str, Any] | None:
        return self.cluster.get(self.ref(kind, name))

    def ref(self, kind: str, name: str) -> Ref:
        return Ref(self._kinds[kind], NAMESPACE, name)

    def route(self) -> dict[str, Any] | None:
        """The object that carries the rules, whatever its kind."""
        for kind in self._written:
            for one in self.cluster.objects(kind, NAMESPACE):
                if ANNOTATION_PLAN in one["metadata"].get("annotations", {}):
                    # Items of built-in lists do not say their kind.
                    return self.cluster.get(Ref(kind, NAMESPACE, one["metadata"]["name"]))
        return None

    def split(self) -> str:
        policy = self.get("RoutingPolicy", MODEL)
        return str((policy or {}).get("status", {}).get("split", ""))

    async def until(self, what: str, holds: Callable[[], bool]) -> None:
        """Wait until something holds. Raises Stuck."""
        try:
            async with asyncio.timeout(PATIENCE):
                while not holds():  # noqa: ASYNC110 - what is waited for is the cluster's state
                    await asyncio.sleep(0.01)
        except TimeoutError:
            raise Stuck(f"{what}: did not happen within {PATIENCE:g} s") from None
