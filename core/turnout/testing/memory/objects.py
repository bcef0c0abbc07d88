"""Creating, changing and deleting single objects, with the rules that hold for every kind.

Who manages which field is decided in `managers`, what lists and watches see in `storage`.
"""

import secrets
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from turnout.runtime.transport import APPLY, MERGE
from turnout.testing.memory import errors, managers
from turnout.testing.memory.checks import (
    checked,
    checked_patch,
    completed,
    finalizer_faults,
    merge_patch,
    name_faults,
    refuse_invalid,
    uid_faults,
)
from turnout.testing.memory.errors import Cause, Object, StatusError, bad_request
from turnout.testing.memory.managers import Managers, Write
from turnout.testing.memory.merge import same
from turnout.testing.memory.paths import Target
from turnout.testing.memory.resources import Resource
from turnout.testing.memory.storage import Key, Storage

_KEPT = ("uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds", "generation")
_PRECONDITIONS = (
    ("uid", "UID", "deleted and then recreated"),
    ("resourceVersion", "ResourceVersion", "modified"),
)
_MODIFIED = "the object has been modified; please apply your changes to the latest version and try again"


class Objects:
    """The verbs on objects. Whatever is given is copied, and whatever is returned may be kept."""

    def __init__(self, storage: Storage, now: Callable[[], datetime], new_uid: Callable[[], str]) -> None:
        self._storage = storage
        self._now = now
        self._new_uid = new_uid

    def get(self, resource: Resource, target: Target) -> Object:
        """Return an object, or raise 404."""
        stored = self._storage.get(key_of(target))
        if stored is None:
            raise errors.not_found(target.group, target.plural, target.name or "")
        return shown(resource, target.version, stored)

    def create(self, resource: Resource, target: Target, body: Any, manager: str) -> Object:
        """Create an object by POST; its name is in the body, or made from `generateName`."""
        document = checked(resource, target, body)
        metadata = document["metadata"]
        if metadata.get("resourceVersion"):
            raise StatusError(500, "", "resourceVersion should not be set on objects to be created")
        if not metadata.get("name") and metadata.get("generateName"):
            suffix = "".join(secrets.choice("bcdfghjklmnpqrstvwxz2456789") for _ in range(5))
            metadata["name"] = metadata["generateName"] + suffix
        return self._create(resource, target, document, self._write(resource, target, manager), None)

    def replace(self, resource: Resource, target: Target, body: Any, manager: str) -> Object:
        """Replace an object, or its status, by PUT."""
        document = checked(resource, target, body)
        live = self.get(resource, target)
        metadata = document["metadata"]
        if metadata.setdefault("uid", live["metadata"]["uid"]) != live["metadata"]["uid"]:
            why = f"UID in precondition: {metadata['uid']}, UID in object meta: {live['metadata']['uid']}"
            raise _conflict(target, f"Precondition failed: {why}")
        if not metadata.get("resourceVersion"):
            if resource.custom:
                cause = Cause("metadata.resourceVersion", "Invalid value: 0: must be specified for an update")
                raise errors.invalid(target.group, target.plural, target.name or "", [cause])
            metadata["resourceVersion"] = live["metadata"]["resourceVersion"]
        return self._track_and_update(resource, target, live, document, manager)

    def patch(
        self, resource: Resource, target: Target, content_type: str, body: Any, manager: str, *, force: bool
    ) -> tuple[Object, bool]:
        """Patch an object by PATCH; return it, and whether it was created (only by an apply)."""
        if content_type == APPLY:
            return self._apply(resource, target, body, manager, force=force)
        if content_type != MERGE:
            raise errors.unsupported_media_type((MERGE, APPLY))
        live = self.get(resource, target)
        merged = merge_patch(live, body)
        if not isinstance(merged, dict) or not merged.get("metadata", {}).get("name"):
            why = f"({target.name} based on URL) was undeterminable: name must be provided"
            raise bad_request(f"the name of the object {why}")
        document = checked(resource, target, merged)
        return self._track_and_update(resource, target, live, document, manager), False

    def delete(self, resource: Resource, target: Target, options: Mapping[str, Any]) -> Object:
        """Delete an object, or mark it for deletion as long as it has finalizers.

        Returns what a DELETE answers: a Status, or the object that is still there.
        """
        live = self.get(resource, target)
        metadata = live["metadata"]
        for field, name, cause in _PRECONDITIONS:
            wanted, found = options.get("preconditions", {}).get(field), metadata[field]
            if wanted not in (None, found):
                why = f"the {name} in the precondition ({wanted}) does not match the {name} in record"
                why += f" ({found}). The object might have been {cause}"
                raise errors.conflict(target.group, resource.kind.kind, target.name or "", why)
        if not metadata.get("finalizers"):
            self._storage.remove(key_of(target))
            details = {"name": metadata["name"], "group": target.group, "kind": target.plural}
            details["uid"] = metadata["uid"]
            head = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success"}
            return {**head, "details": {key: value for key, value in details.items() if value}}
        if not metadata.get("deletionTimestamp"):
            marked = {**metadata, "deletionTimestamp": self._time(), "deletionGracePeriodSeconds": 0}
            if "generation" in metadata:
                marked["generation"] += 1
            live = self._storage.put(key_of(target), {**live, "metadata": marked})
        return shown(resource, target.version, live)

    def _apply(
        self, resource: Resource, target: Target, body: Any, manager: str, *, force: bool
    ) -> tuple[Object, bool]:
        if not manager:
            cause = Cause("fieldManager", "Required value: is required for apply patch", "FieldValueRequired")
            raise errors.invalid("meta.k8s.io", "PatchOptions", "", [cause])
        patch = checked_patch(resource, target, body)
        write = self._write(resource, target, manager)
        stored = self._storage.get(key_of(target))
        if stored is None:
            if target.subresource:
                raise errors.not_found(target.group, target.plural, target.name or "")
            document, tracked = managers.apply(write, {}, {}, patch, force=force)
            if uid := patch["metadata"].get("uid"):
                why = "and no existing object was found"
                raise _conflict(target, f"uid mismatch: the provided object specified uid {uid}, {why}")
            document = checked(resource, target, {"metadata": {}, **document})
            return self._create(resource, target, document, write, tracked), True
        live = shown(resource, target.version, stored)
        known, bare = _split(live)
        document, tracked = managers.apply(write, known, bare, patch, force=force)
        document = checked(resource, target, document)
        return self._update(resource, target, live, completed(resource, target, document), tracked), False

    def _create(
        self,
        resource: Resource,
        target: Target,
        document: Object,
        write: Write,
        tracked: Managers | None,
    ) -> Object:
        """Store a new object. `tracked` None: its managers are those of a create, not of an apply."""
        document = completed(resource, target, document)
        metadata = document["metadata"]
        name = metadata.get("name") or target.name or ""
        key = Key(target.group, target.plural, target.namespace or "", name)
        there = self._storage.get(key)
        if resource.status_subresource:
            document.pop("status", None)
        if tracked is None:
            tracked = managers.track_update(write, {}, None, {**document, "metadata": metadata})
        refuse_invalid(resource, target, document, [*name_faults(name)])
        if there is not None:
            deleting = "deletionTimestamp" in there["metadata"]
            raise errors.already_exists(target.group, target.plural, name, deleting=deleting)
        kept = {k: v for k, v in metadata.items() if k not in (*_KEPT, "resourceVersion", "namespace")}
        own = {"name": name, "uid": self._new_uid(), "creationTimestamp": self._time()}
        if target.namespace:
            own["namespace"] = target.namespace
        generation = {"generation": 1} if resource.counts_generations else {}
        stored = {**document, "metadata": {**kept, **own, **generation, **_managed(tracked)}}
        return shown(resource, target.version, self._storage.put(key, stored))

    def _track_and_update(
        self, resource: Resource, target: Target, live: Object, document: Object, manager: str
    ) -> Object:
        known, bare = _split(live)
        given = document["metadata"].get("managedFields")
        if given and given != [{}] and not target.subresource:  # a client may give fields to other managers
            known = managers.read(given)
        new = completed(resource, target, document)
        write = self._write(resource, target, manager)
        tracked = managers.track_update(write, known, bare, new)
        if given in ([], [{}]):  # how a client resets them
            tracked = {}
        return self._update(resource, target, live, new, tracked)

    def _update(
        self, resource: Resource, target: Target, live: Object, new: Object, tracked: Managers
    ) -> Object:
        """Store `new` in place of `live` if it may be and differs. `new` is without managedFields."""
        old = live["metadata"]
        if new["metadata"].get("resourceVersion", old["resourceVersion"]) != old["resourceVersion"]:
            raise _conflict(target, _MODIFIED)
        if target.subresource == "status":
            new = _with_status(live, new)
        elif resource.status_subresource:
            new = _with_status(new, live)
        metadata = new["metadata"]
        causes = [*uid_faults(old, metadata), *finalizer_faults(old, metadata)]
        kept = {field: old[field] for field in (*_KEPT, "namespace", "name") if field in old}
        others = {k: v for k, v in metadata.items() if k not in (*_KEPT, "managedFields")}
        metadata = {**others, **kept, "resourceVersion": old["resourceVersion"]}
        if resource.counts_generations and not same(_content(new, resource), _content(live, resource)):
            metadata["generation"] = old.get("generation", 0) + 1
        refuse_invalid(resource, target, new, causes)
        before, bare = _split(live)
        if same({**new, "metadata": metadata}, bare) and _untimed(tracked) == _untimed(before):
            return live
        changed = {**new, "metadata": {**metadata, **_managed(tracked)}}
        if "deletionTimestamp" in metadata and not metadata.get("finalizers"):
            self._storage.remove(key_of(target))
            return changed
        return shown(resource, target.version, self._storage.put(key_of(target), changed))

    def _write(self, resource: Resource, target: Target, manager: str) -> Write:
        fixed = "spec" if target.subresource else "status" if resource.status_subresource else ""
        ignored = frozenset({(f"f:{fixed}",)} if fixed else ())
        schema = resource.schema(target.version)
        return Write(schema, target.api_version, manager, self._time(), target.subresource or "", ignored)

    def _time(self) -> str:
        return self._now().astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def key_of(target: Target) -> Key:
    """Return where the object that a path names is stored."""
    return Key(target.group, target.plural, target.namespace or "", target.name or "")


def shown(resource: Resource, version: str, stored: Object) -> Object:
    """Return an object as a version of its kind shows it."""
    group = resource.kind.group
    return {
        **stored,
        "apiVersion": f"{group}/{version}" if group else version,
        "kind": resource.kind.kind,
    }


def _conflict(target: Target, why: str) -> StatusError:
    return errors.conflict(target.group, target.plural, target.name or "", why)


def _split(document: Object) -> tuple[dict[managers.Manager, managers.Entry], Object]:
    """Return the managers of an object, and the object without them."""
    metadata = dict(document["metadata"])
    known = managers.read(metadata.pop("managedFields", ()))
    return known, {**document, "metadata": metadata}


def _managed(tracked: Managers) -> Object:
    return {"managedFields": managers.written(tracked)} if tracked else {}


def _with_status(document: Object, other: Object) -> Object:
    """Return an object with the status of another, or without one."""
    rest = {field: value for field, value in document.items() if field != "status"}
    return {**rest, "status": other["status"]} if "status" in other else rest


def _untimed(tracked: Managers) -> Object:
    return {str(manager): (entry.api_version, entry.paths) for manager, entry in tracked.items()}


def _content(document: Object, resource: Resource) -> Object:
    """What counts a generation up when it changes."""
    ignored = {"metadata", "apiVersion", *(("status",) if resource.status_subresource else ())}
    return {field: value for field, value in document.items() if field not in ignored}
