"""Brings a policy's routes to what was decided, and removes what they replace."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from turnout.decision.assess import Assessment
from turnout.decision.decide import Outcome
from turnout.decision.declare import Admitted
from turnout.decision.render import Rendered
from turnout.decision.stored import Carried
from turnout.plugin import Ref, Role
from turnout.plugin.reading import items
from turnout.reasons import Reason
from turnout.runtime.carried import CarriedPlans
from turnout.runtime.context import Context
from turnout.runtime.errors import ApiError, classify
from turnout.runtime.errors import Verdict as Classified
from turnout.runtime.failures import Failures
from turnout.runtime.interests import Interests
from turnout.runtime.keys import PolicyKey
from turnout.runtime.moves import LeftOver, Moves, under_way
from turnout.runtime.report import VALID, Report
from turnout.runtime.routes import Routes, Written
from turnout.runtime.store import Document
from turnout.status import Verdict, routes, same

_CARRIED = (Reason.IN_FORCE, Reason.SHARED_CONFLICT)
"""The routes are written, and nothing says that the network does not take them."""


@dataclass(frozen=True, slots=True)
class Turn:
    """One reconcile of an accepted policy.

    `listed`: what its status lists; `stranded`: the rest of that, of routers that are not here. `carried`:
    what calls go by. `hurried`: what moves traffic comes first, and the rest has another turn. `keeps`: the
    policy has a router or an environment that cannot be used yet; `admitted` is with the router of before,
    and nothing is removed.
    """

    key: PolicyKey
    document: Document
    admitted: Admitted
    listed: frozenset[Ref]
    stranded: Sequence[Mapping[str, Any]]
    hurried: bool
    carried: Carried | None = None
    keeps: bool = False


class Routing:
    """Acts on decisions."""

    def __init__(
        self,
        context: Context,
        routes: Routes,
        moves: Moves,
        interests: Interests,
        failures: Failures,
        carried: CarriedPlans,
    ) -> None:
        self._context = context
        self._routes = routes
        self._moves = moves
        self._interests = interests
        self._failures = failures
        self._carried = carried

    async def route(self, turn: Turn, assessment: Assessment, outcome: Outcome) -> Report | None:
        """Write what differs. None for a policy that is gone."""
        key, accepted = turn.key, turn.admitted.accepted
        assessment, first, later = await self._moves.before_shared(accepted, assessment, turn.carried)
        try:
            document = await self._foretell(turn, assessment, outcome)
        except ApiError as error:
            return self._failures.not_written(assessment, error)
        if document.uid != accepted.policy.uid:
            return None  # another one of its name, whose own event is on its way
        left = self._moves.left_over(key, accepted, assessment.rendered, turn.listed)
        self._moves.keep(key, left)
        self._interests.decided(key, accepted, assessment, left)
        for ref in turn.listed.difference(left.own, (item.ref for item in assessment.rendered)):
            self._routes.disown(ref)
        former = await self._moves.follow(key, accepted, outcome, left, turn.listed)
        try:
            written = await self._routes.write(
                key,
                document,
                accepted.policy,
                assessment.rendered,
                turn.listed,
                former=former,
                routes_only=turn.hurried,
            )
            if written is None:
                return None
            if not assessment.rendered:  # the router cannot carry what is in force: that stays where it is
                stays = under_way(accepted, outcome, left) or Verdict(True, Reason.GATED)
                return Report(VALID, stays, assessment, left=left.refs)
            self._note(turn, assessment, outcome, written, following=bool(former))
            awaited = self._moves.awaited(assessment.rendered) if left.refs else ""
            if turn.keeps or not left.refs or awaited or written.verdict.reason not in _CARRIED:
                self._moves.halt(key)
            elif not turn.hurried:
                later = await self._moves.remove(key, left)
        except ApiError as error:
            return await self._not_written(turn, assessment, former, left, error)
        verdict = written.verdict
        if verdict.value and first:
            names = ", ".join(map(str, first))
            verdict = Verdict(True, Reason.MOVING, f"the routes follow once it has arrived: {names}")
        elif verdict.value:
            verdict = under_way(accepted, outcome, left, awaited) or self._stranded(turn) or verdict
        asked = outcome.requeue_after.total_seconds() if outcome.requeue_after else None
        waits = [seconds for seconds in (asked, written.again, later) if seconds is not None]
        return Report(VALID, verdict, assessment, min(waits, default=None), left=left.refs)

    async def _not_written(
        self,
        turn: Turn,
        assessment: Assessment,
        former: Iterable[Rendered],
        left: LeftOver,
        error: ApiError,
    ) -> Report:
        """Calls go on by what the routes say now; those that someone else has changed are read anew."""
        if former and (carried := self._by_routes(turn)):
            self._context.in_force.decided(turn.key, carried.plan, wrote=True)
        if classify(error) is Classified.CONFLICT:
            for ref in {item.ref for item in (*assessment.rendered, *former) if item.role is not Role.SHARED}:
                await self._context.writer.reread(ref)
        return replace(self._failures.not_written(assessment, error), left=left.refs)

    async def _foretell(self, turn: Turn, assessment: Assessment, outcome: Outcome) -> Document:
        """Say in the status what has to be known there before the routes move.

        The strategy's state, and, in a move, objects of a kind that the policy had none of: who comes later,
        with another router, finds them by the status alone.
        """
        document, status = turn.document, dict(turn.document.status)
        kinds = {ref.kind for ref in turn.listed}
        own = [item.ref for item in assessment.rendered if item.role is not Role.SHARED]
        policy, moves = turn.admitted.accepted.policy, not {ref.kind for ref in own} <= kinds
        if kinds and moves and not self._routes.conflict(turn.key, policy, assessment.rendered):
            fresh = [ref for ref in own if ref not in turn.listed]
            said = routes([(ref, await self._context.writer.api_version(ref.kind)) for ref in fresh])
            status["routes"] = [*items(status.get("routes")), *said]
        status["strategyState"] = dict(outcome.strategy_state)
        # What is empty is left out: an applied {} where there was something becomes null.
        status = {name: value for name, value in status.items() if value}
        if same(status, document.status):
            return document
        return await self._context.writer.policy_status(turn.key, document, status)

    def _stranded(self, turn: Turn) -> Verdict | None:
        """What a router has left that is not there any more, or whose objects may not be read any more."""
        if turn.stranded:
            names = ", ".join(
                f"{one.get('kind')} {one.get('namespace')}/{one.get('name')}" for one in turn.stranded
            )
            told = f"stays, as no installed router writes such a kind; its own would remove it: {names}"
            return Verdict(True, Reason.MOVING, told)
        others = (ref for ref in turn.listed if ref.kind not in turn.admitted.accepted.router.writes)
        for ref in sorted(others, key=str):
            if obstacle := self._context.kinds.obstacle(((ref.kind, ref.namespace),)):
                return Verdict(True, Reason.MOVING, f"{ref} may be left over: {obstacle.message}")
        return None

    def _by_routes(self, turn: Turn) -> Carried | None:
        """What calls go by, as the routes say it now."""
        return self._carried.of(turn.key, turn.document, turn.admitted.accepted)

    def _note(
        self, turn: Turn, assessment: Assessment, outcome: Outcome, written: Written, *, following: bool
    ) -> None:
        """Note what is in force now, and tell of it.

        `following`: the routes of before are kept up, and calls go by them until the new ones are taken.
        """
        taken = written.verdict.reason in _CARRIED
        if following and not taken:
            outcome = replace(outcome, carried=self._by_routes(turn))
        elif not taken and written.verdict.reason not in (Reason.REFUSED_BY_NETWORK, Reason.PENDING):
            return
        if outcome.plan is None:
            return
        self._context.in_force.decided(turn.key, outcome.plan, wrote=written.moved)
        if written.moved:
            self._context.shifts.tell(turn.key, turn.document.uid, assessment.in_force, outcome)
