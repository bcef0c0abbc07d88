"""The versions that bear a mark of the drain, as the API server lists them: without a cache or a plugin."""

from collections.abc import Mapping
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Any

from turnout.decision.join import protects
from turnout.decision.objects import Entry, entry
from turnout.decision.observe import name_of
from turnout.plugin import Kind, Ref
from turnout.runtime.apply import undrained
from turnout.runtime.client import Client


@dataclass(frozen=True, slots=True)
class Place:
    """Where to look: in a namespace (None: in all of them), for all objects of a kind or for one."""

    kind: Kind
    namespace: str | None
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """An object, as it was read last."""

    ref: Ref
    entry: Entry
    api_version: str

    @property
    def marked(self) -> bool:
        """Whether there is anything of ours to take off."""
        return protects(self.entry) or bool(self.entry.drain_for)

    @property
    def held_for(self) -> str:
        """The namespace of the policy that it is protected for."""
        return self.entry.drain_for or self.ref.namespace


async def read(client: Client, place: Place) -> list[Found]:
    """All objects in a place that bear a mark of ours; one that is asked for by name in any case.

    Raises ApiError and ConnectionFailed.
    """
    listed: list[Found] = []
    async with aclosing(client.pages(place.kind, place.namespace, name=place.name)) as pages:
        async for page in pages:
            if page.first:
                listed.clear()
            items = (found_of(place.kind, item) for item in page.items)
            listed += (one for one in items if one.marked or place.name)
    return listed


def found_of(kind: Kind, item: Mapping[str, Any]) -> Found:
    """What is kept of an object."""
    usual = f"{kind.group}/{kind.versions[0]}" if kind.group else kind.versions[0]
    # Items of built-in kinds do not say it.
    return Found(Ref(kind, *name_of(item)), entry(item, {}, None), str(item.get("apiVersion") or usual))


def bare(found: Found) -> Found:
    """An object without what is ours on it."""
    return replace(found, entry=replace(found.entry, finalizers=undrained(found.entry), drain_for=""))
