"""The pure part of a reconcile: from documents to what should be in the cluster, or why nothing is."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from turnout.calling import Calls, PluginError
from turnout.decision.accept import Accepted, Refused
from turnout.decision.carry import can_carry
from turnout.decision.decide import Known, Outcome, decide
from turnout.decision.declare import Admitted, admit
from turnout.decision.drift import foreign
from turnout.decision.gain import gaining, rescues
from turnout.decision.join import Look
from turnout.decision.move import Former, former, remain
from turnout.decision.render import Rendered, render
from turnout.decision.stored import Carried, load
from turnout.plugin import Policy, Ref, RoutePlan, Shift, Version
from turnout.plugin.reading import items, mapping
from turnout.reasons import Reason
from turnout.registry import Registry
from turnout.settings import Settings


@dataclass(frozen=True, slots=True)
class Assessment:
    """What a policy asks for, and what should be.

    `admitted` None: the policy is not accepted. `failure`: why no routes come of it, as a condition's
    reason and message; `outcome` and `rendered` are then missing. `rendered` is empty as well for a plan
    of before that the router cannot carry: the routes stay as they are. `in_force`: what the routes in
    the cluster say now. `former`: the environment to which these lead, if the policy has left it.
    """

    admitted: Admitted | None = None
    failure: tuple[Reason, str] | None = None
    outcome: Outcome | None = None
    rendered: tuple[Rendered, ...] = ()
    in_force: RoutePlan | None = None
    former: Former | None = None

    @property
    def stays(self) -> Former | None:
        """The former environment, if that is where the decided routes lead."""
        outcome, left = self.outcome, self.former
        return left if outcome and left and outcome.environment == left.carried.environment else None

    @property
    def serving(self) -> tuple[Version, ...] | None:
        """The versions that are to answer calls; None if nobody has looked at them."""
        if self.stays and self.outcome and self.outcome.plan:
            return tuple(self.outcome.plan.versions())
        return self.outcome.versions if self.outcome else None


@dataclass(frozen=True, slots=True)
class Assessor:
    """Assesses policies by what is installed and set."""

    registry: Registry
    settings: Settings

    def admit(
        self, policy: Mapping[str, Any], weights: Mapping[str, Any] | None, calls: Calls
    ) -> Admitted | Assessment:
        """The accepted policy, or an assessment that says why it is not. Both are whole documents."""
        try:
            return admit(policy, weights, self.registry, self.settings, calls)
        except Refused as refused:
            return Assessment(failure=(refused.reason, str(refused)))
        except PluginError as error:
            return Assessment(failure=_failure(error, calls))

    def assess(
        self,
        admitted: Admitted,
        status: Mapping[str, Any],
        carried: Carried | None,
        look: Look,
        now: datetime,
        calls: Calls,
    ) -> Assessment:
        """Decide and render. `status` is the policy's; `carried`: what its routes in the cluster carry."""
        accepted = admitted.accepted
        in_force = carried.plan if carried else None
        try:
            left = former(accepted, carried, self.registry, self.settings, calls)
            known = Known(look, now, in_force, mapping(status.get("strategyState")), left)
            outcome = decide(accepted, known, self.registry, self.settings, calls)
            if outcome.carried and outcome.held is Reason.MOVING:
                rendered = _render_former(outcome.carried, accepted, calls)
            else:
                rendered = render(outcome.plan, accepted, calls) if outcome.plan else ()
        except Refused as refused:
            return Assessment(None, (refused.reason, str(refused)), in_force=in_force)
        except PluginError as error:
            return Assessment(admitted, _failure(error, calls), in_force=in_force)
        return Assessment(admitted, None, outcome, rendered, in_force, left)

    def shift(self, assessment: Assessment) -> Shift | None:
        """The shift that a decision makes, if it is one that gates have a say in."""
        before, outcome = assessment.in_force, assessment.outcome
        if before is None or outcome is None or outcome.plan is None or outcome.held:
            return None
        if assessment.former is None and rescues(before, outcome.versions):
            return None
        gains = gaining(before, outcome.plan)
        if assessment.former and not gains:
            gains = tuple(version.name for version in outcome.plan.versions())  # all of them are others
        return Shift(outcome.plan.policy, before, outcome.plan, gains, outcome.reasons) if gains else None

    def stay(
        self, assessment: Assessment, carried: Carried, status: Mapping[str, Any], look: Look, calls: Calls
    ) -> Assessment:
        """The assessment with the routes that are in force, for a shift that may not happen yet.

        Those to a former environment go on following what becomes of its versions.
        """
        admitted, outcome = assessment.admitted, assessment.outcome
        if admitted is None or outcome is None:
            return assessment
        accepted = admitted.accepted
        stays = replace(carried, plan=replace(carried.plan, policy=accepted.policy))
        try:
            if assessment.former:
                stays = remain(assessment.former, look, calls) or stays
            rendered = _render_former(stays, accepted, calls)
        except PluginError as error:
            return Assessment(admitted, _failure(error, calls), in_force=carried.plan)
        state = mapping(status.get("strategyState"))
        held = replace(outcome, carried=stays, held=Reason.GATED, strategy_state=state)
        return replace(assessment, outcome=held, rendered=rendered)


def _render_former(carried: Carried, accepted: Accepted, calls: Calls) -> tuple[Rendered, ...]:
    """A plan of before; nothing where the router cannot carry it."""
    if not can_carry(carried.plan, accepted, calls):
        return ()
    return render(carried.plan, accepted, calls, carried=carried)


def _failure(error: PluginError, calls: Calls) -> tuple[Reason, str]:
    calls.blame(error)
    return Reason.PLUGIN_FAILED, error.message


def carried_by(policy: Policy, routes: tuple[Ref, ...], look: Look) -> Carried | None:
    """What a policy's routes carry; of several, the first in the order of `routes` that carries anything."""
    for ref in routes:
        entry = look(ref)
        if entry and entry.written and not foreign(entry, policy):
            carried = load(entry.written.plan, policy)
            if carried:
                return carried
    return None


def listed_routes(status: Mapping[str, Any], registry: Registry) -> tuple[Ref, ...]:
    """`status.routes` as references, for kinds that an installed router writes."""
    return tuple(ref for _, ref in _listed(status, registry) if ref)


def unknown_routes(status: Mapping[str, Any], registry: Registry) -> list[Mapping[str, Any]]:
    """The rest of `status.routes`: of routers that are kept out, or not installed any more."""
    return [said for said, ref in _listed(status, registry) if ref is None]


def _listed(status: Mapping[str, Any], registry: Registry) -> Iterable[tuple[Mapping[str, Any], Ref | None]]:
    kinds = {
        (kind.group, kind.kind): kind for loaded in registry.routers.values() for kind in loaded.plugin.writes
    }
    for said in items(status.get("routes")):
        group = str(said.get("apiVersion", "")).rpartition("/")[0]
        kind = kinds.get((group, str(said.get("kind"))))
        yield said, Ref(kind, str(said.get("namespace")), str(said.get("name"))) if kind else None
