"""Reconciles one policy: gather, decide, act, report.

Every reconcile looks at the whole of what is there; no step depends on having seen an event. Errors
of the API server are classified here: repeated with backoff, waited for, or said in a condition.
"""

from dataclasses import replace

from turnout.decision.accept import Accepted
from turnout.decision.assess import Assessment, listed_routes, plan_in_force
from turnout.decision.declare import Admitted
from turnout.decision.join import protects
from turnout.decision.objects import mapping
from turnout.decision.shares import split
from turnout.plugin import Policy, Ref, Role
from turnout.reasons import Reason
from turnout.runtime import shifts
from turnout.runtime.context import Context, InForce, Need, Retry
from turnout.runtime.errors import ApiError, classify
from turnout.runtime.errors import Verdict as Classified
from turnout.runtime.keys import DrainKey, PolicyKey, WeightsKey
from turnout.runtime.protection import protect
from turnout.runtime.report import Report, Reporter
from turnout.runtime.routes import Routes
from turnout.runtime.store import Document
from turnout.status import Verdict

BACKLOG = 16
"""With so many policies waiting, all routes come before anything that can wait: statuses, finalizers of
versions that are not ready, objects besides the routes. Each policy then has a second, whole turn."""
PATIENCE = 30.0
"""Seconds until something is tried again that a person has to change first."""


class PolicyReconciler:
    """Reconciles policies. `reconcile` is never called twice at once for the same key."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._routes = Routes(context)
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
        if isinstance(admitted, Admitted):
            self._watch(key, admitted)
        else:
            self._watch_named(key, document)
        if not self._context.serves(document):
            return None
        hurried = len(self._context.queue) >= BACKLOG
        report = await self._act(key, document, admitted, hurried)
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
        self, key: PolicyKey, document: Document, admitted: Admitted | Assessment, hurried: bool
    ) -> Report | None:
        """What to report; None while caches are being filled, after which it is tried again."""
        if isinstance(admitted, Assessment):
            return self._refused(key, document, admitted)
        valid = Verdict(True, Reason.VALID, "")
        accepted = admitted.accepted
        needs = _needs(accepted)
        self._context.waiting.pop(key, None)
        if obstacle := self._context.kinds.obstacle(needs):
            self._context.waiting[key] = needs
            if obstacle.filling:
                return None
            return Report(valid, Verdict(None, obstacle.reason, obstacle.message))
        unprotected = await protect(self._context, admitted.accepted, ready_only=hurried)
        assessment = await self._assess(key, document, admitted)
        self._note_in_force(key, admitted, assessment)
        if assessment.failure:
            return self._failed(valid, assessment)
        if assessment.outcome is None or assessment.outcome.plan is None:
            told = "nothing is known that could answer for the versions to route; the routes stay as they are"
            return Report(valid, Verdict(False, Reason.NO_BACKEND, told), assessment)
        if admitted.suspend:
            return Report(valid, self._suspended(admitted, assessment), assessment)
        report = await self._route(key, document, admitted, assessment, hurried)
        if unprotected and report.routed.value:
            failed = unprotected.reason is Reason.WRITE_FAILED
            return replace(report, routed=unprotected, again=PATIENCE, retry=failed)
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

    def verdict(self, key: PolicyKey) -> Admitted | Assessment | None:
        """What was last found of a policy's document and weights."""
        return self._admitted.get(key, (None, None))[1]

    def _watch(self, key: PolicyKey, admitted: Admitted) -> None:
        accepted = admitted.accepted
        self._context.kinds.need(accepted.environment)
        self._context.kinds.need(accepted.router)
        refs = {ref for refs in accepted.refs.values() for ref in refs}
        mine = {ref for ref in self._context.index.refs(key) if ref.kind in accepted.router.writes}
        for ref in self._context.index.replace(key, refs | mine):
            self._context.leave(ref, key)

    def _watch_named(self, key: PolicyKey, document: Document) -> None:
        """Of a policy that is not accepted, keep protected what it names, as far as that can be told."""
        environments = [loaded.plugin for loaded in self._context.assessor.registry.environments.values()]
        kinds = {kind for environment in environments if environment.drain for kind in environment.watches}
        spec = mapping(document.content.get("spec"))
        listed = spec.get("modelVersions")
        said = [mapping(version) for version in (listed if isinstance(listed, list) else ())]
        refs = {
            Ref(kind, str(version.get("namespace", key.namespace)), str(version.get("name")))
            for kind in kinds
            for version in said
        }
        self._context.index.replace(key, self._context.index.refs(key) | refs)

    async def _assess(self, key: PolicyKey, document: Document, admitted: Admitted) -> Assessment:
        context = self._context
        found, now = context.store.routes(key), context.clock.now()
        return await context.guard.run(
            lambda calls: context.assessor.assess(
                admitted, document.status, found, context.store.look, now, calls
            )
        )

    async def _route(
        self, key: PolicyKey, document: Document, admitted: Admitted, assessment: Assessment, hurried: bool
    ) -> Report:
        outcome = assessment.outcome
        assert outcome is not None  # noqa: S101 - for the type checker; the caller has looked
        valid = Verdict(True, Reason.VALID, "")
        policy = admitted.accepted.policy
        if outcome.strategy_state != (document.status.get("strategyState") or {}):
            status = {**document.status, "strategyState": dict(outcome.strategy_state)}
            # What is empty is left out: an applied {} where there was something becomes null.
            said = {name: value for name, value in status.items() if value}
            document = await self._context.writer.policy_status(key, document, said)
        refs = {item.ref for item in assessment.rendered if item.role is not Role.SHARED}
        versions_of = {ref for refs in admitted.accepted.refs.values() for ref in refs}
        self._context.index.replace(key, versions_of | {item.ref for item in assessment.rendered})
        listed = set(listed_routes(document.status, self._context.assessor.registry))
        again = outcome.requeue_after.total_seconds() if outcome.requeue_after else None
        try:
            written = await self._routes.write(
                key, document, policy, assessment.rendered, listed, routes_only=hurried
            )
        except ApiError as error:
            for ref in refs if classify(error) is Classified.CONFLICT else ():
                await self._context.writer.reread(ref)
            return _not_written(valid, assessment, error)
        if written.verdict.reason in (Reason.IN_FORCE, Reason.SHARED_CONFLICT, Reason.REFUSED_BY_NETWORK):
            self._moved(key, document, assessment, written.moved)
        waits = [seconds for seconds in (again, written.again) if seconds is not None]
        return Report(valid, written.verdict, assessment, min(waits, default=None))

    def _moved(self, key: PolicyKey, document: Document, assessment: Assessment, wrote: bool) -> None:
        """The decided routes are in the cluster: remember since when, and tell what has moved."""
        before = self._context.in_force.get(key, InForce())
        outcome = assessment.outcome
        if outcome is None or outcome.plan is None:
            return
        written = self._context.clock.monotonic() if wrote else before.written
        self._context.in_force[key] = InForce(outcome.plan, written, before.propagation)
        if wrote:
            shifts.tell(self._context.recorder, key, document.uid, assessment.in_force, outcome)

    def _note_in_force(self, key: PolicyKey, admitted: Admitted, assessment: Assessment) -> None:
        router = admitted.accepted.router
        propagation = self._context.assessor.settings.drain.propagation(router).total_seconds()
        before, plan = self._context.in_force.get(key), assessment.in_force
        opaque = plan is None and bool(self._context.store.routes(key))
        if opaque and before and before.plan:
            plan, opaque = before.plan, False  # someone has spoilt the annotation, not the routes
        found = InForce(plan, before.written if before else None, propagation, opaque)
        if before and before.uids != found.uids:
            # A write whose answer was lost, or that failed half-way: it counts from now at the latest.
            found = replace(found, written=self._context.clock.monotonic())
        self._context.in_force[key] = found

    def _suspended(self, admitted: Admitted, assessment: Assessment) -> Verdict:
        if self._routes.drifted(admitted.accepted.policy, assessment.rendered):
            plan = assessment.outcome.plan if assessment.outcome else None
            return Verdict(
                False, Reason.SUSPENDED, f"spec.suspend keeps the routes; without it: {split(plan)}"
            )
        return Verdict(True, Reason.SUSPENDED, "spec.suspend keeps the routes; they are the decided ones")

    def _refused(self, key: PolicyKey, document: Document, assessment: Assessment) -> Report | None:
        """A policy that is not accepted: its routes stay, and what they lead to stays protected.

        None until it is known where they lead.
        """
        context = self._context
        kinds = {ref.kind for ref in listed_routes(document.status, context.assessor.registry)}
        for loaded in context.assessor.registry.routers.values():
            if not kinds.isdisjoint(loaded.plugin.writes):
                context.kinds.need(loaded.plugin)
        context.waiting.pop(key, None)
        needs = frozenset((kind, key.namespace) for kind in kinds)
        obstacle = context.kinds.obstacle(needs)
        if obstacle and obstacle.filling:
            context.waiting[key] = needs
            return None
        before = self._context.in_force.get(key, InForce())
        policy = Policy(key.name, key.namespace, key.name, (), "", document.uid)
        plan = plan_in_force(policy, self._context.store.routes(key), self._context.store.look) or before.plan
        self._context.in_force[key] = InForce(plan, before.written, before.propagation)
        reason, message = assessment.failure or (Reason.INVALID_SPEC, "")
        again = PATIENCE if reason is Reason.PLUGIN_FAILED else None
        return _not_accepted(reason, message, again)

    @staticmethod
    def _failed(valid: Verdict, assessment: Assessment) -> Report:
        reason, message = assessment.failure or (Reason.PLUGIN_FAILED, "")
        if assessment.admitted is None:
            return _not_accepted(reason, message, PATIENCE)
        return Report(valid, Verdict(False, reason, message), again=PATIENCE)

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
        self._keep_in_force(key)
        for ref in self._context.index.replace(key, ()):
            self._context.leave(ref, key)
        self._wake_drains(key)
        self._context.queue.add(WeightsKey(key.namespace, key.name))

    def _keep_in_force(self, key: PolicyKey) -> None:
        """Remember where the routes of a policy that is gone lead, for as long as calls may follow them.

        The routes may outlive it: until the garbage collector comes, or, with another policy of that
        name, for good. Once they are gone, what had left them before still has its time to drain.
        """
        context = self._context
        state = context.in_force.get(key)
        if state is None or context.store.routes(key):
            return
        left = state.since_written(context.clock.monotonic())
        drain = state.propagation + context.assessor.settings.drain.in_flight.total_seconds()
        if left is None or left >= drain:
            del context.in_force[key]
        else:
            context.in_force[key] = replace(state, plan=None, opaque=False)
            context.queue.add_after(key, drain - left)


def _needs(accepted: Accepted) -> frozenset[Need]:
    """The kinds that a decision reads, and where: routes are only ever in the policy's own namespace."""
    policy, environment = accepted.policy, accepted.environment
    reached = {policy.namespace, *(version.namespace for version in policy.versions)}
    watched = {(kind, namespace) for kind in environment.watches for namespace in reached}
    return frozenset(watched | {(kind, policy.namespace) for kind in accepted.router.writes})


def _not_accepted(reason: Reason, message: str, again: float | None) -> Report:
    routed = Verdict(False, Reason.NOT_ACCEPTED, "the policy is not accepted; its routes stay as they are")
    return Report(Verdict(False, reason, message), routed, again=again)


def _not_written(valid: Verdict, assessment: Assessment, error: ApiError) -> Report:
    found = classify(error)
    if error.kind_missing:
        return Report(valid, Verdict(False, Reason.KIND_NOT_INSTALLED, str(error)), assessment, PATIENCE)
    if found is Classified.WAIT:
        return Report(valid, Verdict(False, Reason.FORBIDDEN, str(error)), assessment, PATIENCE)
    if found is Classified.TERMINAL:
        return Report(valid, Verdict(False, Reason.WRITE_FAILED, str(error)), assessment, PATIENCE)
    if found is Classified.CONFLICT:
        raise Retry from error
    return Report(valid, Verdict(False, Reason.WRITE_FAILED, str(error)), assessment, retry=True)
