"""A sink that keeps objects as a cache would, and a diary of what it was told."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from turnout.runtime.reflector import Cause, Unavailable
from turnout.runtime.stream import Event


@dataclass
class RecordingSink:
    """`objects` by name, as known now; `diary` one entry for each call, without pages."""

    objects: dict[str, dict[str, Any]] = field(default_factory=dict)
    diary: list[str] = field(default_factory=list)
    reasons: list[Unavailable] = field(default_factory=list)
    batches: list[int] = field(default_factory=list)
    deleted: list[str] = field(default_factory=list)
    _listed: dict[str, dict[str, Any]] = field(default_factory=dict)

    def begin(self) -> None:
        self.diary.append("begin")
        self._listed = {}

    def page(self, items: Sequence[dict[str, Any]]) -> None:
        self._listed |= {_key(item): item for item in items}

    async def end(self, resource_version: str) -> None:
        await asyncio.sleep(0)  # methods may be async
        self.diary.append(f"end {','.join(sorted(self._listed))}")
        self.deleted += self.objects.keys() - self._listed.keys()
        self.objects = self._listed

    def events(self, events: Sequence[Event]) -> None:
        self.batches.append(len(events))
        for event in events:
            key = _key(event.object)
            self.diary.append(f"{event.type} {key}")
            if event.type == "DELETED":
                self.objects.pop(key, None)
                self.deleted.append(key)
            else:
                self.objects[key] = event.object

    def unavailable(self, reason: Unavailable) -> None:
        self.diary.append(reason.cause.value)
        self.reasons.append(reason)

    def available(self) -> None:
        self.diary.append("available")

    @property
    def causes(self) -> list[Cause]:
        return [reason.cause for reason in self.reasons]


def _key(obj: dict[str, Any]) -> str:
    meta = obj.get("metadata")
    return str(meta.get("name")) if isinstance(meta, dict) else "?"
