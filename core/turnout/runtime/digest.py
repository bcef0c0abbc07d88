"""Turns raw objects into what is kept of them, with the word of the plugins that are in use."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from turnout.calling import Calls, PluginError, Quarantined
from turnout.decision.objects import Entry, entry, mapping, written_part
from turnout.names import LABEL_INSTANCE
from turnout.plugin import Environment, Kind, Observation, Plugin, Router
from turnout.reasons import Reason
from turnout.runtime.guard import Guard
from turnout.runtime.store import Document, Name

Object = Mapping[str, Any]


def name_of(obj: Object) -> Name:
    """Where an object is; two empty strings for one that does not say."""
    metadata = mapping(obj.get("metadata"))
    return str(metadata.get("namespace", "")), str(metadata.get("name", ""))


def document(obj: Object) -> Document:
    """An object of turnout's own kinds, without the bookkeeping of the API server."""
    metadata = mapping(obj.get("metadata"))
    kept = {key: value for key, value in metadata.items() if key not in ("managedFields", "annotations")}
    generation = metadata.get("generation")
    return Document(
        uid=str(metadata.get("uid", "")),
        generation=generation if isinstance(generation, int) else 0,
        created=str(metadata.get("creationTimestamp", "")),
        deleting=bool(metadata.get("deletionTimestamp")),
        instance=str(mapping(metadata.get("labels")).get(LABEL_INSTANCE, "")),
        owners=tuple(str(mapping(owner).get("uid", "")) for owner in metadata.get("ownerReferences") or ()),
        resource_version=str(metadata.get("resourceVersion", "")),
        content={**obj, "metadata": kept},
    )


class Digester:
    """Knows which plugins have a word on objects of a kind."""

    def __init__(self, guard: Guard, on_quarantine: Callable[[Kind, Quarantined], None]) -> None:
        self._guard = guard
        self._on_quarantine = on_quarantine
        self._environments: defaultdict[Kind, dict[str, Environment[Any]]] = defaultdict(dict)
        self._routers: defaultdict[Kind, dict[str, Router[Any]]] = defaultdict(dict)

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

    def written(self, kind: Kind) -> bool:
        """Whether a router in use writes the kind."""
        return bool(self._routers[kind])

    async def entries(self, kind: Kind, objects: Sequence[Object]) -> list[tuple[Name, Entry]]:
        """What is kept of each object. A batch goes to the plugins in one hand-off."""
        if not self._asks(kind, objects):
            return self._digest(kind, objects, Calls())
        try:
            return await self._guard.run(lambda calls: self._digest(kind, objects, calls))
        except Quarantined as quarantined:
            self._on_quarantine(kind, quarantined)
            # The plugin is not called again, and its word is Unknown. The others are asked once more.
            return await self._guard.run(lambda calls: self._digest(kind, objects, calls))

    def _asks(self, kind: Kind, objects: Iterable[Object]) -> bool:
        return bool(self._environments[kind]) or (
            bool(self._routers[kind]) and any("status" in obj for obj in objects)
        )

    def _digest(self, kind: Kind, objects: Iterable[Object], calls: Calls) -> list[tuple[Name, Entry]]:
        environments, routers = self._environments[kind].values(), self._routers[kind].values()
        digested = []
        for obj in objects:
            observations = {one.name: _observe(one, obj, calls) for one in environments}
            written = written_part(obj, _refusal(routers, obj, calls)) if routers else None
            digested.append((name_of(obj), entry(obj, observations, written)))
        return digested


def _observe(environment: Environment[Any], obj: Object, calls: Calls) -> Observation:
    try:
        seen = calls.to(environment.name, environment.observe, obj)
    except PluginError as error:
        return Observation(None, Reason.PLUGIN_FAILED, error.message)
    if not isinstance(seen, Observation):
        told = f"plugin {environment.name}: observe returned {type(seen).__name__}, expected an Observation"
        return Observation(None, Reason.PLUGIN_FAILED, told)
    return seen


def _refusal(routers: Iterable[Router[Any]], obj: Object, calls: Calls) -> str | None:
    if "status" not in obj:
        return None
    for router in routers:
        try:
            if told := calls.to(router.name, router.refusal, obj):
                return str(told)
        except PluginError as error:
            return error.message
    return None
