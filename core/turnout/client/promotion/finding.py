"""Tells what there is in the terms in which the next step is decided."""

from collections.abc import Mapping
from typing import Any

from turnout.client.promotion.errors import ChangedError
from turnout.client.promotion.memory import AGAIN, Memory
from turnout.client.promotion.record import Record, uid_of
from turnout.client.promotion.stage import Scene, Stage
from turnout.client.promotion.steps import Facts, Lead, Ready
from turnout.plugin import Ref
from turnout.plugin.reading import items, mapping, text
from turnout.shown import plain

Object = Mapping[str, Any]


class Finder:
    """Raises ChangedError where the primary is neither what it was nor what it is to be."""

    def __init__(self, stage: Stage, memory: Memory) -> None:
        self._stage = stage
        self._memory = memory

    async def facts(self, scene: Scene, record: Record) -> Facts:
        made, former = scene.made(record.wanted), scene.made(record.former)
        refs = scene.accepted.refs[scene.rollout.primary]
        new, old = [], []
        for index, (ref, one) in enumerate(zip(refs, scene.primary, strict=True)):
            if one is None:
                raise ChangedError(
                    f"{ref} has been deleted since the promotion began; {way_out(self._stage)}"
                )
            new.append(one == made[index])
            old.append(one == former[index])
            if not (new[-1] or old[-1]):
                new[-1] = await self._is_stored(ref, one, made[index])
                old[-1] = not new[-1] and await self._is_stored(ref, one, former[index])
            if not (new[-1] or old[-1]):
                raise ChangedError(
                    f"{ref} was changed{_by(one)} since the promotion began; {way_out(self._stage)}"
                )
            if not new[-1] and index in self._memory.replaced and not record.returning:
                told = f"{ref} was put back{_by(one)}: commit what --manifest prints where that takes it from"
                raise ChangedError(f"{told}; {AGAIN}")
        lead = scene.lead
        self._memory.followed = self._memory.followed and lead is Lead.CANDIDATE
        return Facts(
            promoted=all(new),
            former=all(old),
            ready=await self._ready(scene, record),
            candidate=scene.presence,
            lead=Lead.ELSEWHERE if lead is Lead.CANDIDATE and not self._memory.followed else lead,
            restored=scene.weights == scene.weights_after,
            returning=bool(record.returning),
            fit=not scene.unfit,
        )

    async def _is_stored(self, ref: Ref, now: Object, wanted: Object) -> bool:
        """Whether writing an object would leave it as it is: the API server may fill in fields."""
        there = await self._stage.client.replace(ref, wanted, dry_run=True)
        return _content(there) == _content(now)

    async def _ready(self, scene: Scene, record: Record) -> Ready:
        primary = [one or {} for one in scene.primary]
        now = (*primary, *await self._stage.witnesses(scene, primary))
        verdict, self._memory.why = scene.rolled_out(now)
        if verdict is False and record.returning and not scene.ready(record.former)[0]:
            return Ready.YES  # it was not ready before either, and is back where it was
        if verdict is not None:
            self._memory.maybe = None
            return Ready.YES if verdict else Ready.NO
        key = [(uid_of(one), mapping(one.get("metadata")).get("generation")) for one in primary]
        if self._memory.settled == key:
            return Ready.YES
        began = (
            self._memory.maybe[1]
            if self._memory.maybe and self._memory.maybe[0] == key
            else self._memory.terms.clock()
        )
        self._memory.maybe = key, began
        if self._memory.terms.clock() - began < self._memory.terms.settle:
            self._memory.why = (
                f"it says that it is ready, and has to stay so for {self._memory.terms.settle:g} s"
            )
            return Ready.MAYBE
        self._memory.settled = key
        return Ready.YES


def way_out(stage: Stage) -> str:
    """What to do about a change of somebody else's."""
    told = f"put it back, or delete {stage.record} to leave all as it is now"
    return f"nothing of it is overwritten: {told}"


def _content(obj: Object) -> dict[str, Any]:
    """All but what a write alone changes, and the status."""
    ignored = ("resourceVersion", "generation", "managedFields")
    metadata = {key: one for key, one in mapping(obj.get("metadata")).items() if key not in ignored}
    return {**{key: one for key, one in obj.items() if key != "status"}, "metadata": metadata}


def _by(obj: Object) -> str:
    """Who wrote an object last, as its managers tell it."""
    entries = [
        one for one in items(mapping(obj.get("metadata")).get("managedFields")) if not one.get("subresource")
    ]
    if not entries:
        return ""
    last = max(entries, key=lambda one: text(one.get("time")))
    return f" by {plain(text(last.get('manager')))} at {plain(text(last.get('time')))}"
