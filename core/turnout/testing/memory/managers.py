"""Who manages which field: server-side apply, and the bookkeeping (managedFields) of other writes.

Follows k8s.io/apimachinery/pkg/util/managedfields. Nothing here writes or checks an object.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from turnout.testing.memory.errors import Object, StatusError, bad_request
from turnout.testing.memory.fieldsets import (
    Paths,
    decode,
    encode,
    readable,
    tree,
    with_declared_parents,
    without,
)
from turnout.testing.memory.merge import Changes, compare, cut, merge, paths_of, same
from turnout.testing.memory.schema import Schema, undeclared

_UNMANAGED = frozenset(
    {("f:apiVersion",), ("f:kind",), ("f:metadata",)}
    | {
        ("f:metadata", f"f:{name}")
        for name in (
            *("name", "namespace", "creationTimestamp", "selfLink", "uid"),
            *("generation", "managedFields", "resourceVersion"),
        )
    }
)


class Manager(NamedTuple):
    """Who an entry belongs to. `api_version` is part of it for updates only, as for the real server."""

    name: str
    operation: str
    subresource: str = ""
    api_version: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """What a manager holds. `time` is "" until its first write that changed a value."""

    api_version: str
    paths: Paths
    time: str = ""


Managers = Mapping[Manager, Entry]


@dataclass(frozen=True, slots=True)
class Write:
    """What is the same for all the bookkeeping of one request. `ignored`: fields it cannot set."""

    schema: Schema
    api_version: str
    manager: str
    time: str
    subresource: str = ""
    ignored: Paths = frozenset()

    def by(self, operation: str) -> Manager:
        own = "" if operation == "Apply" else self.api_version
        return Manager(self.manager, operation, self.subresource, own)


def read(managed_fields: Iterable[Mapping[str, Any]]) -> dict[Manager, Entry]:
    """Return the entries of a metadata.managedFields."""
    found = {}
    for entry in managed_fields:
        operation, api_version = entry["operation"], entry["apiVersion"]
        own = "" if operation == "Apply" else api_version
        manager = Manager(entry["manager"], operation, entry.get("subresource", ""), own)
        found[manager] = Entry(api_version, decode(entry["fieldsV1"]), entry.get("time", ""))
    return found


def written(managers: Managers) -> list[Object]:
    """Return the metadata.managedFields of entries, in the order of the real server."""

    def order(item: tuple[Manager, Entry]) -> tuple[str, ...]:
        manager, entry = item
        return manager.operation, entry.time, manager.name, entry.api_version, manager.subresource

    return [_written(manager, entry) for manager, entry in sorted(managers.items(), key=order)]


def _written(manager: Manager, entry: Entry) -> Object:
    fields: Object = {
        "apiVersion": entry.api_version,
        "fieldsType": "FieldsV1",
        "fieldsV1": encode(entry.paths),
        "manager": manager.name,
        "operation": manager.operation,
        "subresource": manager.subresource,
        "time": entry.time,
    }
    return {key: value for key, value in fields.items() if value != ""}


def track_update(write: Write, managers: Managers, live: Object | None, new: Object) -> dict[Manager, Entry]:
    """Return who manages what after a create, a replace or a patch: the writer takes what it changed.

    An object whose managers are not tracked (nobody set a field when it was created) stays so.
    """
    if live is not None and not managers:
        return {}
    changes = compare(write.schema, live or {}, new).outside(write.ignored)
    others = _taken_from(managers, changes)
    mine = (changes.added | changes.modified) - _UNMANAGED
    if mine:
        me = write.by("Update")
        held = others[me].paths if me in others else frozenset()
        others[me] = Entry(write.api_version, held | mine, write.time)
    return others


def apply(
    write: Write, managers: Managers, live: Object, patch: Object, *, force: bool
) -> tuple[Object, dict[Manager, Entry]]:
    """Return the object and its managers after a server-side apply of `patch` to `live` ({} if new).

    Raises StatusError: 409 where another manager holds a field that would change and `force` is not
    set; 500, as the real server has it, for a field that the schema does not know.
    """
    if patch.get("metadata", {}).get("managedFields") is not None:
        raise bad_request("metadata.managedFields must be nil")
    for path in undeclared(write.schema, patch):
        named = f"{patch['metadata'].get('namespace', '')}/{patch['metadata'].get('name', '')}"
        kind = f"{patch['apiVersion']}, Kind={patch['kind']}"
        message = (
            f"failed to create typed patch object ({named}; {kind}): {path}: field not declared in schema"
        )
        raise StatusError(500, "", message)
    if live and not managers:
        before = replace(write, manager="before-first-apply")
        managers = track_update(before, {}, None, live)
    me = write.by("Apply")
    last = managers.get(me)
    mine = without(paths_of(write.schema, patch), write.ignored)
    claimed = {**managers, me: Entry(write.api_version, mine, last.time if last else "")}
    merged = merge(write.schema, live, patch)
    if last:
        merged = _pruned(write.schema, merged, last.paths, [entry.paths for entry in claimed.values()])
    changes = compare(write.schema, live, merged).outside(write.ignored)
    others = {manager: entry for manager, entry in claimed.items() if manager != me}
    if not force:
        _refuse_conflicts(others, changes)
    result = _taken_from(others, changes)
    if mine - _UNMANAGED:
        time = claimed[me].time if same(merged, live) else write.time
        result[me] = Entry(write.api_version, mine - _UNMANAGED, time)
    return merged, result


def _taken_from(managers: Managers, changes: Changes) -> dict[Manager, Entry]:
    """Take from managers what someone else has changed or removed; who holds nothing goes."""
    lost = changes.added | changes.modified | changes.removed
    kept = {manager: replace(entry, paths=entry.paths - lost) for manager, entry in managers.items()}
    return {manager: entry for manager, entry in kept.items() if entry.paths}


def _pruned(schema: Schema, merged: Object, last: Paths, claims: Iterable[Paths]) -> Object:
    """Remove what a manager applied last time, does not apply now, and nobody else claims."""

    def closed(paths: Iterable[tuple[str, ...]]) -> Paths:
        return with_declared_parents(schema, paths)

    there = closed(paths_of(schema, merged))
    left = closed(paths_of(schema, cut(schema, merged, tree(closed(last)))))
    claimed = closed(path for paths in claims for path in paths)
    kept = cut(schema, merged, tree(there - (left | claimed)))
    gone = there - closed(paths_of(schema, kept))
    pruned: Object = cut(schema, merged, tree(gone & closed(last)))
    return pruned


def _refuse_conflicts(others: Managers, changes: Changes) -> None:
    contested = changes.added | changes.modified
    conflicts = [
        (_described(manager), readable(path))
        for manager, entry in sorted(others.items())
        for path in sorted(entry.paths & contested)
    ]
    if not conflicts:
        return
    if len(conflicts) == 1:
        who, where = conflicts[0]
        message = f"Apply failed with 1 conflict: conflict with {who}: {where}"
    else:
        lines: dict[str, list[str]] = {}
        for who, where in conflicts:
            lines.setdefault(f"conflicts with {who}:", []).append(f"- {where}")
        listed = "\n".join(line for who, paths in lines.items() for line in (who, *paths))
        message = f"Apply failed with {len(conflicts)} conflicts: {listed}"
    causes = [
        {"reason": "FieldManagerConflict", "message": f"conflict with {who}", "field": where}
        for who, where in conflicts
    ]
    raise StatusError(409, "Conflict", message, {"causes": causes})


def _described(manager: Manager) -> str:
    text = f'"{manager.name}"'
    if manager.subresource:
        text += f' with subresource "{manager.subresource}"'
    if manager.operation == "Update":
        text += f" using {manager.api_version}"
    return text
