"""Keeps the routes as they are while a gate lets no traffic shift."""

from turnout.decision.assess import Assessment
from turnout.decision.shares import split
from turnout.decision.stored import Carried, dump
from turnout.plugin import Role, Shift
from turnout.reasons import Reason
from turnout.runtime.context import Context
from turnout.runtime.events import Event, about_policy
from turnout.runtime.gates import Closed
from turnout.runtime.keys import PolicyKey
from turnout.runtime.store import Document
from turnout.status import Verdict


class Gating:
    """Asks the gates about the shifts of policies, and tells of those that wait."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._told: dict[PolicyKey, str] = {}

    async def hold(
        self, key: PolicyKey, document: Document, assessment: Assessment, carried: Carried | None
    ) -> tuple[Assessment, Closed | None]:
        """What is to be done now: what was decided, or, where a gate is closed, what is in force."""
        context = self._context
        if not context.gates:
            return assessment, None
        shift = context.assessor.shift(assessment)
        if shift is None or carried is None:
            self.forget(key)
            return assessment, None
        texts = tuple(item.plan for item in assessment.rendered if item.role is Role.ROUTE)
        closed = context.gates.closed(key, shift, (document.uid, dump(carried), texts))
        if closed is None:
            self._told.pop(key, None)
            return assessment, None
        self._tell(key, document, shift, closed)
        stays = await context.guard.run(
            lambda calls: context.assessor.stay(
                assessment, carried, document.status, context.store.look, calls
            )
        )
        return stays, closed

    def forget(self, key: PolicyKey) -> None:
        """Nothing of the policy's is to shift."""
        self._context.gates.forget(key)
        self._told.pop(key, None)

    def _tell(self, key: PolicyKey, document: Document, shift: Shift, closed: Closed) -> None:
        """An event for each reason why it waits, but not while the gates are first asked."""
        if closed.again is None or self._told.get(key) == closed.reason:
            return
        self._told[key] = closed.reason
        told = f"{split(shift.after)} waits: {closed.reason}"
        about = about_policy(key.namespace, key.name)
        self._context.recorder.record(Event(about, document.uid, Reason.GATED, told))


def gated(closed: Closed, decided: Assessment) -> Verdict:
    """The condition Routed of a policy that waits for a gate. `decided`: without it."""
    plan = decided.outcome.plan if decided.outcome else None
    return Verdict(True, Reason.GATED, f"{closed.reason}; then: {split(plan)}")
