"""Reconciles one policy: gather, decide, act, report.

Every reconcile looks at the whole of what is there; no step depends on having seen an event. Errors
of the API server are classified here: repeated with backoff, waited for, or said in a condition.
"""

from dataclasses import replace

from turnout.decision.accept import Accepted
from turnout.decision.assess import Assessment, listed_routes
from turnout.decision.decide import Outcome
from turnout.decision.declare import Admitted
from turnout.decision.join import protects
from turnout.decision.shares import split
from turnout.plugin import Role
from turnout.reasons import Reason
from turnout.runtime import shifts
from turnout.runtime.context import Context, Need, Retry
from turnout.runtime.errors import ApiError, classify
from turnout.runtime.errors import Verdict as Classified
from turnout.runtime.failures import PATIENCE, Failures
from turnout.runtime.keys import DrainKey, PolicyKey, WeightsKey
from turnout.runtime.protection import protect
from turnout.runtime.report import VALID, Report, Reporter
from turnout.runtime.routes import Routes
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
        self._failures = Failures(context)
        self._reporter = Reporter(context)
        self._admitted: dict[PolicyKey, tuple[object, Admitted | Assessment]] = {}

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
                report = self._failures.not_accepted(key, document, admitted)
        except (ApiError, ConnectionFailed):
            self._context.looked_at(key)  # others need not wait for what cannot be written
            raise
        if report is None:
            return None
        self._context.looked_at(key)
        self._wake_drains(key)
        if hurried and report.routed.value and report.again is None and not report.retry:
            self._context.queue.add_last(key)
            return None
        await self._reporter.write(key, document, report)
        if report.retry:
            raise Retry
        return report.again

    async def _act(
        self, key: PolicyKey, document: Document, admitted: Admitted, hurried: bool
    ) -> Report | None:
        """What to report. None while caches fill, and for a policy that is gone."""
        context, accepted = self._context, admitted.accepted
        self._watch(key, accepted)
        if obstacle := context.obstacle(key, _needs(accepted)):
            if obstacle.filling:
                return None
            return Report(VALID, Verdict(None, obstacle.reason, obstacle.message))
        unprotected = await protect(context, accepted, ready_only=hurried)
        assessment = await self._assess(key, document, admitted)
        context.in_force.read(key, assessment.in_force, (accepted.router,))
        if assessment.failure:
            return self._failures.not_decided(assessment)
        if assessment.outcome is None or assessment.outcome.plan is None:
            told = "nothing is known that could answer for the versions to route; the routes stay as they are"
            return Report(VALID, Verdict(False, Reason.NO_BACKEND, told), assessment)
        if admitted.suspend:
            return Report(VALID, self._suspended(admitted, assessment), assessment)
        report = await self._route(key, document, admitted, assessment, assessment.outcome, hurried)
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
        state = (document.uid, document.generation, weights and (weights.uid, weights.generation))
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
            self._watch(key, admitted.accepted)
        else:
            self._failures.watch_named(key, document)
        if key in self._context.foreign:
            return
        self._context.foreign.add(key)
        self._routes.forget(key)
        self._reporter.forget(key)
        self._failures.forget(key)

    def verdict(self, key: PolicyKey) -> Admitted | Assessment | None:
        """What was last found of a policy's document and weights."""
        return self._admitted.get(key, (None, None))[1]

    def _watch(self, key: PolicyKey, accepted: Accepted) -> None:
        self._context.kinds.need(accepted.environment)
        self._context.kinds.need(accepted.router)
        refs = {ref for refs in accepted.refs.values() for ref in refs}
        mine = {ref for ref in self._context.index.refs(key) if ref.kind in accepted.router.writes}
        for ref in self._context.index.replace(key, refs | mine):
            self._context.leave(ref, key)

    async def _assess(self, key: PolicyKey, document: Document, admitted: Admitted) -> Assessment:
        context = self._context
        found, now = context.store.routes(key), context.clock.now()
        return await context.guard.run(
            lambda calls: context.assessor.assess(
                admitted, document.status, found, context.store.look, now, calls
            )
        )

    async def _route(
        self,
        key: PolicyKey,
        document: Document,
        admitted: Admitted,
        assessment: Assessment,
        outcome: Outcome,
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
        refs = {item.ref for item in assessment.rendered if item.role is not Role.SHARED}
        versions_of = {ref for refs in admitted.accepted.refs.values() for ref in refs}
        context.index.replace(key, versions_of | {item.ref for item in assessment.rendered})
        listed = set(listed_routes(document.status, context.assessor.registry))
        again = outcome.requeue_after.total_seconds() if outcome.requeue_after else None
        try:
            written = await self._routes.write(
                key, document, policy, assessment.rendered, listed, routes_only=hurried
            )
        except ApiError as error:
            for ref in refs if classify(error) is Classified.CONFLICT else ():
                await context.writer.reread(ref)
            return self._failures.not_written(assessment, error)
        if written is None:
            return None
        decided = (Reason.IN_FORCE, Reason.SHARED_CONFLICT, Reason.REFUSED_BY_NETWORK)
        if outcome.plan and written.verdict.reason in decided:
            context.in_force.decided(key, outcome.plan, wrote=written.moved)
            if written.moved:
                shifts.tell(context.recorder, key, document.uid, assessment.in_force, outcome)
        waits = [seconds for seconds in (again, written.again) if seconds is not None]
        return Report(VALID, written.verdict, assessment, min(waits, default=None))

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
        self._context.looked_at(key)
        self._context.waiting.pop(key, None)
        self._routes.forget(key)
        self._reporter.forget(key)
        self._failures.forget(key)
        if (again := self._context.in_force.forget(key)) is not None:
            self._context.queue.add_after(key, again)
        for ref in self._context.index.replace(key, ()):
            self._context.leave(ref, key)
        self._wake_drains(key)
        self._context.queue.add(WeightsKey(key.namespace, key.name))


def _needs(accepted: Accepted) -> frozenset[Need]:
    """The kinds that a decision reads, and where: routes are only ever in the policy's own namespace."""
    policy, environment = accepted.policy, accepted.environment
    reached = {policy.namespace, *(version.namespace for version in policy.versions)}
    watched = {(kind, namespace) for kind in environment.watches for namespace in reached}
    return frozenset(watched | {(kind, policy.namespace) for kind in accepted.router.writes})
