"""Reconciles one policy: gather, decide, act, report.

Every reconcile looks at the whole of what is there; no step depends on having seen an event. Errors
of the API server are classified here: repeated with backoff, waited for, or said in a condition.
"""

from dataclasses import replace

from turnout.decision.accept import Accepted
from turnout.decision.assess import Assessment, carried_by, listed_routes
from turnout.decision.decide import Outcome
from turnout.decision.declare import Admitted
from turnout.decision.join import protects
from turnout.decision.shares import split
from turnout.decision.stored import Carried
from turnout.plugin import Ref, Role
from turnout.reasons import Reason
from turnout.runtime import story
from turnout.runtime.context import Context, Need, Retry
from turnout.runtime.errors import ApiError, classify
from turnout.runtime.errors import Verdict as Classified
from turnout.runtime.failures import FAILURES, PATIENCE, Failures
from turnout.runtime.gating import Gating, gated
from turnout.runtime.interests import Interests
from turnout.runtime.keys import DrainKey, PolicyKey, WeightsKey
from turnout.runtime.moves import Moves, under_way
from turnout.runtime.protection import protect
from turnout.runtime.report import VALID, Report, Reporter
from turnout.runtime.routes import Routes, Written
from turnout.runtime.store import Document
from turnout.runtime.transport import ConnectionFailed
from turnout.status import Verdict

BACKLOG = 16
"""With so many policies waiting, all routes come before anything that can wait: statuses, finalizers of
versions that are not ready, objects besides the routes. Each policy then has a second, whole turn."""

_CARRIED = (Reason.IN_FORCE, Reason.SHARED_CONFLICT)
"""The routes are written, and nothing says that the network does not take them."""


class PolicyReconciler:
    """Reconciles policies. `reconcile` is never called twice at once for the same key."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._routes = Routes(context)
        self._moves = Moves(context, self._routes)
        self._interests = Interests(context)
        self._gating = Gating(context)
        self._failures = Failures(context)
        self._reporter = Reporter(context)
        self._admitted: dict[PolicyKey, tuple[object, Admitted | Assessment]] = {}
        self._last: dict[PolicyKey, tuple[str, Carried | None]] = {}
        """What the routes of each policy carried when they were last looked at, with its uid."""

    async def reconcile(self, key: PolicyKey) -> float | None:
        """Bring a policy's routes and status to what they should be.

        Returns the seconds after which to come again, if so. Raises Retry, ApiError and
        ConnectionFailed for what backoff should repeat.
        """
        document = self._context.policy(key)
        if document is None:
            self._forget(key)
            return None
        admitted = await self._admit(key, document)
        if not self._context.serves(document):
            self._leave_to_others(key, document, admitted)
            return None
        self._context.foreign.discard(key)
        hurried = len(self._context.queue) >= BACKLOG
        try:
            if isinstance(admitted, Admitted):
                report = await self._act(key, document, admitted, hurried)
            else:
                self._context.decided.pop(key, None)
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
        await self._reporter.write(key, document, report)
        if report.retry:
            raise Retry
        return report.again

    def _count_failures(self, key: PolicyKey, report: Report) -> None:
        for verdict in (report.accepted, report.routed):
            if verdict.reason in FAILURES:
                self._context.observer.failed(key, verdict.reason)

    async def _act(
        self, key: PolicyKey, document: Document, admitted: Admitted, hurried: bool
    ) -> Report | None:
        """What to report. None while caches fill, and for a policy that is gone."""
        context, accepted = self._context, admitted.accepted
        listed = set(listed_routes(document.status, context.assessor.registry))
        writers = self._moves.writers(accepted, listed)
        self._interests.admitted(key, accepted, writers)
        routers = {(kind, key.namespace) for router in writers[1:] for kind in router.writes}
        carried = None
        obstacle = context.obstacle(key, _needs(accepted)) or self._moves.obstacle(key, routers)
        if obstacle is None:
            carried = self._carried(key, document, accepted)
            obstacle = self._moves.obstacle(key, self._moves.former_needs(accepted, carried))
        if obstacle:
            if obstacle.filling:
                return None
            return Report(VALID, Verdict(None, obstacle.reason, obstacle.message))
        unprotected = await protect(context, accepted, ready_only=hurried)
        assessment = await self._assess(document, admitted, carried)
        if assessment.outcome:
            story.tell_versions(context.recorder, key, document, assessment.outcome.versions)
        found = assessment.in_force if context.in_force.routes(key) else None
        context.in_force.read(key, found, writers)
        if assessment.failure:
            return self._failures.not_decided(assessment)
        if assessment.outcome is None or assessment.outcome.plan is None:
            told = "nothing is known that could answer for the versions to route; the routes stay as they are"
            return Report(VALID, Verdict(False, Reason.NO_BACKEND, told), assessment)
        context.decided[key] = assessment.outcome.plan
        if admitted.suspend:
            left = self._moves.left_over(key, accepted, assessment.rendered, listed)
            return Report(VALID, self._suspended(admitted, assessment), assessment, left=left.refs)
        decided = assessment
        assessment, closed = await self._gating.hold(key, document, decided, carried)
        if assessment.outcome is None:
            return self._failures.not_decided(assessment)
        report = await self._route(key, document, admitted, assessment, assessment.outcome, listed, hurried)
        if report and closed and report.routed.value:
            again = min((one for one in (closed.again, report.again) if one is not None), default=None)
            report = replace(report, routed=gated(closed, decided), again=again)
        if report and unprotected and report.routed.value:
            failed = unprotected.reason is Reason.WRITE_FAILED
            report = replace(report, routed=unprotected, again=PATIENCE, retry=failed)
        if report:
            self._failures.tell(key, report.routed)
        return report

    async def _admit(self, key: PolicyKey, document: Document) -> Admitted | Assessment:
        """The policy, accepted or not; looked at anew only when it or its weights have changed."""
        weights = self._context.store.weights.get((key.namespace, key.name))
        weights = None if weights is None or weights.deleting else weights
        state = (
            document.uid,
            document.generation,
            document.marks,
            weights and (weights.uid, weights.generation),
        )
        before, known = self._admitted.get(key, (None, None))
        if known is not None and before == state:
            return known
        made = await self._context.guard.run(
            lambda calls: self._context.assessor.admit(
                document.content, weights.content if weights else None, calls
            )
        )
        if isinstance(made, Admitted) or (made.failure and made.failure[0] is not Reason.PLUGIN_FAILED):
            self._admitted[key] = (state, made)
        if weights:
            self._context.queue.add(WeightsKey(key.namespace, key.name))
        return made

    def _leave_to_others(self, key: PolicyKey, document: Document, admitted: Admitted | Assessment) -> None:
        """It is another instance's: know which versions it names, and want nothing for it any more."""
        if isinstance(admitted, Admitted):
            self._interests.admitted(key, admitted.accepted, (admitted.accepted.router,))
        else:
            self._failures.watch_named(key, document)
        if key in self._context.foreign:
            return
        self._context.foreign.add(key)
        self._context.decided.pop(key, None)
        self._routes.forget(key)
        self._reporter.forget(key)
        self._failures.forget(key)

    def verdict(self, key: PolicyKey) -> Admitted | Assessment | None:
        """What was last found of a policy's document and weights."""
        return self._admitted.get(key, (None, None))[1]

    def _carried(self, key: PolicyKey, document: Document, accepted: Accepted) -> Carried | None:
        """What the policy's routes carry: those of its router before those of a former one.

        What they carried last, where someone has removed all of them.
        """
        store, writes = self._context.store, accepted.router.writes
        found = sorted(store.routes(key), key=lambda ref: ref.kind not in writes)
        carried = carried_by(accepted.policy, tuple(found), store.look)
        uid, last = self._last.get(key, ("", None))
        if carried is None and uid == document.uid and document.status.get("routes"):
            carried = last
        self._last[key] = document.uid, carried
        return carried

    async def _assess(self, document: Document, admitted: Admitted, carried: Carried | None) -> Assessment:
        context, now = self._context, self._context.clock.now()
        return await context.guard.run(
            lambda calls: context.assessor.assess(
                admitted, document.status, carried, context.store.look, now, calls
            )
        )

    async def _route(
        self,
        key: PolicyKey,
        document: Document,
        admitted: Admitted,
        assessment: Assessment,
        outcome: Outcome,
        listed: set[Ref],
        hurried: bool,
    ) -> Report | None:
        context, policy = self._context, admitted.accepted.policy
        if outcome.strategy_state != (document.status.get("strategyState") or {}):
            status = {**document.status, "strategyState": dict(outcome.strategy_state)}
            # What is empty is left out: an applied {} where there was something becomes null.
            said = {name: value for name, value in status.items() if value}
            try:
                document = await context.writer.policy_status(key, document, said)
            except ApiError as error:
                return self._failures.not_written(assessment, error)
            if document.uid != policy.uid:
                return None  # another one of its name, whose own event is on its way
        accepted = admitted.accepted
        left = self._moves.left_over(key, accepted, assessment.rendered, listed)
        self._moves.keep(key, left, accepted.router.writes)
        self._interests.decided(key, accepted, assessment, left)
        try:
            written = await self._routes.write(
                key, document, policy, assessment.rendered, listed, routes_only=hurried
            )
            if written is None:
                return None
            self._note(key, document, assessment, outcome, written)
            later = None
            if left.refs and not hurried and written.verdict.reason in _CARRIED:
                later = await self._moves.remove(key, accepted, left)
        except ApiError as error:
            refs = {item.ref for item in assessment.rendered if item.role is not Role.SHARED}
            for ref in refs if classify(error) is Classified.CONFLICT else ():
                await context.writer.reread(ref)
            return replace(self._failures.not_written(assessment, error), left=left.refs)
        verdict = written.verdict
        if verdict.value:
            verdict = under_way(accepted, outcome, left) or verdict
        again = outcome.requeue_after.total_seconds() if outcome.requeue_after else None
        waits = [seconds for seconds in (again, written.again, later) if seconds is not None]
        return Report(VALID, verdict, assessment, min(waits, default=None), left=left.refs)

    def _note(
        self, key: PolicyKey, document: Document, assessment: Assessment, outcome: Outcome, written: Written
    ) -> None:
        """Note what is in force now, and tell of it, if what was decided has been written."""
        if outcome.plan and written.verdict.reason in (*_CARRIED, Reason.REFUSED_BY_NETWORK, Reason.PENDING):
            self._context.in_force.decided(key, outcome.plan, wrote=written.moved)
            if written.moved:
                self._context.shifts.tell(key, document.uid, assessment.in_force, outcome)

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
        self._admitted.pop(key, None)
        self._last.pop(key, None)
        self._context.decided.pop(key, None)
        self._context.looked_at(key)
        self._context.waiting.pop(key, None)
        self._routes.forget(key)
        self._reporter.forget(key)
        self._failures.forget(key)
        if (again := self._context.in_force.forget(key)) is not None:
            self._context.queue.add_after(key, again)
        self._interests.forget(key)
        self._gating.forget(key)
        self._wake_drains(key)
        self._context.queue.add(WeightsKey(key.namespace, key.name))


def _needs(accepted: Accepted) -> frozenset[Need]:
    """The kinds that a decision reads, and where: routes are only ever in the policy's own namespace."""
    policy, environment = accepted.policy, accepted.environment
    reached = {policy.namespace, *(version.namespace for version in policy.versions)}
    watched = {(kind, namespace) for kind in environment.watches for namespace in reached}
    return frozenset(watched | {(kind, policy.namespace) for kind in accepted.router.writes})
