"""The objects of versions, and the parts that their environments' controllers play."""

import json
from typing import Any

from tests.cluster.controller import Object, Site
from tests.support.kserve import condition, knative, standard

STANDARD = ("Standard", "RawDeployment")


def apply(
    site: Site, api_version: str, kind: str, name: str, *, metadata: Object | None = None, **body: Any
) -> None:
    """Apply an object. `metadata`: what it has besides its name."""
    head = {"apiVersion": api_version, "kind": kind, "metadata": {"name": name, **(metadata or {})}}
    document = {**head, **body}
    site.kubectl("apply", "-f", "-", document=json.dumps(document))


def say(site: Site, kind: str, name: str, **status: Any) -> None:
    """Write an object's status, as its controller would."""
    patch = json.dumps({"status": status})
    site.kubectl("patch", kind, name, "--subresource=status", "--type=merge", f"--patch={patch}")


def delete(site: Site, *objects: str) -> None:
    """Delete objects, as kind/name, and do not wait until they are gone."""
    site.kubectl("delete", *objects, "--wait=false")


class Workload:
    """A Deployment or a StatefulSet with its Service, rolled out by hand."""

    def __init__(self, site: Site, kind: str, name: str) -> None:
        self.site, self.kind, self.name = site, kind, name

    def apply(self, replicas: int = 2, *, port: int = 8000, protocol: str = "http") -> None:
        """Deploy it, with a Service that has this port, named for what it speaks."""
        labels = {"app": self.name}
        pod = {
            "metadata": {"labels": labels},
            "spec": {"containers": [{"name": "server", "image": "server"}]},
        }
        spec: Object = {"replicas": replicas, "selector": {"matchLabels": labels}, "template": pod}
        if self.kind == "StatefulSet":
            spec["serviceName"] = self.name
        told = {"labels": {"app.kubernetes.io/version": f"v{self.name.rpartition('-')[2]}"}}
        apply(self.site, "apps/v1", self.kind, self.name, metadata=told, spec=spec)
        service = {"selector": labels, "ports": [{"name": protocol, "port": port, "targetPort": 8080}]}
        apply(self.site, "v1", "Service", self.name, spec=service)

    def roll_out(self) -> None:
        """All replicas that are wanted are available."""
        found = self.site.get(self.kind, self.name)
        wanted = found["spec"]["replicas"]
        counted = ("replicas", "updatedReplicas", "readyReplicas", "availableReplicas")
        counts = dict.fromkeys(counted, wanted)
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


class InferenceService:
    """One that KServe serves in one of its modes, and ModelMesh does not."""

    def __init__(self, site: Site, mode: str, name: str) -> None:
        self.site, self.mode, self.name = site, mode, name

    def apply(self) -> None:
        """Deploy it; nothing says yet how it is reached."""
        model = {"modelFormat": {"name": "sklearn"}, "storageUri": "gs://models/wisdom"}
        apply(
            *(self.site, "serving.kserve.io/v1beta1", "InferenceService", self.name),
            metadata={"annotations": {"serving.kserve.io/deploymentMode": self.mode}},
            spec={"predictor": {"model": model}},
        )

    def becomes(self, ready: str) -> None:
        """KServe reports it, with all that it reports in this mode."""
        in_mode = standard if self.mode in STANDARD else knative
        status = in_mode(self.name, self.site.namespace, mode=self.mode)
        others = [one for one in status["conditions"] if one["type"] != "Ready"]
        status["conditions"] = [*others, condition("Ready", ready)]
        say(self.site, "inferenceservice", self.name, **status)
