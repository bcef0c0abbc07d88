"""Sorts documents into what a migration reads: routemaps, and the objects that they name."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from turnout.migration.routemap import is_routemap
from turnout.plugin.reading import mapping

KINDS = {
    "cm": "ConfigMap",
    "deploy": "Deployment",
    "isvc": "InferenceService",
    "service": "Service",
    "svc": "Service",
}
"""Iter8's short names for the kinds that its charts make versions of."""

Place = tuple[str, str, str]
"""Kind, namespace and name."""


@dataclass(slots=True)
class Artifacts:
    """Documents by place. `whole`: all that exists is here, so that what is not here does not exist."""

    namespace: str = "default"
    whole: bool = False
    routemaps: dict[tuple[str, str], Mapping[str, Any]] = field(default_factory=dict)
    objects: dict[Place, Mapping[str, Any]] = field(default_factory=dict)

    def add(self, documents: Iterable[Mapping[str, Any]]) -> None:
        """Take documents in. Of two of the same object the later counts."""
        for document in documents:
            metadata = mapping(document.get("metadata"))
            place = str(metadata.get("namespace") or self.namespace), str(metadata.get("name", ""))
            if is_routemap(document):
                self.routemaps[place] = document
            self.objects[str(document.get("kind", "")), *place] = document

    def get(self, kind: str, namespace: str, name: str) -> Mapping[str, Any] | None:
        """An object, if it is among the documents."""
        return self.objects.get((kind, namespace, name))
