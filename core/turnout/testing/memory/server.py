"""The API server: finds out what a request asks for and has it done, without any waiting."""

from collections.abc import Callable, Mapping
from datetime import datetime

from turnout.runtime.transport import Request
from turnout.testing.memory.discovery import discover
from turnout.testing.memory.errors import Object, PageNotFoundError, StatusError, bad_request, not_found
from turnout.testing.memory.garbage import GarbageCollector
from turnout.testing.memory.listing import list_objects
from turnout.testing.memory.objects import Objects
from turnout.testing.memory.paths import Target, flag, parse, verb
from turnout.testing.memory.resources import Resource, Resources
from turnout.testing.memory.selectors import selection
from turnout.testing.memory.storage import Storage
from turnout.testing.memory.watch import Watch


class Server:
    """The kinds, the objects, and what may be asked of them. Nothing here is asynchronous."""

    def __init__(self, now: Callable[[], datetime], new_uid: Callable[[], str]) -> None:
        self.storage = Storage()
        self.collects_garbage = True
        self.resources = Resources()
        self._objects = Objects(self.storage, now, new_uid)
        self._garbage = GarbageCollector(self.storage, self._objects, self.resources)

    def withdraw(self, group: str, plural: str) -> None:
        """Remove all objects of a kind, with or without finalizers, and serve it no more."""
        for key, _ in self.storage.select(group, plural, None):
            self.storage.remove(key)
        self._collect()
        self.resources.remove(group, plural)

    def handle(self, request: Request, manager: str) -> tuple[int, Object | Watch]:
        """Do what a request asks. Returns the HTTP status and the body, or the watch it opens.

        `manager`: who writes if the request has no fieldManager. Raises StatusError, PageNotFoundError.
        """
        target = parse(request.path)
        if target is None:
            return 200, discover(request.path, self.resources)
        resource = self._served(target)
        if request.method == "GET":
            return 200, self._read(resource, target, request)
        manager = request.query.get("fieldManager") or manager
        if request.query.get("dryRun"):
            with self.storage.trial():
                return self._write(resource, target, request, manager)
        answer = self._write(resource, target, request, manager)
        self._collect()
        return answer

    def collect_garbage(self) -> None:
        self._garbage.collect()

    def _collect(self) -> None:
        if self.collects_garbage:
            self._garbage.collect()

    def _served(self, target: Target) -> Resource:
        resource = self.resources.get(target.group, target.plural)
        if resource is None or target.version not in resource.kind.versions:
            if any(not known.custom and known.kind.group == target.group for known in self.resources):
                raise StatusError(404, "NotFound", "the server could not find the requested resource", {})
            raise PageNotFoundError(target.plural)
        if target.subresource not in (None, "status") or (
            target.subresource and not resource.status_subresource
        ):
            raise not_found(target.group, target.plural, target.name or "")
        if resource.namespaced == (target.namespace is None) and target.name:
            raise PageNotFoundError(target.plural)
        return resource

    def _read(self, resource: Resource, target: Target, request: Request) -> Object | Watch:
        match verb(target, request):
            case "get":
                return self._objects.get(resource, target)
            case "watch":
                return Watch(self.storage, resource, target, request.query)
            case _:
                return list_objects(self.storage, resource, target, request.query)

    def _write(
        self, resource: Resource, target: Target, request: Request, manager: str
    ) -> tuple[int, Object]:
        asked = verb(target, request)
        if asked == "deletecollection":
            return 200, self._delete_collection(resource, target, request.query)
        if (resource.namespaced and target.namespace is None) or (asked != "create" and not target.name):
            raise bad_request("name must be provided")
        match asked:
            case "create":
                return 201, self._objects.create(resource, target, request.body, manager)
            case "update":
                return 200, self._objects.replace(resource, target, request.body, manager)
            case "delete":
                return 200, self._delete(resource, target, request)
            case "patch" | "apply":
                applier = request.query.get("fieldManager", "") if asked == "apply" else manager
                document, created = self._objects.patch(
                    resource,
                    target,
                    request.content_type,
                    request.body,
                    applier,
                    force=flag(request.query, "force"),
                )
                return 201 if created else 200, document
        raise StatusError(
            405, "MethodNotAllowed", "the server does not allow this method on the requested resource"
        )

    def _delete(self, resource: Resource, target: Target, request: Request) -> Object:
        options = request.body or {}
        policy = request.query.get("propagationPolicy") or options.get("propagationPolicy")
        uid = self._objects.get(resource, target)["metadata"]["uid"]
        answer = self._objects.delete(resource, target, options)
        if policy == "Orphan":
            self._garbage.orphan(uid)
        return answer

    def _delete_collection(self, resource: Resource, target: Target, query: Mapping[str, str]) -> Object:
        listed = list_objects(self.storage, resource, target, query)
        matches = selection(query, resource)
        for key, document in self.storage.select(target.group, target.plural, target.namespace):
            if matches(document):
                one = Target(key.group, target.version, key.plural, key.namespace or None, key.name)
                self._objects.delete(resource, one, {})
        return listed
