"""Iter8's controller, as far as a take-over meets it.

It follows routemaps by their label, and versions by theirs. At every change it executes the routing template with
the weights of the versions that are ready, and applies what it yields by force. It puts its finalizer on what it
watches, and takes it off what is deleted. Since 0.18 the routemap owns what is applied, by the kind `configmap`.
"""

import json
import subprocess
import threading
from typing import Any

import yaml

from tests.cluster.controller import Site
from turnout.migration.gotemplate import execute

FINALIZER = "iter8.tools/finalizer"
MANAGER = "iter8-controller"
KINDS = {"cm": "configmap", "isvc": "inferenceservice"}

Object = dict[str, Any]


class Iter8:
    """The controller of one namespace. `owns`: whether the routemap owns what is applied."""

    def __init__(self, site: Site, *, owns: bool = False) -> None:
        self._site = site
        self._owns = owns
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="iter8")
        self.failed: BaseException | None = None

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """End it. Raises what it has failed with."""
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join()
        if self.failed:
            raise self.failed

    def _run(self) -> None:
        try:
            while not self._stopped.wait(0.1):
                self.reconcile()
        except BaseException as error:  # noqa: BLE001 - for the test to see
            self.failed = error

    def reconcile(self) -> None:
        """What it does at each event and each resync."""
        for kind in KINDS.values():
            for one in self._listed(kind, "iter8.tools/watch=true"):
                self._finalize(kind, one)
        for routemap in self._listed("configmap", "iter8.tools/kind=routemap"):
            self.apply(routemap)

    def apply(self, routemap: Object) -> None:
        """Write by a routemap, as it does at the end of what was under way too."""
        found = yaml.safe_load(routemap["data"]["strSpec"])
        weights = [self._weight(version) for version in found["versions"]]
        weights = weights if any(weights) else [1, *weights[1:]]
        for template in found["routingTemplates"].values():
            document = yaml.safe_load(execute(template["template"], weights, "template"))
            if self._owns:
                head = routemap["metadata"]
                owner = {"apiVersion": "v1", "kind": "configmap", "name": head["name"], "uid": head["uid"]}
                document["metadata"]["ownerReferences"] = [owner]
            how = ("--server-side", "--force-conflicts", f"--field-manager={MANAGER}")
            self._kubectl("apply", *how, "-f", "-", document=json.dumps(document))

    def _weight(self, version: Object) -> int:
        weight: int = version.get("weight", 1)
        for index, resource in enumerate(version["resources"]):
            one = self._site.get(KINDS[resource["gvrShort"]], resource["name"])
            metadata = one.get("metadata", {})
            if not one or metadata.get("deletionTimestamp"):
                return 0
            conditions = one.get("status", {}).get("conditions", [])
            ready = any(said["type"] == "Ready" and said["status"] == "True" for said in conditions)
            if resource["gvrShort"] == "isvc" and not ready:
                return 0
            if index == 0:
                weight = int(metadata.get("annotations", {}).get("iter8.tools/weight", weight))
        return weight

    def _finalize(self, kind: str, one: Object) -> None:
        metadata = one["metadata"]
        there = metadata.get("finalizers", [])
        deleting = "deletionTimestamp" in metadata
        if deleting == (FINALIZER in there):
            left = [name for name in there if name != FINALIZER] if deleting else [*there, FINALIZER]
            patch = {"metadata": {"resourceVersion": metadata["resourceVersion"], "finalizers": left}}
            self._kubectl("patch", kind, metadata["name"], "--type=merge", f"--patch={json.dumps(patch)}")

    def _listed(self, kind: str, selector: str) -> list[Object]:
        found = self._site.kubectl("get", kind, f"--selector={selector}", "--output=json").stdout
        items: list[Object] = json.loads(found)["items"]
        return items

    def _kubectl(self, *arguments: str, document: str | None = None) -> subprocess.CompletedProcess[str]:
        """A conflict is repeated at the next event."""
        return self._site.kubectl(*arguments, document=document, check=False)
