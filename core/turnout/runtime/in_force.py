"""Where the routes of policies lead calls, and since when: what keeps deleted versions protected."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from turnout.decision.stored import routed_uids
from turnout.plugin import Ref, RoutePlan, Router
from turnout.runtime.clock import Clock
from turnout.runtime.keys import PolicyKey
from turnout.runtime.probing import EVERY, Bodies, Probing, Said
from turnout.runtime.store import Store
from turnout.settings import Drain


@dataclass(frozen=True, slots=True)
class InForce:
    """What a policy's routes say, and when the last write of them was accepted.

    `written`: on the monotonic clock; None for a write before this process began. `propagation`:
    seconds until proxies follow. `routes`: the objects that carry the plan. `others`: the versions to
    which some of these lead by another plan, half-written or of a former router. `opaque`: there are
    routes, and what they say cannot be read; they may lead anywhere. `stranded`: so may others beside them,
    of a router that is not installed.
    """

    plan: RoutePlan | None = None
    written: float | None = None
    propagation: float = 0.0
    routes: tuple[Ref, ...] = ()
    opaque: bool = False
    others: frozenset[str] = frozenset()
    stranded: bool = False

    @property
    def uids(self) -> frozenset[str]:
        """The objects of versions to which calls may be sent."""
        versions = self.plan.versions() if self.plan else ()
        return self.others.union(uid for version in versions for uid in (version.uid, *version.other_uids))

    def routes_to(self, uid: str) -> bool:
        """Whether calls may still be sent to the version that the object of that uid is part of."""
        return self.opaque or self.stranded or uid in self.uids


class RoutesInForce:
    """What is in force, by policy. Nothing is known of a policy before its routes have been read."""

    def __init__(self, store: Store, clock: Clock, drain: Drain, probing: Probing) -> None:
        self._store = store
        self._clock = clock
        self._drain = drain
        self._probing = probing
        self._known: dict[PolicyKey, InForce] = {}

    def get(self, key: PolicyKey) -> InForce | None:
        """What is known of a policy's routes. A policy that is gone may have left some behind."""
        return self._known.get(key)

    def plan(self, key: PolicyKey) -> RoutePlan | None:
        """The plan that a policy's routes carry."""
        return self._known.get(key, InForce()).plan

    def routes(self, key: PolicyKey) -> tuple[Ref, ...]:
        """The objects that carry a policy's plan, or did until someone removed it from all of them."""
        last = self._known.get(key, InForce()).routes
        return self._store.routes(key) or tuple(ref for ref in last if self._store.look(ref))

    def leading_to(self, uid: str) -> set[PolicyKey]:
        """The policies whose routes may send calls to the version that the object of that uid is part of."""
        return {key for key, state in self._known.items() if state.routes_to(uid)}

    def since_written(self, key: PolicyKey) -> float | None:
        """Seconds since a policy's routes were last written; None if there are none."""
        state = self._known.get(key, InForce())
        if state.written is not None:
            return self._clock.monotonic() - state.written
        stamps = [
            entry.written.written_at
            for ref in self._store.routes(key)
            if (entry := self._store.look(ref)) and entry.written and entry.written.written_at
        ]
        if not stamps:
            return None
        # By the API server's clock, which may be ahead of ours (then the write counts as just made), and
        # in whole seconds: it may have been made at the end of that one.
        return max(0.0, (self._clock.now() - max(stamps)).total_seconds() - 1.0)

    def left(self, key: PolicyKey, taken: float | None = None) -> float:
        """Seconds until calls that went by an earlier state of a policy's routes have ended.

        By the word of probes; by time where they cannot tell. While they are asked, or a proxy is
        behind: those until this has to be called again. `taken`: when the network took the routes, on the
        monotonic clock, where it says so; it may have been long after they were written.
        """
        since = self.since_written(key)
        if since is None:
            return 0.0
        if taken is not None:
            since = min(since, self._clock.monotonic() - taken)
        in_flight = self._drain.in_flight_seconds
        by_time = max(0.0, self._known.get(key, InForce()).propagation + in_flight - since)
        self._follow(key)
        answer = self._probing.answer(key)
        if answer is None:
            return by_time
        if answer.said in (Said.ASKING, Said.BEHIND):
            return EVERY
        if answer.said is Said.UNKNOWN:
            return min(by_time, EVERY)
        carried = max(0.0, answer.since + in_flight - self._clock.monotonic())
        return carried if answer.late else min(by_time, carried)

    def read(
        self,
        key: PolicyKey,
        plan: RoutePlan | None,
        routers: Iterable[Router[Any]],
        *,
        stranded: bool = False,
    ) -> None:
        """Note what the routes in the cluster say. `routers`: those that may have written them."""
        before = self._known.get(key)
        last = before or InForce()
        routes = self.routes(key)
        opaque = plan is None and bool(routes)
        if opaque and last.plan:
            plan, opaque = last.plan, False  # someone has spoilt the annotation, not the routes
        slowest = [self._drain.propagation(router).total_seconds() for router in routers]
        propagation = max(slowest, default=last.propagation)
        found = InForce(plan, last.written, propagation, routes, opaque, self._others(routes), stranded)
        if before and before.uids != found.uids:
            # A write whose answer was lost, or that failed half-way: it counts from now at the latest.
            found = replace(found, written=self._clock.monotonic())
        self._known[key] = found
        self._follow(key)

    def decided(self, key: PolicyKey, plan: RoutePlan, *, wrote: bool) -> None:
        """Note that the routes in the cluster are the decided ones; `wrote`: since just now."""
        last = self._known.get(key, InForce())
        written = self._clock.monotonic() if wrote else last.written
        routes = self._store.routes(key)
        others = self._others(routes)
        self._known[key] = replace(
            last, plan=plan, written=written, routes=routes, opaque=False, others=others
        )
        self._follow(key)

    def forget(self, key: PolicyKey) -> float | None:
        """The policy is gone. Returns the seconds after which to call this again, if so.

        Its routes may outlive it: until the garbage collector comes, or, with another policy of that
        name, for good. Once they are gone, what had left them before still has its time to drain.
        """
        state = self._known.get(key)
        if state is None or self.routes(key):
            return None
        self._probing.forget(key)
        drain = state.propagation + self._drain.in_flight_seconds
        left = None if state.written is None else self._clock.monotonic() - state.written
        if left is None or left >= drain:
            del self._known[key]
            return None
        self._known[key] = replace(state, plan=None, opaque=False, others=frozenset())
        return drain - left

    def _others(self, routes: Iterable[Ref]) -> frozenset[str]:
        """Where routes lead that do not all carry the same plan."""
        entries = (self._store.look(ref) for ref in routes)
        texts = {entry.written.plan for entry in entries if entry and entry.written}
        return frozenset[str]().union(*map(routed_uids, texts)) if len(texts) > 1 else frozenset()

    def _follow(self, key: PolicyKey) -> None:
        """Tell the probes which routes there are now."""
        entries = ((ref, self._store.look(ref)) for ref in self.routes(key))
        bodies: Bodies = tuple((ref, one.written.body) for ref, one in entries if one and one.written)
        self._probing.follow(key, bodies, self._known.get(key, InForce()).propagation)
