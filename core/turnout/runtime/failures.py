"""Policies that are not accepted, or whose routes cannot be decided or written: what stays, what is said.

The routes stay as they are, and what they lead to stays protected, as for any other policy.
"""

import logging
from collections.abc import Collection, Iterable
from typing import Any

from turnout.decision.assess import Assessment, carried_by, listed_routes
from turnout.decision.declare import Admitted
from turnout.plugin import Policy, Ref, Router
from turnout.plugin.reading import mapping
from turnout.reasons import Reason
from turnout.runtime.context import Context, Retry
from turnout.runtime.errors import ApiError, classify
from turnout.runtime.errors import Verdict as Classified
from turnout.runtime.keys import PolicyKey
from turnout.runtime.report import VALID, Report
from turnout.runtime.store import Document
from turnout.status import Verdict

log = logging.getLogger(__name__)

PATIENCE = 30.0
"""Seconds until something is tried again that a person has to change first."""


_TOLD = (Reason.FORBIDDEN, Reason.WRITE_FAILED, Reason.KIND_NOT_INSTALLED)
FAILURES = (*_TOLD, Reason.PLUGIN_FAILED)
"""What a policy's conditions say where a reconcile could not do its work."""


class Failures:
    """Turns them into reports, and tells of failed writes."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._told: dict[PolicyKey, Verdict] = {}
        self._unchecked: dict[PolicyKey, str] = {}

    def tell(self, key: PolicyKey, routed: Verdict) -> None:
        """Log why a policy's routes or versions could not be written: once, for as long as it is so.

        Of shared objects somebody else tells, once for all policies.
        """
        if routed.reason not in _TOLD or routed in self._context.unwritten.values():
            self._told.pop(key, None)
        elif self._told.get(key) != routed:
            self._told[key] = routed
            log.warning("%s: %s", key, routed.message, extra={"policy": str(key), "reason": routed.reason})

    def unchecked(self, key: PolicyKey, found: Admitted | Assessment) -> bool:
        """Whether a policy is accepted by the earlier word of a check that fails now. It is asked again then.

        That is logged once, for as long as it is so.
        """
        why = found.accepted.unchecked if isinstance(found, Admitted) else ""
        if why and self._unchecked.get(key) != why:
            log.warning("%s: %s; the policy stays accepted", key, why, extra={"policy": str(key)})
        if why:
            self._unchecked[key] = why
            self._context.queue.add_after(key, PATIENCE)
        else:
            self._unchecked.pop(key, None)
        return bool(why)

    def forget(self, key: PolicyKey) -> None:
        """The policy is gone."""
        self._told.pop(key, None)
        self._unchecked.pop(key, None)

    def not_accepted(self, key: PolicyKey, document: Document, assessment: Assessment) -> Report | None:
        """Of a policy that is not accepted. None until it is known where its routes lead."""
        context = self._context
        self.watch_named(key, document)
        listed = listed_routes(document.status, context.assessor.registry)
        routers = self._routers(document, listed)
        for router in routers:
            context.kinds.need(router)
        needs = {(kind, key.namespace) for router in routers for kind in router.writes}
        obstacle = context.obstacle(key, frozenset(needs))
        if obstacle and obstacle.filling:
            return None
        if obstacle is None and not _unreadable(document, listed):
            policy = Policy(key.name, key.namespace, key.name, (), "", document.uid)
            carried = carried_by(policy, context.store.routes(key), context.store.look)
            context.in_force.read(key, carried.plan if carried else None, routers)
        return _not_accepted(assessment)

    def not_decided(self, assessment: Assessment) -> Report:
        """Of an accepted policy of which no routes come."""
        if assessment.admitted is None:
            return _not_accepted(assessment, again=PATIENCE)
        reason, message = assessment.failure or (Reason.PLUGIN_FAILED, "")
        return Report(VALID, Verdict(False, reason, message), again=PATIENCE)

    def nothing_to_route(self, assessment: Assessment) -> Report:
        """Of a decision without a plan: nobody could answer, or the router cannot carry what is there."""
        refused = assessment.outcome.refused if assessment.outcome else None
        told = "nothing is known that could answer for the versions to route"
        reason, message = refused or (Reason.NO_BACKEND, told)
        return Report(VALID, Verdict(False, reason, f"{message}; the routes stay as they are"), assessment)

    def not_written(self, assessment: Assessment, error: ApiError) -> Report:
        """Of routes that the API server refuses. Raises Retry if they have changed meanwhile."""
        found = classify(error)
        if found is Classified.CONFLICT:
            raise Retry from error
        reason = Reason.FORBIDDEN if found is Classified.WAIT else Reason.WRITE_FAILED
        routed = Verdict(False, Reason.KIND_NOT_INSTALLED if error.kind_missing else reason, str(error))
        if found is Classified.RETRY:
            return Report(VALID, routed, assessment, retry=True)
        return Report(VALID, routed, assessment, PATIENCE)

    def watch_named(self, key: PolicyKey, document: Document) -> None:
        """Keep protected what the policy names, as far as that can be told."""
        environments = [loaded.plugin for loaded in self._context.assessor.registry.environments.values()]
        kinds = {kind for environment in environments if environment.drain for kind in environment.watches}
        listed = mapping(document.content.get("spec")).get("modelVersions")
        refs = {
            Ref(kind, str(version.get("namespace", key.namespace)), str(version.get("name")))
            for version in map(mapping, listed if isinstance(listed, list) else ())
            for kind in kinds
        }
        self._context.index.replace(key, self._context.index.refs(key) | refs)

    def _routers(self, document: Document, listed: Iterable[Ref]) -> list[Router[Any]]:
        """Those that may have written routes: by the status, which may lag behind, and by the spec."""
        kinds = {ref.kind for ref in listed}
        named = mapping(document.content.get("spec")).get("router")
        routers = [loaded.plugin for loaded in self._context.assessor.registry.routers.values()]
        return [router for router in routers if router.name == named or not kinds.isdisjoint(router.writes)]


def _unreadable(document: Document, listed: Collection[Ref]) -> bool:
    """Whether a policy has routes of a router that is kept out, or not installed: they may lead anywhere."""
    said = document.status.get("routes")
    return isinstance(said, list) and len(said) > len(listed)


def _not_accepted(assessment: Assessment, again: float | None = None) -> Report:
    reason, message = assessment.failure or (Reason.INVALID_SPEC, "")
    if reason is Reason.PLUGIN_FAILED:
        again = PATIENCE
    routed = Verdict(False, Reason.NOT_ACCEPTED, "the policy is not accepted; its routes stay as they are")
    return Report(Verdict(False, reason, message), routed, again=again)
