"""Lets a deleted version go once no proxy can still send it calls, and at the latest after a limit."""

import logging
from dataclasses import dataclass

from turnout.decision.join import protects
from turnout.decision.objects import Entry
from turnout.plugin import Ref
from turnout.reasons import Reason
from turnout.runtime.context import Context
from turnout.runtime.errors import ApiError, classify
from turnout.runtime.errors import Verdict as Classified
from turnout.runtime.events import Event, about_policy
from turnout.runtime.keys import DrainKey, PolicyKey

log = logging.getLogger(__name__)

SOON = 1.0
"""Seconds until a look at what is not known yet."""
HELD = "held until no route leads here any more and calls in flight have ended"
TO_MOVE = 10.0
"""Seconds that the routes may take to move once a deletion is seen: at a start all has to be read first."""


@dataclass(slots=True)
class _Deletion:
    """When the deletion of a version began, and when it was first seen, on the monotonic clock."""

    uid: str
    began: float
    first: float
    timed_out: bool = False


class DrainReconciler:
    """Takes the finalizer off: of deleted versions when it is time, of others when no policy names them."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._seen: dict[Ref, _Deletion] = {}

    async def reconcile(self, key: DrainKey) -> float | None:
        """Returns the seconds after which to come again, if so. Raises ApiError and ConnectionFailed."""
        known = self._context.store.look(key.ref)
        if known is None or not protects(known):
            self._forget(key.ref)
            return None
        wait = self._wait(key.ref, known)
        if wait is None:
            return None
        if wait > 0:
            if known.deleting:
                self._context.recorder.record(Event(key.ref, known.uid, Reason.DRAINING, HELD))
            return wait
        await self._release(key.ref, known)
        return None

    def under_way(self) -> list[float]:
        """For how many seconds each of the deleted versions has been held."""
        now, look = self._context.clock.monotonic(), self._context.store.look
        held = ((one, look(ref)) for ref, one in self._seen.items())
        return [now - one.began for one, known in held if known and known.uid == one.uid and protects(known)]

    def _forget(self, ref: Ref) -> None:
        self._seen.pop(ref, None)
        self._context.leaving.pop(ref, None)

    def _wait(self, ref: Ref, known: Entry) -> float | None:
        """Seconds until the object may go; None to leave it until something changes."""
        if not self._context.assessor.settings.drain.enabled:
            return 0.0
        named = self._context.index.policies(ref)
        naming = {key for key in named if self._context.policy(key)}
        routing = self._context.in_force.leading_to(known.uid) | (named & self._context.foreign)
        policies = sorted(naming | routing | self._context.leaving.get(ref, set()), key=str)
        limit = self._left_of_limit(ref, known, policies)
        if known.deleting and limit <= 0:
            self._seen[ref].timed_out = True
            self._tell_timed_out(ref, known, policies)
            return 0.0
        if not self._context.settled:
            return SOON
        if (known.deleting is None and naming) or not self._mine(known):
            return None
        waits = [self._wait_for(policy, known) for policy in policies]
        longest = max((wait for wait in waits if wait is not None), default=0.0)
        if known.deleting:
            return limit if None in waits else min(limit, longest)
        if None in waits:
            # Until the routes of these have moved: the reconcile that moves them wakes it.
            self._context.leaving[ref] = set(policies)
            return None
        return longest

    def _mine(self, known: Entry) -> bool:
        """Whether the finalizer can be there only for policies that this controller would know of."""
        namespaces = self._context.namespaces
        return namespaces is None or not known.drain_for or known.drain_for in namespaces

    def _wait_for(self, key: PolicyKey, known: Entry) -> float | None:
        """Seconds until no proxy sends calls of this policy to the version; None while routes lead to it."""
        context = self._context
        policy, state = context.policy(key), context.in_force.get(key)
        if key in context.foreign if policy is None else not context.serves(policy):
            return None
        if policy is None and (state is None or not (state.plan is None or context.in_force.routes(key))):
            return 0.0
        if state is None or state.routes_to(known.uid):
            return None
        return context.in_force.left(key)

    def _left_of_limit(self, ref: Ref, known: Entry, policies: list[PolicyKey]) -> float:
        """Seconds until the limit of a deletion.

        One from while no controller ran leaves the routes the time to move, however long ago it was.
        """
        context = self._context
        drain, now = context.assessor.settings.drain, context.clock.monotonic()
        seen = self._seen.get(ref, _Deletion(known.uid, now, now))
        if known.deleting and (ref not in self._seen or seen.uid != known.uid):
            ago = max(0.0, (context.clock.now() - known.deleting).total_seconds())
            seen = self._seen[ref] = _Deletion(known.uid, now - ago, now)
        states = [context.in_force.get(policy) for policy in policies]
        routers = context.assessor.registry.routers.values()
        slowest = max((drain.propagation(one.plugin).total_seconds() for one in routers), default=0.0)
        waits = [state.propagation if state else slowest for state in states]
        move = TO_MOVE + max(waits, default=0.0) + drain.in_flight.total_seconds()
        limit = drain.limit(move)
        return max(seen.began + limit, seen.first + min(limit, move)) - now

    def _tell_timed_out(self, ref: Ref, known: Entry, policies: list[PolicyKey]) -> None:
        names = ", ".join(map(str, policies)) or "policies that are not known yet"
        told = f"{ref} is let go: its deletion has waited as long as it may; calls of {names} may fail"
        log.warning(told, extra={"version": str(ref)})
        self._context.recorder.record(Event(ref, known.uid, Reason.DRAIN_TIMED_OUT, told, warning=True))

    def _tell_released(self, key: PolicyKey, ref: Ref) -> None:
        if policy := self._context.policy(key):
            about = about_policy(key.namespace, key.name)
            told = f"{ref} is let go: nothing calls it any more"
            self._context.recorder.record(Event(about, policy.uid, Reason.RELEASED, told))

    async def _release(self, ref: Ref, known: Entry) -> None:
        try:
            await self._context.writer.release(ref, known)
        except ApiError as error:
            if error.status == 404 and not error.kind_missing:
                self._context.store.put(ref, None)
            elif classify(error) is Classified.CONFLICT or error.status == 422:
                if await self._context.writer.reread(ref):
                    self._context.queue.add_after(DrainKey(ref), SOON / 10)
                return
            else:
                raise
        policies = self._context.index.policies(ref) | self._context.leaving.get(ref, set())
        if seen := self._seen.get(ref):
            self._context.observer.released(timed_out=seen.timed_out)
            for key in () if seen.timed_out else policies:
                self._tell_released(key, ref)
        self._forget(ref)
        log.info("%s released", ref, extra={"version": str(ref)})
        # The answer came before the event, which then changes nothing.
        for key in self._context.index.policies(ref):
            self._context.queue.add(key)
