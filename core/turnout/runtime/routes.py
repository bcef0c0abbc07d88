"""Makes the routes in the cluster those that were decided."""

import logging
from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from enum import Enum, auto

from turnout.decision.drift import foreign, shared_foreign
from turnout.decision.objects import Entry
from turnout.decision.render import Rendered, owner_reference
from turnout.plugin import Policy, Ref, Role
from turnout.reasons import Reason
from turnout.runtime.claims import Claim
from turnout.runtime.context import Context
from turnout.runtime.corrections import Corrections
from turnout.runtime.errors import ApiError, classify
from turnout.runtime.errors import Verdict as Classified
from turnout.runtime.keys import PolicyKey, SharedKey
from turnout.runtime.store import Document
from turnout.status import Verdict

log = logging.getLogger(__name__)

GATHER = 0.1
"""Seconds in which wishes for a shared object are gathered before it is written."""


@dataclass(frozen=True, slots=True)
class Written:
    """What came of it: the condition Routed, whether a route was written, and when to come again."""

    verdict: Verdict
    moved: bool = False
    again: float | None = None


class _Step(Enum):
    """What came of one object. GONE: its policy is."""

    SAME = auto()
    WRITTEN = auto()
    GONE = auto()


@dataclass(frozen=True, slots=True)
class _Request:
    """Whose objects are written. `listed`: by the policy's status; `seen`: known here before."""

    key: PolicyKey
    document: Document
    policy: Policy
    listed: AbstractSet[Ref]
    seen: AbstractSet[Ref]


class Routes:
    """Writes for one policy at a time; several policies may be under way at once."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._corrections = Corrections(context.recorder)
        self._owner: dict[Ref, PolicyKey] = {}
        self._unmade: set[Ref] = set()
        """What could not be created yet, though the status may list it."""

    async def write(
        self,
        key: PolicyKey,
        document: Document,
        policy: Policy,
        rendered: tuple[Rendered, ...],
        listed: AbstractSet[Ref],
        *,
        former: Sequence[Rendered] = (),
        routes_only: bool = False,
    ) -> Written | None:
        """Write what differs. `listed`: the objects that were written before, by the policy's status.

        None for a policy that has turned out to be gone: its own event is on its way.

        `former`: objects of a router that the policy has left, which are kept up as far as they may be
        written; the verdict is not about them. `routes_only`: what moves traffic, and nothing else.

        Raises ApiError and ConnectionFailed; what was written by then stays, and is right.
        """
        own = [item for item in rendered if item.role is not Role.SHARED]
        if conflict := self.conflict(key, policy, rendered):
            own = []
        seen = {item.ref for item in own if item.ref in self._owner}
        request = _Request(key, document, policy, listed, seen)
        for item in (*former, *own):
            self._owner[item.ref] = key
        if not conflict:
            self._claim(key, document, (item for item in rendered if item.role is Role.SHARED))
        moved, contended = False, None
        if routes_only:
            former, own = ([item for item in items if item.role is Role.ROUTE] for items in (former, own))
        for item in former:
            moved = await self._follow(item, request) or moved
        for item in own:
            step = await self._bring(item, request)
            if step is _Step.GONE:
                return None
            if isinstance(step, Written):
                contended = step
            moved = moved or (step is _Step.WRITTEN and item.role is Role.ROUTE)
        if conflict:
            return Written(Verdict(False, Reason.CONFLICT, conflict), moved)
        if contended:
            return replace(contended, moved=moved)
        return Written(self._verdict(key, rendered), moved)

    async def _follow(self, item: Rendered, request: _Request) -> bool:
        """Keep up a route of before, as far as it may be written. Whether it was."""
        try:
            return await self._bring(item, request) is _Step.WRITTEN and item.role is Role.ROUTE
        except ApiError as error:
            if classify(error) not in (Classified.WAIT, Classified.TERMINAL):
                raise
            about = {"policy": str(request.key), "route": str(item.ref)}
            log.warning("%s: the former routes do not follow: %s", request.key, error, extra=about)
            return False

    async def _bring(self, item: Rendered, request: _Request) -> _Step | Written:
        """Write an object if it differs. What to say instead, while someone keeps changing it."""
        known = self._context.store.look(item.ref)
        differs = self._differs(item, known, request.policy)
        if differs is None:
            return _Step.SAME
        now, corrects = self._context.clock.monotonic(), self._is_correction(item, known, request)
        if corrects:
            if wait := self._corrections.contention.wait(item.ref, now):
                told = f"{item.ref} keeps being changed at {differs}; next try in {wait:.0f} s"
                return Written(Verdict(False, Reason.CONTENDED, told), again=wait)
            # It has vanished before our eyes: by the garbage collector, whose event may come before
            # the policy's own? At start nothing can have, and a policy asked about costs a call each.
            vanished = known is None and item.ref in request.seen
            if vanished and not await self._context.writer.still_there(request.key, request.policy.uid):
                return _Step.GONE
        elif known is None:
            self._unmade.add(item.ref)
        made = await self._context.writer.apply(item, _owners(request.policy), known)
        if corrects:
            self._corrections.corrected(request.key, request.document.uid, item, differs, now)
        self._unmade.discard(item.ref)
        self._corrections.applied(item, made)
        return _Step.WRITTEN

    def drifted(self, policy: Policy, rendered: tuple[Rendered, ...]) -> bool:
        """Whether anything would be written."""
        return any(
            self._differs(item, self._context.store.look(item.ref), policy)
            for item in rendered
            if item.role is not Role.SHARED
        )

    def disown(self, ref: Ref) -> None:
        """An object is no longer written for anybody."""
        self._owner.pop(ref, None)
        self._unmade.discard(ref)
        self._corrections.forget(ref)

    def forget(self, key: PolicyKey) -> None:
        """The policy is gone; the garbage collector takes what it owned."""
        for ref in [ref for ref, owner in self._owner.items() if owner == key]:
            self.disown(ref)
        for ref in self._context.claims.forget(key) if self._context.claims.decided(key) else ():
            self._context.queue.add_after(SharedKey(ref), GATHER)

    def conflict(self, key: PolicyKey, policy: Policy, items: Iterable[Rendered]) -> str | None:
        """Why a policy may not write its own objects: one of them is somebody else's."""
        for item in items:
            if item.role is Role.SHARED:
                continue
            known = self._context.store.look(item.ref)
            if known and (whose := foreign(known, policy)):
                return f"{item.ref} exists and is {whose}; it is left alone until it is gone or renamed"
            other = self._owner.get(item.ref, key)
            if other != key and self._context.policy(other):
                return f"{item.ref} is written by policy {other}, which has the same model name"
        return None

    def _claim(self, key: PolicyKey, document: Document, shared: Iterable[Rendered]) -> None:
        claims = (Claim(document.created, key, document.uid, item) for item in shared)
        # At its first decision it may no longer want what it is an owner of.
        first = not self._context.claims.decided(key)
        owned = self._context.store.owned_with_others(key, document.uid) if first else ()
        for ref in self._context.claims.replace(key, claims).union(owned):
            self._context.queue.add_after(SharedKey(ref), GATHER)

    def _differs(self, item: Rendered, known: Entry | None, policy: Policy) -> str | None:
        if known and known.written and not known.written.owned_by(policy.uid):
            return "metadata.ownerReferences"
        return self._corrections.differs(item, known)

    def _is_correction(self, item: Rendered, known: Entry | None, request: _Request) -> bool:
        """Whether someone else changed it, rather than that something else was decided."""
        document = request.document
        if document.status.get("observedGeneration") != document.generation:
            return False
        if known is None or known.written is None:
            return item.ref in request.listed and item.ref not in self._unmade
        return known.written.plan == item.plan

    def _verdict(self, key: PolicyKey, rendered: Iterable[Rendered]) -> Verdict:
        for item in rendered:
            known = self._context.store.look(item.ref)
            if item.role is Role.SHARED:
                if verdict := self._shared_verdict(key, item, known):
                    return verdict
            elif known and known.written and known.written.refusal:
                return Verdict(False, Reason.REFUSED_BY_NETWORK, f"{item.ref}: {known.written.refusal}")
            elif known and known.written and known.written.pending:
                return Verdict(None, Reason.PENDING, f"{item.ref}: {known.written.pending}")
        return Verdict(True, Reason.IN_FORCE, "")

    def _shared_verdict(self, key: PolicyKey, item: Rendered, known: Entry | None) -> Verdict | None:
        """What is wrong with a shared object, for a policy that wants it."""
        if known and shared_foreign(known):
            return None
        first = self._context.claims.first(item.ref)
        if first and first.key != key and first.item.canonical != item.canonical:
            told = f"policy {first.key} is older and wants another {item.ref}; that one is in force"
            return Verdict(False, Reason.SHARED_CONFLICT, told)
        return self._context.unwritten.get(item.ref)


def _owners(policy: Policy) -> list[dict[str, object]]:
    return [owner_reference(policy.name, policy.uid, controller=True)]
