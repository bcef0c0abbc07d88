"""Writes the objects that several policies render, once for all of them.

One field manager's apply replaces its whole list of owners, so policies that each applied a shared
object would drop each other from it for ever. Here one apply carries the owners of all.
"""

import logging
from typing import Any

from turnout.decision.drift import difference, shared_foreign
from turnout.decision.objects import Entry
from turnout.decision.render import owner_reference
from turnout.plugin import Ref
from turnout.runtime.claims import Claim
from turnout.runtime.contention import Contention
from turnout.runtime.context import Context
from turnout.runtime.errors import ApiError, classify
from turnout.runtime.errors import Verdict as Classified
from turnout.runtime.keys import PolicyKey, SharedKey

log = logging.getLogger(__name__)

SOON = 0.2
"""Seconds until a look at whether all policies are known."""


class SharedReconciler:
    """The oldest policy's wish is what is written; the others own it too."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._contention = Contention()
        self._normal: dict[Ref, tuple[bytes, bytes]] = {}
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
            if known and not owners:
                await self._context.writer.delete(key.ref, known)
            return None
        self._tell_others(key.ref, claims)
        if known and not self._differs(claims[0], known, owners):
            return None
        now = self._context.clock.monotonic()
        if known and known.written and {owner.uid for owner in known.written.owners} == set(owners):
            if wait := self._contention.wait(key.ref, now):
                return wait
            self._contention.corrected(key.ref, now)
            log.warning("%s was changed by someone else and is put back", key.ref)
        await self._apply(key.ref, claims[0], list(owners.values()), known)
        return None

    def _owners(self, ref: Ref, claims: list[Claim], known: Entry | None) -> dict[str, dict[str, Any]]:
        """Owner references by uid: of all who wish for it, and of owners whose wish is not known now."""
        owners = {claim.uid: owner_reference(claim.key.name, claim.uid, controller=False) for claim in claims}
        for owner in known.written.owners if known and known.written else ():
            key = PolicyKey(ref.namespace, owner.name)
            policy = self._context.policy(key)
            if policy and policy.uid == owner.uid and not self._context.claims.decided(key):
                owners.setdefault(owner.uid, owner_reference(owner.name, owner.uid, controller=False))
        return owners

    def _differs(self, claim: Claim, known: Entry, owners: dict[str, Any]) -> bool:
        if known.written is None or {owner.uid for owner in known.written.owners} != set(owners):
            return True
        differs = difference(claim.item, known)
        normal = self._normal.get(claim.item.ref) == (claim.item.canonical, known.written.body)
        return differs is not None and (not normal or differs.startswith("metadata"))

    async def _apply(self, ref: Ref, claim: Claim, owners: list[dict[str, Any]], known: Entry | None) -> None:
        try:
            made = await self._context.writer.apply(claim.item, owners, known)
        except ApiError as error:
            if classify(error) is Classified.CONFLICT:
                await self._context.writer.reread(ref)
            raise
        self._normal[ref] = (claim.item.canonical, made.written.body if made.written else b"")
        log.info("wrote %s for its policies: %d", ref, len(owners), extra={"route": str(ref)})

    def _tell_others(self, ref: Ref, claims: list[Claim]) -> None:
        """Have the policies look again whose verdict depends on whose wish counts."""
        canonical = claims[0].item.canonical
        agreed = all(claim.item.canonical == canonical for claim in claims)
        if self._winner.get(ref) != canonical and not (agreed and ref not in self._winner):
            for claim in claims:
                self._context.queue.add(claim.key)
        self._winner[ref] = canonical
