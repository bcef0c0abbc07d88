"""What is kept in memory of a watched object: the few fields that a decision reads."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any, TypeAlias

import orjson

from turnout.names import (
    ANNOTATION_DRAIN_FOR,
    ANNOTATION_PLAN,
    FIELD_MANAGER,
    LABEL_MANAGED_BY,
    LABEL_POLICY,
    LABEL_SHARED,
)
from turnout.plugin import Observation
from turnout.plugin.reading import mapping, timestamp

OUR_LABELS = (LABEL_MANAGED_BY, LABEL_POLICY, LABEL_SHARED)

FieldPath: TypeAlias = tuple[str, ...]
"""The keys that lead to a field of a body."""


@dataclass(frozen=True, slots=True)
class Owner:
    """An owner reference. `controller`: there are no other owners that manage the object."""

    kind: str
    name: str
    uid: str
    controller: bool = False


@dataclass(frozen=True, slots=True)
class Written:
    """What matters of an object that a router may write.

    `body` is the canonical JSON of everything but apiVersion, kind, metadata and status; `owned` are the
    fields of it that our field manager has applied, as managedFields has them; `written_at` is when it last
    changed one, by the API server's clock.
    """

    body: bytes
    labels: Mapping[str, str]
    owners: tuple[Owner, ...]
    plan: str | None
    refusal: str | None = None
    pending: str | None = None
    owned: tuple[FieldPath, ...] = ()
    written_at: datetime | None = field(default=None, compare=False)

    def owned_by(self, uid: str, *, controller: bool = False) -> bool:
        """Whether an object with this uid is an owner; with `controller`, the one that manages it."""
        return any(owner.uid == uid and (owner.controller or not controller) for owner in self.owners)


@dataclass(frozen=True, slots=True)
class Entry:
    """An object in a cache. Equal ones call for the same decisions, whatever their resourceVersion."""

    uid: str
    resource_version: str = field(compare=False)
    deleting: datetime | None = None
    finalizers: tuple[str, ...] = ()
    drain_for: str = ""
    """The namespace of the policy for which our finalizer is on it; empty if it is not told."""
    observations: Mapping[str, Observation] = field(default_factory=dict)
    written: Written | None = None


def texts(value: object) -> tuple[str, ...]:
    """The strings of a list."""
    return tuple(item for item in value if isinstance(item, str)) if isinstance(value, list) else ()


def entry(obj: Mapping[str, Any], observations: Mapping[str, Observation], written: Written | None) -> Entry:
    """What is kept of an object, with what plugins said of it."""
    metadata = mapping(obj.get("metadata"))
    return Entry(
        uid=str(metadata.get("uid", "")),
        resource_version=str(metadata.get("resourceVersion", "")),
        deleting=timestamp(metadata.get("deletionTimestamp")),
        finalizers=texts(metadata.get("finalizers")),
        drain_for=str(mapping(metadata.get("annotations")).get(ANNOTATION_DRAIN_FOR, "")),
        observations=observations,
        written=written,
    )


def canonical(data: Any) -> bytes:
    """JSON that is equal for equal data, in no more memory than it needs.

    What orjson returns keeps the buffer that it was written in, which is a multiple of small results.
    """
    return bytes(memoryview(orjson.dumps(data, option=orjson.OPT_SORT_KEYS)))


def body_of(obj: Mapping[str, Any]) -> bytes:
    """The canonical JSON of an object without apiVersion, kind, metadata and status."""
    rest = {k: v for k, v in obj.items() if k not in ("apiVersion", "kind", "metadata", "status")}
    return canonical(rest)


def written_part(obj: Mapping[str, Any], refusal: str | None = None, pending: str | None = None) -> Written:
    """What is kept of an object of a kind that routers write, with the word of these on its status."""
    metadata = mapping(obj.get("metadata"))
    labels = mapping(metadata.get("labels"))
    plan = mapping(metadata.get("annotations")).get(ANNOTATION_PLAN)
    ours = _ours(metadata.get("managedFields"))
    return Written(
        body=body_of(obj),
        labels={name: str(labels[name]) for name in OUR_LABELS if name in labels},
        owners=tuple(_owners(metadata.get("ownerReferences"))),
        plan=plan if isinstance(plan, str) else None,
        refusal=refusal,
        pending=pending,
        owned=tuple(_owned(ours)),
        written_at=_written_at(ours),
    )


def _owners(references: object) -> Iterable[Owner]:
    for reference in references if isinstance(references, list) else ():
        said = mapping(reference)
        kind, name, uid = (str(said.get(field, "")) for field in ("kind", "name", "uid"))
        yield Owner(kind, name, uid, said.get("controller") is True)


def _ours(managed_fields: object) -> list[Mapping[str, Any]]:
    """The entries of our field manager, but for those of subresources."""
    entries = map(mapping, managed_fields if isinstance(managed_fields, list) else ())
    return [one for one in entries if one.get("manager") == FIELD_MANAGER and not one.get("subresource")]


def _written_at(entries: Iterable[Mapping[str, Any]]) -> datetime | None:
    times = (timestamp(entry.get("time")) for entry in entries)
    return max((time for time in times if time), default=None)


def _owned(entries: Iterable[Mapping[str, Any]]) -> Iterable[FieldPath]:
    for entry in entries:
        if entry.get("operation") == "Apply":
            yield from _paths(canonical(entry.get("fieldsV1")))


@lru_cache(maxsize=256)  # most routes have the same fields, and then share the paths as well
def _paths(fields: bytes) -> tuple[FieldPath, ...]:
    """The fields of the body that a FieldsV1 names. What is within a list is its items' matter."""
    body = {name: rest for name, rest in mapping(orjson.loads(fields)).items() if name not in _NOT_BODY}
    return tuple(_leaves(body, ()))


_NOT_BODY = ("f:apiVersion", "f:kind", "f:metadata", "f:status")


def _leaves(fields: Mapping[str, Any], path: FieldPath) -> Iterable[FieldPath]:
    below = {name[2:]: mapping(rest) for name, rest in fields.items() if name.startswith("f:")}
    if path and (not fields or len(below) < len(fields)):
        yield path
    for name, rest in below.items():
        yield from _leaves(rest, (*path, name))
