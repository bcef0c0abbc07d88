"""Reconciles one policy: gather, decide, act, report.

Every reconcile looks at the whole of what is there; no step depends on having seen an event. Errors
of the API server are classified here: repeated with backoff, waited for, or said in a condition.
"""

from dataclasses import replace

from turnout.decision.accept import Accepted
from turnout.decision.assess import Assessment, listed_routes, unknown_routes
from turnout.decision.before import stay_behind
from turnout.decision.declare import Admitted
from turnout.decision.join import protects
from turnout.decision.shares import split
from turnout.decision.stored import Carried
from turnout.reasons import Reason
from turnout.runtime import story
from turnout.runtime.admission import Admission
from turnout.runtime.carried import CarriedPlans
from turnout.runtime.context import Context, Need, Obstacle, Retry
from turnout.runtime.errors import ApiError
from turnout.runtime.failures import FAILURES, PATIENCE, Failures
from turnout.runtime.gating import Gating, gated
from turnout.runtime.host_wishes import HostWishes
from turnout.runtime.interests import Interests
from turnout.runtime.keys import DrainKey, PolicyKey, WeightsKey
from turnout.runtime.moves import Moves
from turnout.runtime.protection import protect
from turnout.runtime.report import VALID, Report, Reporter
from turnout.runtime.routes import Routes
from turnout.runtime.routing import Routing, Turn
from turnout.runtime.store import Document
from turnout.runtime.transport import ConnectionFailed
from turnout.status import Verdict

BACKLOG = 16
"""With so many policies waiting, all routes come before anything that can wait: statuses, finalizers of
versions that are not ready, objects besides the routes. Each policy then has a second, whole turn."""


class PolicyReconciler:
    """Reconciles policies. `reconcile` is never called twice at once for the same key."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._routes = Routes(context)
        self._moves = Moves(context, self._routes)
        self._interests = Interests(context)
        self._gating = Gating(context)
        self._failures = Failures(context)
        self._hosts = HostWishes(context)
        self.admission = Admission(context, self._failures)
        self._reporter = Reporter(context)
        self._carried = CarriedPlans(context.store)
        self._routing = Routing(
            context, self._routes, self._moves, self._interests, self._failures, self._carried
        )

    async def reconcile(self, key: PolicyKey) -> float | None:
        """Bring a policy's routes and status to what they should be.

        Returns the seconds after which to come again, if so. Raises Retry, ApiError and
        ConnectionFailed for what backoff should repeat.
        """
        document = self._context.policy(key)
        if document is None:
            self._forget(key)
            return None
        admitted = await self.admission.admit(key, document)
        if not self._context.serves(document):
            self._leave_to_others(key, document, admitted)
            return None
        self._context.foreign.discard(key)
        hurried = len(self._context.queue) >= BACKLOG
        try:
            if isinstance(admitted, Admitted):
                report = await self._act(key, document, admitted, hurried)
            else:
                self._hosts.none(key)
                self._context.decided.pop(key, None)
                self._moves.halt(key)
                report = self._failures.not_accepted(key, document, admitted)
        except (ApiError, ConnectionFailed):
            self._context.looked_at(key)  # others need not wait for what cannot be written
            raise
        if report is None:
            return None
        self._context.looked_at(key)
        self._count_failures(key, report)
        self._wake_drains(key)
        if hurried and report.routed.value and report.again is None and not report.retry:
            self._context.queue.add_last(key)
            return None
        later = await self._reporter.write(key, document, report)
        if report.retry:
            raise Retry
        return min((one for one in (report.again, later) if one is not None), default=None)

    def _count_failures(self, key: PolicyKey, report: Report) -> None:
        for verdict in (report.accepted, report.routed):
            if verdict.reason in FAILURES:
                self._context.observer.failed(key, verdict.reason)

    async def _act(
        self, key: PolicyKey, document: Document, admitted: Admitted, hurried: bool
    ) -> Report | None:
        """What to report. None while caches fill, and for a policy that is gone."""
        context, accepted = self._context, admitted.accepted
        listed = frozenset(listed_routes(document.status, context.assessor.registry))
        writers = self._moves.writers(accepted, listed)
        self._interests.admitted(key, accepted, writers)
        routers = {(kind, key.namespace) for router in writers[1:] for kind in router.writes}
        stranded = unknown_routes(document.status, context.assessor.registry)
        turn = Turn(key, document, admitted, listed, stranded, hurried)
        obstacle = context.obstacle(key, _needs(accepted))
        if obstacle and not obstacle.filling and not context.kinds.obstacle(routers):
            return await self._keep_up(turn, obstacle)
        obstacle = obstacle or self._moves.obstacle(key, routers)
        if obstacle is None:
            turn = replace(turn, carried=self._carried.of(key, document, accepted))
            obstacle = self._moves.obstacle(key, self._moves.former_needs(accepted, turn.carried))
        if obstacle:
            if obstacle.filling:
                return None
            self._hosts.none(key)
            return _waits_for(obstacle)
        if taken := self._hosts.taken(key, document, accepted, turn.carried):
            self._moves.halt(key)
            return self._failures.not_accepted(key, document, taken)
        return await self._decide(turn)

    async def _keep_up(self, turn: Turn, obstacle: Obstacle) -> Report | None:
        """What it has goes on as before, of a policy whose new router or environment cannot be used yet."""
        context, key, accepted = self._context, turn.key, turn.admitted.accepted
        self._hosts.none(key)
        self._moves.halt(key)
        report = _waits_for(obstacle)
        made: Report | None = None
        carried = self._carried.of(key, turn.document, accepted)
        if carried is None:
            return report
        before = await self._moves.as_before(accepted, carried) or accepted
        admitted = replace(turn.admitted, accepted=before)
        turn = replace(turn, admitted=admitted, carried=carried, keeps=True)
        left = self._moves.former_needs(accepted, carried)
        still = context.kinds.obstacle(_needs(before)) or self._moves.obstacle(key, left)
        context.waiting[key] = _needs(accepted) | _needs(before) | left
        if still is None:
            made = await self._decide(turn)
        elif still.filling:
            return None
        elif left and not admitted.suspend and not context.kinds.obstacle(_written(before)):
            made = await self._stay_behind(turn, carried)
        if made and not made.routed.value and made.routed.reason is not Reason.MOVING:
            return made  # what is wrong with the routes of before
        return replace(made or report, routed=report.routed)

    async def _stay_behind(self, turn: Turn, carried: Carried) -> Report | None:
        """The routes stay with the former environment, without what goes or fails there."""
        context, admitted, status = self._context, turn.admitted, turn.document.status
        assessment = await context.guard.run(
            lambda calls: stay_behind(admitted, carried, status, context.assessor, context.store.look, calls)
        )
        writers = self._moves.writers(admitted.accepted, turn.listed)
        context.in_force.read(turn.key, carried.plan, writers)
        if assessment is None or assessment.outcome is None:
            return None
        made = await self._routing.route(turn, assessment, assessment.outcome)
        return replace(made, assessment=None) if made else None

    async def _decide(self, turn: Turn) -> Report | None:
        context, key, admitted = self._context, turn.key, turn.admitted
        accepted, document = admitted.accepted, turn.document
        unprotected = await protect(context, accepted, ready_only=turn.hurried)
        assessment = await self._assess(document, admitted, turn.carried)
        if assessment.outcome:
            story.tell_versions(context.recorder, key, document, assessment.outcome.versions)
        found = assessment.in_force if context.in_force.routes(key) else None
        writers = self._moves.writers(accepted, turn.listed)
        context.in_force.read(key, found, writers, stranded=bool(turn.stranded))
        if assessment.failure:
            return await self._go_on(turn, self._failures.not_decided(assessment))
        if assessment.outcome is None or assessment.outcome.plan is None:
            return await self._go_on(turn, self._failures.nothing_to_route(assessment))
        context.decided[key] = assessment.outcome.plan
        if admitted.suspend:
            self._moves.halt(key)
            left = self._moves.left_over(key, accepted, assessment.rendered, turn.listed)
            return Report(VALID, self._suspended(admitted, assessment), assessment, left=left.refs)
        decided = assessment
        assessment, closed = await self._gating.hold(key, document, decided, turn.carried)
        if assessment.outcome is None:
            return self._failures.not_decided(assessment)
        report = await self._routing.route(turn, assessment, assessment.outcome)
        if report and closed and report.routed.value:
            again = min((one for one in (closed.again, report.again) if one is not None), default=None)
            report = replace(report, routed=gated(closed, decided), again=again)
        if report and unprotected and report.routed.value:
            failed = unprotected.reason is Reason.WRITE_FAILED
            report = replace(report, routed=unprotected, again=PATIENCE, retry=failed)
        if report:
            self._failures.tell(key, report.routed)
        return report

    async def _go_on(self, turn: Turn, report: Report) -> Report | None:
        """By the router of before, of a policy whose own makes nothing of what is there."""
        accepted = turn.admitted.accepted
        before = await self._moves.as_before(accepted, turn.carried) if turn.carried else None
        if before is None or self._context.kinds.obstacle(_needs(before)):
            return report
        made = await self._decide(replace(turn, admitted=replace(turn.admitted, accepted=before), keeps=True))
        if made is None:
            return None
        again = min((one for one in (report.again, made.again) if one is not None), default=None)
        return replace(made, routed=report.routed, again=again)

    def _leave_to_others(self, key: PolicyKey, document: Document, admitted: Admitted | Assessment) -> None:
        """It is another instance's: know which versions it names, and want nothing for it any more."""
        if isinstance(admitted, Admitted):
            self._interests.admitted(key, admitted.accepted, (admitted.accepted.router,))
        else:
            self._failures.watch_named(key, document)
        if key in self._context.foreign:
            return
        self._context.foreign.add(key)
        self._hosts.none(key)
        self._moves.forget(key)
        self._context.decided.pop(key, None)
        self._routes.forget(key)
        self._reporter.forget(key)
        self._failures.forget(key)

    async def _assess(self, document: Document, admitted: Admitted, carried: Carried | None) -> Assessment:
        context, now = self._context, self._context.clock.now()
        return await context.guard.run(
            lambda calls: context.assessor.assess(
                admitted, document.status, carried, context.store.look, now, calls
            )
        )

    def _suspended(self, admitted: Admitted, assessment: Assessment) -> Verdict:
        if self._routes.drifted(admitted.accepted.policy, assessment.rendered):
            plan = assessment.outcome.plan if assessment.outcome else None
            return Verdict(
                False, Reason.SUSPENDED, f"spec.suspend keeps the routes; without it: {split(plan)}"
            )
        return Verdict(True, Reason.SUSPENDED, "spec.suspend keeps the routes; they are the decided ones")

    def _wake_drains(self, key: PolicyKey) -> None:
        for ref in self._context.index.refs(key):
            known = self._context.store.look(ref)
            if known and known.deleting and protects(known):
                self._context.queue.add(DrainKey(ref))
        for ref, keys in self._context.leaving.items():
            if key in keys:
                self._context.queue.add(DrainKey(ref))

    def _forget(self, key: PolicyKey) -> None:
        self.admission.forget(key)
        self._carried.forget(key)
        self._moves.forget(key)
        self._context.decided.pop(key, None)
        self._context.looked_at(key)
        self._context.waiting.pop(key, None)
        self._hosts.forget(key)
        self._routes.forget(key)
        self._reporter.forget(key)
        self._failures.forget(key)
        if (again := self._context.in_force.forget(key)) is not None:
            self._context.queue.add_after(key, again)
        self._interests.forget(key)
        self._gating.forget(key)
        self._wake_drains(key)
        self._context.queue.add(WeightsKey(key.namespace, key.name))


def _waits_for(obstacle: Obstacle) -> Report:
    return Report(VALID, Verdict(None, obstacle.reason, obstacle.message))


def _needs(accepted: Accepted) -> frozenset[Need]:
    """The kinds that a decision reads, and where: routes are only ever in the policy's own namespace."""
    policy, environment = accepted.policy, accepted.environment
    reached = {policy.namespace, *(version.namespace for version in policy.versions)}
    watched = frozenset((kind, namespace) for kind in environment.watches for namespace in reached)
    return watched | _written(accepted)


def _written(accepted: Accepted) -> frozenset[Need]:
    return frozenset((kind, accepted.policy.namespace) for kind in accepted.router.writes)
