"""Garbage collection by owner references, as the controller manager of a real cluster does it.

Done at once after a write, where the real one follows a moment later. Foreground deletion is not
told from background deletion.
"""

from collections import defaultdict

from turnout.runtime.transport import MERGE
from turnout.testing.memory.errors import Object
from turnout.testing.memory.objects import Objects
from turnout.testing.memory.paths import Target
from turnout.testing.memory.resources import Resource, Resources
from turnout.testing.memory.storage import Change, Key, Storage

MANAGER = "kube-controller-manager"


class GarbageCollector:
    """Deletes objects whose owners are all gone, and drops references to single owners that are."""

    def __init__(self, storage: Storage, objects: Objects, resources: Resources) -> None:
        self._storage = storage
        self._objects = objects
        self._resources = resources
        self._owners: dict[str, Key] = {}
        self._dependents: defaultdict[str, set[Key]] = defaultdict(set)
        self._suspects: set[Key] = set()
        storage.listeners.append(self._note)

    def collect(self) -> None:
        """Look at everything whose owners changed since the last time, and at what follows from it."""
        while self._suspects:
            key = self._suspects.pop()
            document = self._storage.get(key)
            if document is not None:
                self._judge(key, document)

    def orphan(self, uid: str) -> None:
        """Drop the references to an owner that was deleted without its dependents, before `collect`."""
        for key in sorted(self._dependents[uid]):
            document = self._storage.get(key)
            if document is not None:
                self._keep(key, [owner for owner in _owners_of(document) if owner["uid"] != uid])

    def _note(self, change: Change) -> None:
        for owner in _owners_of(change.before):
            self._dependents[owner["uid"]].discard(change.key)
        for owner in _owners_of(change.after):
            self._dependents[owner["uid"]].add(change.key)
            if not self._lives(owner, change.key):
                self._suspects.add(change.key)
        if change.after is not None:
            self._owners[change.after["metadata"]["uid"]] = change.key
        elif change.before is not None:
            uid = change.before["metadata"]["uid"]
            self._owners.pop(uid, None)
            self._suspects |= self._dependents[uid]

    def _judge(self, key: Key, document: Object) -> None:
        living = [owner for owner in _owners_of(document) if self._lives(owner, key)]
        if living:
            self._keep(key, living)
            return
        resource, target = self._resource(key)
        if resource is not None and _owners_of(document):
            self._objects.delete(resource, target, {})

    def _keep(self, key: Key, owners: list[Object]) -> None:
        resource, target = self._resource(key)
        if resource is not None:
            patch = {"metadata": {"ownerReferences": owners or None}}
            self._objects.patch(resource, target, MERGE, patch, MANAGER, force=False)

    def _lives(self, owner: Object, dependent: Key) -> bool:
        """Whether an owner exists where it can own: in the same namespace, or in none.

        Of a kind that is not served nobody knows, so such an owner counts as alive.
        """
        if self._resources.of_kind(owner["apiVersion"], owner["kind"]) is None:
            return True
        found = self._owners.get(owner["uid"])
        return found is not None and found.namespace in ("", dependent.namespace)

    def _resource(self, key: Key) -> tuple[Resource | None, Target]:
        resource = self._resources.get(key.group, key.plural)
        version = resource.kind.versions[0] if resource else ""
        return resource, Target(key.group, version, key.plural, key.namespace or None, key.name)


def _owners_of(document: Object | None) -> list[Object]:
    found: list[Object] = document["metadata"].get("ownerReferences", []) if document else []
    return found
