"""What a policy has left of before: of another router, or of routes that it no longer needs.

It is found by what the status lists, follows what is decided while calls may go by it, and stays until the
routes that replace it have arrived.
"""

import logging
from collections.abc import Collection, Iterable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from typing import Any

from turnout.calling import Calls
from turnout.decision.accept import Accepted
from turnout.decision.assess import Assessment
from turnout.decision.before import as_before, follow, render_before
from turnout.decision.decide import Outcome
from turnout.decision.drift import shared_foreign
from turnout.decision.render import Rendered
from turnout.decision.stored import Carried, load
from turnout.plugin import Ref, Role, Router
from turnout.reasons import Reason
from turnout.runtime.context import Context, Need, Obstacle
from turnout.runtime.keys import PolicyKey, SharedKey
from turnout.runtime.routes import GATHER, Routes
from turnout.status import Verdict

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class LeftOver:
    """Objects that exist, that a policy owns, alone or with others, and that it does not ask for any more."""

    own: frozenset[Ref] = frozenset()
    shared: frozenset[Ref] = frozenset()
    held: str = ""
    """What keeps those of its own that are being deleted."""

    @property
    def refs(self) -> frozenset[Ref]:
        return self.own | self.shared


class Moves:
    """Knows what is left over, keeps it up, and removes it."""

    def __init__(self, context: Context, routes: Routes) -> None:
        self._context = context
        self._routes = routes
        self._taken: dict[PolicyKey, float] = {}
        """When the network was first seen to have taken the routes that replace others."""
        self._followed: dict[PolicyKey, dict[Ref, Carried]] = {}
        """What is kept up of before, by what it carries."""
        self._given_up: dict[PolicyKey, frozenset[Ref]] = {}
        """Shared objects that calls need no more, until they are gone, or their owner is."""
        self._seen: dict[Ref, float] = {}
        """When shared objects that routes are to name were first seen."""

    def writers(self, accepted: Accepted, listed: Collection[Ref]) -> tuple[Router[Any], ...]:
        """The policy's router, and behind it others that may have written what its status lists."""
        router = accepted.router
        former = {ref.kind for ref in listed} - set(router.writes)
        others = [
            loaded.plugin
            for name, loaded in self._context.assessor.registry.routers.items()
            if name != router.name
        ]
        named: set[str] = set()
        if any(not set(router.writes).isdisjoint(other.writes) for other in others):
            carried = (self._carried(ref, accepted) for ref in listed if ref.kind in router.writes)
            named = {one.router for one in carried if one}
        return (router, *(o for o in others if o.name in named or not former.isdisjoint(o.writes)))

    def obstacle(self, key: PolicyKey, needs: Iterable[Need]) -> Obstacle | None:
        """What keeps a policy from relying on kinds of before: only that they are read for the first time."""
        obstacle = self._context.obstacle(key, wanted) if (wanted := frozenset(needs)) else None
        return obstacle if obstacle and obstacle.filling else None

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
        self, key: PolicyKey, accepted: Accepted, rendered: Iterable[Rendered], listed: AbstractSet[Ref]
    ) -> LeftOver:
        """What is left over now. `listed`: by the policy's status."""
        uid, store = accepted.policy.uid, self._context.store
        wanted = {item.ref for item in rendered}
        own = {ref for ref in {*listed, *store.written_for(key)} - wanted if self._only(ref, uid)}
        shared = frozenset(store.owned_with_others(key, uid)) - wanted
        entries = ((ref, store.look(ref)) for ref in sorted(own, key=str))
        held = (f"{ref}: {', '.join(one.finalizers)}" for ref, one in entries if one and one.deleting)
        return LeftOver(frozenset(own), shared, "; ".join(held))

    async def before_shared(
        self, accepted: Accepted, assessment: Assessment, carried: Carried | None
    ) -> tuple[Assessment, tuple[Ref, ...], float | None]:
        """The routes by the options of before, while shared objects that they are to name have not arrived.

        And these, which are written first, with the seconds after which to look again.
        """
        outcome, nothing = assessment.outcome, (assessment, (), None)
        name = accepted.router.name
        if carried is None or carried.router != name or outcome is None or outcome.carried is None:
            return nothing
        if carried.options_of(name) == accepted.config.get(name, {}):
            return nothing
        shared = [item for item in assessment.rendered if item.role is Role.SHARED]
        waits = {item.ref: self._arriving(item.ref, accepted) for item in shared}
        missing = [item for item in shared if waits[item.ref] or self.awaited([item])]
        if not missing:
            return nothing
        decided = outcome.carried
        before = await self.as_before(accepted, carried)
        if before is None:
            return nothing
        rendered = await self._context.guard.run(lambda calls: render_before(decided, before, calls))
        there = {item.ref for item in rendered}
        missing = [item for item in missing if item.ref not in there]
        if not rendered or not missing:
            return nothing
        made = replace(assessment, rendered=(*missing, *rendered))
        again = max((waits[item.ref] for item in missing if waits[item.ref]), default=None)
        return made, tuple(item.ref for item in missing), again

    async def as_before(self, accepted: Accepted, carried: Carried) -> Accepted | None:
        """The policy with the router and the options of its routes, if they are not its own any more."""
        assessor = self._context.assessor
        return await self._context.guard.run(lambda calls: as_before(accepted, carried, assessor, calls))

    async def follow(
        self, key: PolicyKey, accepted: Accepted, outcome: Outcome, left: LeftOver, listed: AbstractSet[Ref]
    ) -> tuple[Rendered, ...]:
        """What was decided, for what is left over of before: calls may still go by it.

        What somebody has deleted of it is made again while the new routes are not taken. `listed`: by the
        policy's status.
        """
        assessor, look = self._context.assessor, self._context.store.look
        last = {} if key in self._taken else self._followed.get(key, {})
        found = {ref: one for ref, one in last.items() if ref in listed and look(ref) is None}
        found |= {ref: one for ref in left.own if (one := self._carried(ref, accepted))}
        if not found:
            self._followed.pop(key, None)
            return ()
        self._followed[key] = found
        kept_up = left.own | found.keys()
        distinct = {repr((one.router, one.environment, one.config)): one for one in found.values()}

        def render(calls: Calls) -> tuple[Rendered, ...]:
            made = (follow(outcome, one, accepted, assessor, look, calls) for one in distinct.values())
            return tuple(item for items in made for item in items if item.ref in kept_up)

        return await self._context.guard.run(render)

    def keep(self, key: PolicyKey, left: LeftOver) -> None:
        """Let shared objects be that calls may still need."""
        given_up = self._given_up.pop(key, frozenset()) & left.shared
        if given_up:
            self._given_up[key] = given_up
        self._context.claims.keep(key, left.shared - given_up)

    def halt(self, key: PolicyKey) -> None:
        """The new routes are not there, or the network has not taken them, or nobody looks."""
        self._taken.pop(key, None)

    def forget(self, key: PolicyKey) -> None:
        """The policy is gone."""
        self.halt(key)
        self._followed.pop(key, None)
        self._given_up.pop(key, None)

    async def remove(self, key: PolicyKey, left: LeftOver) -> float | None:
        """Remove what is left over, once nothing needs it: the seconds until then, None when it is done.

        The network takes what replaces it. Raises ApiError and ConnectionFailed.
        """
        taken = self._taken.setdefault(key, self._context.clock.monotonic())
        if wait := self._context.in_force.left(key, taken):
            return wait
        for ref in left.own:
            if known := self._context.store.look(ref):
                await self._context.writer.delete(ref, known)
                about = {"policy": str(key), "route": str(ref)}
                log.info("%s: removed %s, which is no longer needed", key, ref, extra=about)
            self._routes.disown(ref)
        self.halt(key)
        self._followed.pop(key, None)
        self._context.claims.keep(key, frozenset())
        if left.shared:
            self._given_up[key] = left.shared
        for ref in left.shared:
            self._context.queue.add_after(SharedKey(ref), GATHER)
        return None

    def awaited(self, rendered: Iterable[Rendered]) -> str:
        """The shared objects without which new routes carry nothing: those that are not there or not up."""
        told = []
        for item in rendered:
            known = self._context.store.look(item.ref) if item.role is Role.SHARED else None
            if item.role is Role.SHARED and known is None:
                told.append(f"{item.ref}: it is not there yet")
            elif known and known.written and (why := known.written.refusal or known.written.pending):
                told.append(f"{item.ref}: {why}")
        return "; ".join(told)

    def _arriving(self, ref: Ref, accepted: Accepted) -> float:
        """Seconds until the network knows of a shared object that is there, from when it was first seen."""
        known = self._context.store.look(ref)
        if known is None or shared_foreign(known):
            self._seen.pop(ref, None)
            return 0.0
        now = self._context.clock.monotonic()
        needs = self._context.assessor.settings.drain.propagation(accepted.router).total_seconds()
        return max(0.0, needs - (now - self._seen.setdefault(ref, now)))

    def _carried(self, ref: Ref, accepted: Accepted) -> Carried | None:
        """What one of the policy's routes carries."""
        known = self._context.store.look(ref)
        return load(known.written.plan, accepted.policy) if known and known.written else None

    def _only(self, ref: Ref, uid: str) -> bool:
        """Whether an object is a policy's alone."""
        known = self._context.store.look(ref)
        return bool(known and known.written and known.written.owned_by(uid, controller=True))


def under_way(accepted: Accepted, outcome: Outcome, left: LeftOver, awaited: str = "") -> Verdict | None:
    """What a move still waits for: the versions of the new environment, or the new routes on their way.

    `awaited`: shared objects without which these carry nothing.
    """
    if outcome.held is Reason.MOVING:
        waiting = "; ".join(f"{one.name}: {one.message or one.reason}" for one in outcome.awaited)
        told = f"the routes lead to {outcome.environment} until {accepted.environment.name} can take over"
        told = f"{told}: {waiting}"
        return Verdict(False, Reason.MOVING, told)
    if left.held:
        return Verdict(True, Reason.MOVING, f"being removed, and kept by finalizers of others: {left.held}")
    if left.refs:
        names = ", ".join(sorted(map(str, left.own or left.shared)))
        what = "removed" if left.own else "given up"
        told = f"{what} once the new routes have arrived: {names}"
        return Verdict(True, Reason.MOVING, f"{told}; they wait for {awaited}" if awaited else told)
    return None
