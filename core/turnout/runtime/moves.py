"""What a policy has left of before: of another router, or of routes that it no longer needs.

It is found by what the status lists, and stays until the routes that replace it have arrived.
"""

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from turnout.decision.accept import Accepted
from turnout.decision.decide import Outcome
from turnout.decision.render import Rendered
from turnout.decision.stored import Carried
from turnout.plugin import Kind, Ref, Role, Router
from turnout.reasons import Reason
from turnout.runtime.context import Context, Need, Obstacle
from turnout.runtime.keys import PolicyKey, SharedKey
from turnout.runtime.routes import GATHER, Routes
from turnout.status import Verdict

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class LeftOver:
    """Objects that exist, that a policy owns, alone or with others, and that it does not ask for any more.

    `shared`: those of kinds that its router does not write; of the others somebody else takes care.
    """

    own: frozenset[Ref] = frozenset()
    shared: frozenset[Ref] = frozenset()

    @property
    def refs(self) -> frozenset[Ref]:
        return self.own | self.shared


class Moves:
    """Knows what is left over, and removes it."""

    def __init__(self, context: Context, routes: Routes) -> None:
        self._context = context
        self._routes = routes

    def writers(self, accepted: Accepted, listed: Iterable[Ref]) -> tuple[Router[Any], ...]:
        """The policy's router, and behind it others that write a kind of what its status lists."""
        former = {ref.kind for ref in listed} - set(accepted.router.writes)
        routers = (loaded.plugin for loaded in self._context.assessor.registry.routers.values())
        return (accepted.router, *(router for router in routers if not former.isdisjoint(router.writes)))

    def obstacle(self, key: PolicyKey, needs: Iterable[Need]) -> Obstacle | None:
        """What keeps a policy from relying on kinds of before. One that is not installed does not."""
        obstacle = self._context.obstacle(key, wanted) if (wanted := frozenset(needs)) else None
        return None if obstacle and obstacle.reason is Reason.KIND_NOT_INSTALLED else obstacle

    def former_needs(self, accepted: Accepted, carried: Carried | None) -> frozenset[Need]:
        """The kinds of the environment to which the routes still lead, followed from now on."""
        if carried is None or carried.environment == accepted.environment.name:
            return frozenset()
        loaded = self._context.assessor.registry.environments.get(carried.environment)
        if loaded is None:
            return frozenset()
        self._context.kinds.need(loaded.plugin)
        namespaces = {version.spec.namespace for version in carried.whole.versions()}
        return frozenset((kind, namespace) for kind in loaded.plugin.watches for namespace in namespaces)

    def left_over(
        self, key: PolicyKey, accepted: Accepted, rendered: Iterable[Rendered], listed: set[Ref]
    ) -> LeftOver:
        """What is left over now. `listed`: by the policy's status."""
        uid, store = accepted.policy.uid, self._context.store
        wanted = {item.ref for item in rendered if item.role is not Role.SHARED}
        own = listed.union(store.routes(key)) - wanted
        shared = {ref for ref in store.owned_with_others(key, uid) if ref.kind not in accepted.router.writes}
        return LeftOver(frozenset(ref for ref in own if self._only(ref, uid)), frozenset(shared))

    def keep(self, key: PolicyKey, left: LeftOver, writes: Iterable[Kind]) -> None:
        """Let shared objects be that routes of before may need."""
        kinds = frozenset(ref.kind for ref in left.shared) - frozenset(writes) if left.own else frozenset()
        self._context.claims.keep(key, kinds)

    async def remove(self, key: PolicyKey, accepted: Accepted, left: LeftOver) -> float | None:
        """Remove what is left over, once nothing needs it: the seconds until then, None when it is done.

        Raises ApiError and ConnectionFailed.
        """
        if left.own and (wait := self._context.in_force.left(key)):
            return wait
        for ref in left.own:
            if known := self._context.store.look(ref):
                await self._context.writer.delete(ref, known)
                about = {"policy": str(key), "route": str(ref)}
                log.info("%s: removed %s, which is no longer needed", key, ref, extra=about)
            self._routes.disown(ref)
        self._context.claims.keep(key, frozenset())
        for ref in left.shared:
            self._context.queue.add_after(SharedKey(ref), GATHER)
        return None

    def _only(self, ref: Ref, uid: str) -> bool:
        """Whether an object is a policy's alone."""
        known = self._context.store.look(ref)
        owners = known.written.owners if known and known.written else ()
        return any(owner.uid == uid and owner.controller for owner in owners)


def under_way(accepted: Accepted, outcome: Outcome, left: LeftOver) -> Verdict | None:
    """What a move still waits for: the versions of the new environment, or the new routes on their way."""
    if outcome.held is Reason.MOVING:
        waiting = "; ".join(f"{one.name}: {one.message or one.reason}" for one in outcome.awaited)
        told = f"the routes lead to {outcome.environment} until {accepted.environment.name} can take over"
        told = f"{told}: {waiting}"
        return Verdict(False, Reason.MOVING, told)
    if left.own:
        names = ", ".join(sorted(map(str, left.own)))
        return Verdict(True, Reason.MOVING, f"removed once the new routes have arrived: {names}")
    return None
