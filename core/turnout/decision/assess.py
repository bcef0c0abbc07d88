"""The pure part of a reconcile: from documents to what should be in the cluster, or why nothing is."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from turnout.calling import Calls, PluginError
from turnout.decision.accept import Refused
from turnout.decision.decide import Known, Outcome, decide
from turnout.decision.declare import Admitted, admit
from turnout.decision.drift import foreign
from turnout.decision.join import Look
from turnout.decision.render import Rendered, render
from turnout.decision.stored import load
from turnout.plugin import Policy, Ref, RoutePlan
from turnout.plugin.reading import mapping
from turnout.reasons import Reason
from turnout.registry import Registry
from turnout.settings import Settings


@dataclass(frozen=True, slots=True)
class Assessment:
    """What a policy asks for, and what should be.

    `admitted` None: the policy is not accepted. `failure`: why no routes come of it, as a condition's
    reason and message; `outcome` and `rendered` are then missing. `in_force`: what the routes in the
    cluster say now.
    """

    admitted: Admitted | None = None
    failure: tuple[Reason, str] | None = None
    outcome: Outcome | None = None
    rendered: tuple[Rendered, ...] = ()
    in_force: RoutePlan | None = None


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
            return Assessment(failure=(Reason.PLUGIN_FAILED, error.message))

    def assess(
        self,
        admitted: Admitted,
        status: Mapping[str, Any],
        routes: tuple[Ref, ...],
        look: Look,
        now: datetime,
        calls: Calls,
    ) -> Assessment:
        """Decide and render. `status` is the policy's; `routes`: objects that may say what is in force."""
        accepted = admitted.accepted
        in_force = plan_in_force(accepted.policy, routes, look)
        known = Known(look, now, in_force, mapping(status.get("strategyState")))
        try:
            outcome = decide(accepted, known, self.registry, calls)
            rendered = render(outcome.plan, accepted, calls) if outcome.plan else ()
        except Refused as refused:
            return Assessment(None, (refused.reason, str(refused)), in_force=in_force)
        except PluginError as error:
            return Assessment(admitted, (Reason.PLUGIN_FAILED, error.message), in_force=in_force)
        return Assessment(admitted, None, outcome, rendered, in_force)


def plan_in_force(policy: Policy, routes: tuple[Ref, ...], look: Look) -> RoutePlan | None:
    """The plan that a policy's routes carry; of several, the first in the order of `routes` that has one."""
    for ref in routes:
        entry = look(ref)
        if entry and entry.written and not foreign(entry, policy):
            plan = load(entry.written.plan, policy)
            if plan:
                return plan
    return None


def listed_routes(status: Mapping[str, Any], registry: Registry) -> tuple[Ref, ...]:
    """`status.routes` as references, for kinds that an installed router writes."""
    kinds = {
        (kind.group, kind.kind): kind for loaded in registry.routers.values() for kind in loaded.plugin.writes
    }
    listed = status.get("routes")
    refs = []
    for said in listed if isinstance(listed, list) else ():
        if isinstance(said, Mapping):
            group = str(said.get("apiVersion", "")).rpartition("/")[0]
            kind = kinds.get((group, str(said.get("kind"))))
            if kind:
                refs.append(Ref(kind, str(said.get("namespace")), str(said.get("name"))))
    return tuple(refs)
