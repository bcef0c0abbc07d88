"""Deletes the candidates of a rollout, and follows them until they are gone."""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from turnout.calling import Calls
from turnout.client.weights import NotShiftedError
from turnout.decision.accept import Accepted
from turnout.decision.assess import Assessment, Assessor
from turnout.decision.objects import texts
from turnout.plugin import Ref
from turnout.plugin.reading import mapping
from turnout.registry import Registry
from turnout.rollout import Rollout
from turnout.runtime.client import Client
from turnout.runtime.errors import ApiError
from turnout.runtime.transport import ConnectionFailed
from turnout.settings import Settings
from turnout.shown import plain, sentence

LOOK = 1.0
"""Seconds between two looks at what is being deleted."""

Told = Callable[[str], None]


def candidates(policy: Mapping[str, Any], registry: Registry, settings: Settings) -> dict[Ref, str]:
    """The objects of the candidates that no other version has too, with the version of each.

    Raises NotShiftedError where a candidate still gets calls, or nobody knows whether it does, or which
    objects make it up.
    """
    rollout = Rollout.read(policy)
    if not rollout.in_force:  # a status of another spec, or none, does not tell where calls go
        told = sentence(rollout.awaits, 1024)
        raise NotShiftedError(f"{rollout}: it is not known where calls go: {told}; nothing is deleted")
    if carrying := [one.name for one in rollout.versions if one.carries and one.name != rollout.primary]:
        raise NotShiftedError(f"calls still go to {', '.join(map(plain, carrying))}: nothing is deleted")
    accepted = _accepted(policy, registry, settings)
    kept = set(accepted.refs[rollout.primary])
    return {ref: name for name in rollout.candidates for ref in accepted.refs[name] if ref not in kept}


def _accepted(policy: Mapping[str, Any], registry: Registry, settings: Settings) -> Accepted:
    found = Assessor(registry, settings).admit(policy, None, Calls())
    if isinstance(found, Assessment):
        reason, message = found.failure or ("", "it is not accepted")
        raise NotShiftedError(f"{Rollout.read(policy)}: {reason}: {sentence(message, 1024)}")
    return found.accepted


async def delete(client: Client, refs: Iterable[Ref]) -> dict[Ref, str]:
    """Ask for the deletion of those that exist. Returns the uids of these.

    Raises NotShiftedError for one that was replaced meanwhile.
    """
    found: dict[Ref, str] = {}
    for ref in refs:
        obj = await client.get(ref)
        if obj is None:
            continue
        uid = str(mapping(obj.get("metadata")).get("uid"))
        try:
            deleted = await client.delete(ref, uid=uid)
        except ApiError as error:
            if error.status != 409:
                raise
            raise NotShiftedError(f"{ref} was replaced meanwhile, and is not deleted") from None
        if deleted:
            found[ref] = uid
    return found


async def gone(client: Client, uids: Mapping[Ref, str], told: Told) -> None:
    """Wait, for ever, until they are gone. `told`: what is still there, and what holds it."""
    left = dict(uids)
    while left:
        for ref, uid in list(left.items()):
            try:
                obj = await client.get(ref)
            except ConnectionFailed as error:  # the deletion goes on without us
                told(str(error))
                continue
            metadata = mapping(obj.get("metadata")) if obj else {}
            if metadata.get("uid") != uid:
                del left[ref]
            else:
                held = ", ".join(map(plain, texts(metadata.get("finalizers")))) or "nothing that is told"
                told(f"{ref} is being deleted, held by {held}")
        if left:
            await asyncio.sleep(LOOK)
