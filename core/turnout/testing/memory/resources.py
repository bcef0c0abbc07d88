"""The kinds that the in-memory cluster serves: how each is scoped, shaped, checked and filled in."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from turnout.plugin import Kind
from turnout.testing.memory.errors import Object
from turnout.testing.memory.schema import Schema, complete

Validate = Callable[[Object], Iterable[tuple[str, str]]]
"""Given an object, the (path, message) of what is wrong with it, such as ("spec.size", "must be …")."""

Default = Callable[[Object], None]
"""Fills in, in place, what an object that is about to be stored leaves out."""


def _nothing_wrong(document: Object) -> Iterable[tuple[str, str]]:
    return ()


def _as_it_is(document: Object) -> None:
    """Fill in nothing."""


@dataclass(frozen=True, slots=True)
class Resource:
    """A kind as it is served.

    `custom`: defined by a CustomResourceDefinition; built-in kinds are listed without their items'
    type and may be replaced without a resourceVersion. `checks_schema`: the schema is the cluster's
    own and not only a hint how lists merge, so that values are checked against it.
    """

    kind: Kind
    namespaced: bool = True
    status_subresource: bool = True
    schemas: Mapping[str, Schema] = field(default_factory=dict)
    custom: bool = True
    checks_schema: bool = False
    short_names: Sequence[str] = ()
    validate: Validate = _nothing_wrong
    default: Default = _as_it_is

    def schema(self, version: str) -> Schema:
        """The schema of a whole object of that version."""
        return self.schemas.get(version) or complete(None)

    @property
    def counts_generations(self) -> bool:
        """Whether objects have a metadata.generation; of built-in kinds, those with a status do."""
        return self.custom or self.status_subresource


class Resources:
    """What is served at the moment."""

    def __init__(self) -> None:
        self._served: dict[tuple[str, str], Resource] = {}

    def __iter__(self) -> Iterator[Resource]:
        return iter(self._served.values())

    def add(self, resource: Resource) -> None:
        """Serve a kind from now on, instead of one of the same group and plural."""
        self._served[resource.kind.group, resource.kind.plural] = resource

    def remove(self, group: str, plural: str) -> None:
        self._served.pop((group, plural), None)

    def get(self, group: str, plural: str) -> Resource | None:
        return self._served.get((group, plural))

    def of_kind(self, api_version: str, kind: str) -> Resource | None:
        """Return what serves the apiVersion and kind of a manifest or an owner reference."""
        group, _, version = api_version.rpartition("/")
        for resource in self:
            known = resource.kind
            if (known.group, known.kind) == (group, kind) and version in known.versions:
                return resource
        return None


def plain(
    kind: Kind,
    schema: Schema | None,
    *,
    namespaced: bool,
    status_subresource: bool,
    validate: Validate | None,
    default: Default | None,
) -> Resource:
    """A custom kind without a CustomResourceDefinition. A schema says here only how lists merge."""
    return Resource(
        kind,
        namespaced,
        status_subresource,
        {version: complete(schema and {**schema, _FREE: True}) for version in kind.versions},
        validate=validate or _nothing_wrong,
        default=default or _as_it_is,
    )


_FREE = "x-kubernetes-preserve-unknown-fields"


def from_crd(
    document: Mapping[str, Any], *, validate: Validate | None = None, default: Default | None = None
) -> Resource:
    """The kind that a CustomResourceDefinition (apiextensions.k8s.io/v1) defines.

    Versions are in the order of preference; what the schema says about values holds, but rules in
    CEL (x-kubernetes-validations) do not: `validate` has to say the same.
    """
    spec = document["spec"]
    names = spec["names"]
    served = sorted((v for v in spec["versions"] if v["served"]), key=lambda v: _priority(v["name"]))
    schemas = {v["name"]: complete(v.get("schema", {}).get("openAPIV3Schema")) for v in served}
    kind = Kind(spec["group"], tuple(schemas), names["kind"], names["plural"])
    return Resource(
        kind,
        spec["scope"] == "Namespaced",
        any("status" in v.get("subresources", {}) for v in served),
        schemas,
        checks_schema=True,
        short_names=tuple(names.get("shortNames", ())),
        validate=validate or _nothing_wrong,
        default=default or _as_it_is,
    )


def _priority(version: str) -> tuple[int, int, int]:
    """Sort versions as Kubernetes prefers them: v2, v1, v1beta2, v1beta1, v1alpha1."""
    parsed = re.fullmatch(r"v(\d+)(?:(alpha|beta)(\d+))?", version)
    if parsed is None:
        return 3, 0, 0
    major, stage, minor = parsed.groups()
    return ("", "beta", "alpha").index(stage or ""), -int(major), -int(minor or 0)


def _built_in(kind: Kind, *, namespaced: bool = True, status: bool = False) -> Resource:
    return Resource(kind, namespaced, status, custom=False)


BUILT_IN = (
    _built_in(Kind("", ("v1",), "ConfigMap", "configmaps")),
    _built_in(Kind("", ("v1",), "Event", "events")),
    _built_in(Kind("", ("v1",), "Namespace", "namespaces"), namespaced=False),
    _built_in(Kind("", ("v1",), "Secret", "secrets")),
    _built_in(Kind("", ("v1",), "Service", "services")),
    _built_in(Kind("apps", ("v1",), "ControllerRevision", "controllerrevisions")),
    _built_in(Kind("apps", ("v1",), "Deployment", "deployments"), status=True),
    _built_in(Kind("apps", ("v1",), "StatefulSet", "statefulsets"), status=True),
    _built_in(Kind("coordination.k8s.io", ("v1",), "Lease", "leases")),
    _built_in(Kind("events.k8s.io", ("v1",), "Event", "events")),
)
"""Served from the start. Their values are not checked, and every list in them is atomic."""
