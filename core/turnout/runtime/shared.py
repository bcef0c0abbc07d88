"""Writes the objects that several policies render, once for all of them.

One field manager's apply replaces its whole list of owners, so policies that each applied a shared
object would drop each other from it for ever. Here one apply carries the owners of all.
"""

import logging
from collections.abc import Iterator
from typing import Any

from turnout.decision.drift import shared_foreign
from turnout.decision.objects import Entry, Owner
from turnout.decision.render import owner_reference
from turnout.names import ROUTING_POLICY
from turnout.plugin import Ref
from turnout.reasons import Reason
from turnout.runtime.claims import Claim
from turnout.runtime.context import Context
from turnout.runtime.corrections import Corrections
from turnout.runtime.errors import ApiError, classify
from turnout.runtime.errors import Verdict as Classified
from turnout.runtime.keys import PolicyKey, SharedKey
from turnout.status import Verdict

log = logging.getLogger(__name__)

OWNERS = "metadata.ownerReferences"
SOON = 0.2
"""Seconds until a look at whether all policies are known."""


class SharedReconciler:
    """The oldest policy's wish is what is written; the others own it too."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._corrections = Corrections(context.recorder)
        self._winner: dict[Ref, bytes] = {}

    async def reconcile(self, key: SharedKey) -> float | None:
        """Returns the seconds after which to come again, if so. Raises ApiError and ConnectionFailed."""
        if not self._context.settled:
            return SOON
        claims = self._context.claims.of(key.ref)
        known = self._context.store.look(key.ref)
        if known and shared_foreign(known):
            return None
        owners = self._owners(key.ref, claims, known)
        if not claims:
            self._corrections.forget(key.ref)
            if known and not owners and self._turned_away(key.ref, known):
                await self._give_up(key.ref, known)
            return None
        self._tell_others(key.ref, claims)
        differs = self._differs(claims[0], known, owners)
        if differs is None:
            self._say(key.ref, claims, None)
            return None
        now = self._context.clock.monotonic()
        corrects = self._corrections.wrote(claims[0].item) and differs != OWNERS
        if corrects:
            if known is None and not await self._wanted(claims):
                return None
            if wait := self._corrections.contention.wait(key.ref, now):
                return wait
        made = await self._apply(key.ref, claims, list(owners.values()), known)
        if corrects:
            self._corrections.corrected(claims[0].key, claims[0].uid, claims[0].item, differs, now)
        self._corrections.applied(claims[0].item, made)
        return None

    def _owners(self, ref: Ref, claims: list[Claim], known: Entry | None) -> dict[str, dict[str, Any]]:
        """Owner references by uid: of all who wish for it, and of owners whose wish is not known now."""
        owners = {claim.uid: owner_reference(claim.key.name, claim.uid, controller=False) for claim in claims}
        for key, uid in self._living(ref, known):
            if self._context.claims.keeps(key, ref):
                owners.setdefault(uid, owner_reference(key.name, uid, controller=False))
        return owners

    async def _give_up(self, ref: Ref, known: Entry) -> None:
        """Delete what no policy wishes for; what somebody else owns besides them is left to that owner."""
        if others := _others(known):
            await self._context.writer.leave_to(ref, {owner.uid for owner in others})
        else:
            await self._context.writer.delete(ref, known)

    def _turned_away(self, ref: Ref, known: Entry) -> bool:
        """Whether a policy that lives, and owns the object, has no wish for it any more.

        What policies that are gone have left is the garbage collector's, or was orphaned on purpose.
        """
        return any(self._living(ref, known))

    def _living(self, ref: Ref, known: Entry | None) -> Iterator[tuple[PolicyKey, str]]:
        """The policies among an object's owners that exist and are not being deleted, with their uids."""
        for owner in known.written.owners if known and known.written else ():
            key = PolicyKey(ref.namespace, owner.name)
            if (policy := self._context.policy(key)) and policy.uid == owner.uid:
                yield key, owner.uid

    async def _wanted(self, claims: list[Claim]) -> bool:
        """Whether any policy still exists: else the garbage collector took the object, with the last one."""
        for claim in claims:
            if await self._context.writer.still_there(claim.key, claim.uid):
                return True
        return False

    def _differs(self, claim: Claim, known: Entry | None, owners: dict[str, Any]) -> str | None:
        """Where the object differs from what is wished for."""
        if known and known.written:
            others = {owner.uid for owner in _others(known)}
            if {owner.uid for owner in known.written.owners} - others != set(owners):
                return OWNERS
        return self._corrections.differs(claim.item, known)

    async def _apply(
        self, ref: Ref, claims: list[Claim], owners: list[dict[str, Any]], known: Entry | None
    ) -> Entry:
        try:
            made = await self._context.writer.apply(claims[0].item, owners, known)
        except ApiError as error:
            found = classify(error)
            if found is Classified.CONFLICT:
                await self._context.writer.reread(ref)
            else:
                reason = Reason.FORBIDDEN if found is Classified.WAIT else Reason.WRITE_FAILED
                self._say(ref, claims, Verdict(False, reason, str(error)))
            raise
        self._say(ref, claims, None)
        self._wake(ref, claims, owners, known)
        log.info("wrote %s for its policies: %d", ref, len(owners), extra={"route": str(ref)})
        return made

    def _wake(self, ref: Ref, claims: list[Claim], owners: list[dict[str, Any]], known: Entry | None) -> None:
        """Have those look again who waited for the object, and those who have given it up.

        The event of our own write wakes nobody: its answer is known by then.
        """
        uids = {owner["uid"] for owner in owners}
        gone = [key for key, uid in self._living(ref, known) if uid not in uids]
        for key in (*gone, *(claim.key for claim in claims if known is None)):
            self._context.queue.add(key)

    def _say(self, ref: Ref, claims: list[Claim], verdict: Verdict | None) -> None:
        """Have the policies say in Routed that the object cannot be written, or no longer say it."""
        if self._context.unwritten.get(ref) == verdict:
            return
        if verdict:
            self._context.unwritten[ref] = verdict
        else:
            self._context.unwritten.pop(ref, None)
        for claim in claims:
            self._context.queue.add(claim.key)

    def _tell_others(self, ref: Ref, claims: list[Claim]) -> None:
        """Have the policies look again whose verdict depends on whose wish counts."""
        canonical = claims[0].item.canonical
        agreed = all(claim.item.canonical == canonical for claim in claims)
        if self._winner.get(ref) != canonical and not (agreed and ref not in self._winner):
            for claim in claims:
                self._context.queue.add(claim.key)
        self._winner[ref] = canonical


def _others(known: Entry) -> tuple[Owner, ...]:
    """The owners of an object that are no policies: who set them sees to them."""
    owners = known.written.owners if known.written else ()
    return tuple(owner for owner in owners if owner.kind != ROUTING_POLICY.kind)
