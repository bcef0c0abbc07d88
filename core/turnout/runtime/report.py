"""Writes what came of a reconcile into the policy's status, if it says anything new."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from turnout.decision.assess import Assessment, listed_routes, unknown_routes
from turnout.plugin import Ref, Role
from turnout.reasons import Reason
from turnout.runtime import story
from turnout.runtime.contention import Contention
from turnout.runtime.context import Context, Retry
from turnout.runtime.errors import ApiError
from turnout.runtime.keys import PolicyKey
from turnout.runtime.store import Document
from turnout.status import Verdict, policy_status, ready, routes, same, versions

VALID = Verdict(True, Reason.VALID, "")
"""Accepted, of a policy with which nothing is wrong."""


@dataclass(frozen=True, slots=True)
class Report:
    """What a reconcile has come to. `again`: seconds until the next one; `retry`: repeat it with backoff.

    `left`: objects of before that are still to be removed. Without an assessment, what the status says of
    versions and routes stays as it was.
    """

    accepted: Verdict
    routed: Verdict
    assessment: Assessment | None = None
    again: float | None = None
    retry: bool = False
    left: frozenset[Ref] = frozenset()


class Reporter:
    """Writes statuses."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._contention = Contention()
        self._last: dict[PolicyKey, Mapping[str, Any]] = {}

    def forget(self, key: PolicyKey) -> None:
        """The policy is gone."""
        self._last.pop(key, None)
        self._contention.forget(key)

    async def write(self, key: PolicyKey, document: Document, report: Report) -> float | None:
        """Returns the seconds after which to come again, while somebody else keeps changing it.

        Raises ApiError and ConnectionFailed but for a policy that is gone, and Retry for a changed one.
        """
        current = self._context.policy(key)
        if current is None or current.uid != document.uid:
            return None
        status = await self._status(key, document, report, current.status)
        if same(current.status, status):
            return None
        now = self._context.clock.monotonic()
        again = same(self._last.get(key, {}), status)
        if again and (wait := self._contention.wait(key, now)):
            return wait
        try:
            await self._context.writer.policy_status(key, current, status)
        except ApiError as error:
            if error.status == 409:  # it has changed, or is another one: its event is on its way
                raise Retry from None
            if error.status != 404:
                raise
            return None
        self._last[key] = status
        if again:
            self._contention.corrected(key, now)
        story.tell_conditions(self._context.recorder, key, current, status)
        return None

    async def _status(
        self, key: PolicyKey, document: Document, report: Report, previous: Mapping[str, Any]
    ) -> dict[str, Any]:
        in_force = self._context.in_force.plan(key)
        outcome = report.assessment.outcome if report.assessment else None
        seen = report.assessment.serving if report.assessment else None
        verdicts = {
            "Accepted": report.accepted,
            "Routed": report.routed,
            "Ready": ready(report.accepted, report.routed, seen, outcome.held if outcome else None),
        }
        observed = None
        if outcome and report.assessment and report.assessment.admitted:
            primary = report.assessment.admitted.accepted.policy.primary
            former = outcome.environment if report.assessment.stays else ""
            observed = versions(outcome.versions, outcome.reasons, primary, in_force, former)
        return policy_status(
            previous,
            generation=document.generation,
            verdicts=verdicts,
            now=self._context.clock.now(),
            observed=observed,
            in_force=in_force,
            strategy_state=outcome.strategy_state if outcome else None,
            written=await self._written(document.uid, report, previous),
            lease=self._context.lease,
        )

    async def _written(
        self, uid: str, report: Report, previous: Mapping[str, Any]
    ) -> list[dict[str, Any]] | None:
        """The policy's own objects that exist, then those of before. None if nothing was to be written.

        What was foretold stays listed until it can be written, and what nobody here can look at until
        somebody can.
        """
        assessment, registry = report.assessment, self._context.assessor.registry
        if assessment is None or not assessment.rendered:
            return None
        refs = [item.ref for item in assessment.rendered if item.role is not Role.SHARED]
        refs += sorted(report.left.difference(refs), key=str)
        listed = listed_routes(previous, registry)
        foretold = () if report.routed.value else listed
        own = [ref for ref in refs if self._owned(ref, uid) or ref in foretold]
        own += [ref for ref in listed if ref not in refs and self._is_hidden(ref)]
        said = routes([(ref, await self._context.writer.api_version(ref.kind)) for ref in own])
        return said + [dict(one) for one in unknown_routes(previous, registry)]

    def _is_hidden(self, ref: Ref) -> bool:
        """Whether nobody here can know if an object exists."""
        return self._context.kinds.obstacle(((ref.kind, ref.namespace),)) is not None

    def _owned(self, ref: Ref, uid: str) -> bool:
        known = self._context.store.look(ref)
        return bool(known and known.written and known.written.owned_by(uid))
