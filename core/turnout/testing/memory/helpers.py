"""Writing to and reading from the in-memory cluster without a client, as a person with kubectl would.

All of these act at once, from wherever they are called, and are neither recorded as calls nor
subject to faults.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import yaml

from turnout.plugin import Kind, Ref
from turnout.runtime.transport import APPLY, MERGE, Request
from turnout.testing.memory.checks import copied
from turnout.testing.memory.errors import Object, StatusError
from turnout.testing.memory.resources import Resource, from_crd
from turnout.testing.memory.server import Server
from turnout.testing.memory.watch import Watch


class Helpers:
    """The synchronous half of `InMemoryCluster`. What the server refuses is raised as StatusError."""

    def __init__(self, server: Server) -> None:
        self._server = server

    def apply_manifest(
        self, manifest: Object | str, *, manager: str = "kubectl", namespace: str = "default"
    ) -> list[Object]:
        """Apply a document, or YAML text with any number of them, server-side and with force.

        `namespace` is where documents go that name none. A CustomResourceDefinition is installed.
        """
        return [self._apply(document, manager, namespace) for document in _documents(manifest)]

    def create(self, document: Object, *, manager: str = "kubectl", namespace: str = "default") -> Object:
        """Create one object; its name may be left to `generateName`."""
        resource = self._resource(document)
        where = document.get("metadata", {}).get("namespace", namespace)
        path = self._path(resource, where, "", version=_version(document))
        return self._do("POST", path, document, manager)

    def replace(self, document: Object, *, manager: str = "kubectl", namespace: str = "default") -> Object:
        """Replace one object as `kubectl replace` does: whatever its resourceVersion is."""
        resource = self._resource(document)
        metadata = document["metadata"]
        where = metadata.get("namespace", namespace)
        path = self._path(resource, where, metadata["name"], version=_version(document))
        live = self._do("GET", path)
        latest = {**metadata, "resourceVersion": live["metadata"]["resourceVersion"]}
        return self._do("PUT", path, {**document, "metadata": latest}, manager)

    def ref(self, document: Object, *, namespace: str = "default") -> Ref:
        """Return what names an object of a kind that is served; `namespace`: where it is if it says none."""
        metadata = document["metadata"]
        return Ref(self._resource(document).kind, metadata.get("namespace", namespace), metadata["name"])

    def get(self, ref: Ref) -> Object | None:
        """Return a copy of an object, or None."""
        try:
            return self._do("GET", self._path_of(ref))
        except StatusError as error:
            if error.code == 404:
                return None
            raise

    def objects(self, kind: Kind, namespace: str | None = None) -> list[Object]:
        """Return copies of all objects of a kind (None: in all namespaces), sorted by namespace and name."""
        resource = self._resource_of(kind)
        listed = self._do("GET", self._path(resource, namespace or "", ""))
        items: list[Object] = listed["items"]
        return items

    def patch(self, ref: Ref, patch: Object, *, manager: str = "kubectl") -> Object:
        """Merge-patch an object."""
        return self._do("PATCH", self._path_of(ref), patch, manager, MERGE)

    def set_status(self, ref: Ref, status: Mapping[str, Any], *, manager: str = "status") -> Object:
        """Replace the status of an object, as the controller that owns its kind would."""
        resource = self._resource_of(ref.kind)
        path = self._path_of(ref) + ("/status" if resource.status_subresource else "")
        live = self._do("GET", path)
        return self._do("PUT", path, {**live, "status": dict(status)}, manager)

    def delete(self, ref: Ref, *, propagation: str = "Background") -> None:
        """Delete an object (404 if it is absent); `propagation`: Background or Orphan."""
        self._do("DELETE", self._path_of(ref), {"propagationPolicy": propagation})

    def _apply(self, document: Object, manager: str, namespace: str) -> Object:
        if document.get("kind") == "CustomResourceDefinition":
            self._server.resources.add(from_crd(document))
            return document
        resource = self._resource(document)
        metadata = document["metadata"]
        where = metadata.get("namespace", namespace)
        path = self._path(resource, where, metadata["name"], version=_version(document))
        return self._do("PATCH", path, document, manager, APPLY)

    def _do(
        self,
        method: str,
        path: str,
        body: Any = None,
        manager: str = "kubectl",
        content_type: str = "application/json",
    ) -> Object:
        query = {"fieldManager": manager} | ({"force": "true"} if content_type == APPLY else {})
        request = Request(method, path, {} if method == "GET" else query, body, content_type)
        _, document = self._server.handle(request, manager)
        if isinstance(document, Watch):
            raise TypeError(path)
        found: Object = copied(document)
        return found

    def _resource(self, document: Object) -> Resource:
        api_version, kind = document.get("apiVersion", ""), document.get("kind", "")
        resource = self._server.resources.of_kind(api_version, kind)
        if resource is None:
            raise LookupError(f"the cluster serves no {kind} of {api_version}; install it first")
        return resource

    def _resource_of(self, kind: Kind) -> Resource:
        resource = self._server.resources.get(kind.group, kind.plural)
        if resource is None:
            raise LookupError(f"the cluster serves no {kind}; install it first")
        return resource

    def _path_of(self, ref: Ref) -> str:
        return self._path(self._resource_of(ref.kind), ref.namespace, ref.name)

    @staticmethod
    def _path(resource: Resource, namespace: str, name: str, *, version: str = "") -> str:
        kind = resource.kind
        start = f"/apis/{kind.group}" if kind.group else "/api"
        scope = f"/namespaces/{namespace}" if resource.namespaced and namespace else ""
        end = f"/{name}" if name else ""
        return f"{start}/{version or kind.versions[0]}{scope}/{kind.plural}{end}"


def _version(document: Object) -> str:
    version: str = document["apiVersion"]
    return version.rpartition("/")[2]


def _documents(manifest: Object | str) -> Iterable[Object]:
    found = yaml.safe_load_all(manifest) if isinstance(manifest, str) else [manifest]
    for document in found:
        if document and document.get("kind") == "List":
            yield from document["items"]
        elif document:
            yield document
