"""Turns raw objects into what is kept of them, with the word of the plugins that are in use."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from turnout.calling import Calls, Quarantined
from turnout.decision.objects import Entry, canonical
from turnout.decision.observe import name_of, observe, tells_pending
from turnout.names import LABEL_INSTANCE
from turnout.plugin import Environment, Kind, Plugin, Router
from turnout.plugin.reading import mapping
from turnout.runtime.guard import Guard
from turnout.runtime.store import Document, Name

Object = Mapping[str, Any]

LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
"""The whole object once more, as `kubectl apply` leaves it."""


def document(obj: Object) -> Document:
    """An object of turnout's own kinds, without the bookkeeping of the API server."""
    metadata = mapping(obj.get("metadata"))
    kept = {key: value for key, value in metadata.items() if key not in ("managedFields", "annotations")}
    if annotations := {k: v for k, v in mapping(metadata.get("annotations")).items() if k != LAST_APPLIED}:
        kept["annotations"] = annotations
    generation = metadata.get("generation")
    return Document(
        uid=str(metadata.get("uid", "")),
        generation=generation if isinstance(generation, int) else 0,
        created=str(metadata.get("creationTimestamp", "")),
        deleting=bool(metadata.get("deletionTimestamp")),
        instance=str(mapping(metadata.get("labels")).get(LABEL_INSTANCE, "")),
        owners=tuple(str(mapping(owner).get("uid", "")) for owner in metadata.get("ownerReferences") or ()),
        marks=canonical([metadata.get("labels"), annotations]),
        said=canonical(obj.get("status")),
        resource_version=str(metadata.get("resourceVersion", "")),
        content={**obj, "metadata": kept},
    )


class Digester:
    """Knows which plugins have a word on objects of a kind."""

    def __init__(self, guard: Guard) -> None:
        self._guard = guard
        self._environments: defaultdict[Kind, dict[str, Environment[Any]]] = defaultdict(dict)
        self._routers: defaultdict[Kind, dict[str, Router[Any]]] = defaultdict(dict)

    def asked(self, plugin: str) -> set[Kind]:
        """The kinds on whose objects a plugin has a word."""
        kinds = self._environments.keys() | self._routers.keys()
        return {kind for kind in kinds if plugin in self._environments[kind] or plugin in self._routers[kind]}

    def use(self, plugin: Plugin[Any]) -> tuple[Kind, ...]:
        """Ask a plugin from now on. Returns the kinds whose objects it has not been asked about yet."""
        if isinstance(plugin, Environment):
            fresh = tuple(kind for kind in plugin.watches if plugin.name not in self._environments[kind])
            for kind in fresh:
                self._environments[kind][plugin.name] = plugin
            return fresh
        if isinstance(plugin, Router):
            fresh = tuple(kind for kind in plugin.writes if plugin.name not in self._routers[kind])
            for kind in fresh:
                self._routers[kind][plugin.name] = plugin
            return fresh
        return ()

    async def entries(self, kind: Kind, objects: Sequence[Object]) -> list[tuple[Name, Entry]]:
        """What is kept of each object. A batch goes to the plugins in one hand-off."""
        environments, routers = self._environments[kind].values(), self._routers[kind].values()

        def digest(calls: Calls) -> list[tuple[Name, Entry]]:
            return [
                (name_of(obj), observe(_with_kind(kind, obj), environments, routers, calls))
                for obj in objects
            ]

        if not self._asks(kind, objects):
            return digest(Calls())
        try:
            return await self._guard.run(digest)
        except Quarantined:
            # The plugin is not called again, and its word is Unknown. The others are asked once more.
            return await self._guard.run(digest)

    def _asks(self, kind: Kind, objects: Iterable[Object]) -> bool:
        """Whether a plugin has a word on any of the objects."""
        if self._environments[kind] or any(map(tells_pending, self._routers[kind].values())):
            return True
        return bool(self._routers[kind]) and any("status" in obj for obj in objects)


def _with_kind(kind: Kind, obj: Object) -> Object:
    """The object with its kind, which items of built-in lists do not say."""
    return obj if "kind" in obj else {"kind": kind.kind, **obj}
