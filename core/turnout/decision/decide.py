"""The decision itself: join, ask the strategy, seal, or hold."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from turnout.calling import Calls
from turnout.decision.accept import Accepted
from turnout.decision.carry import check_carried, check_reach, foresee
from turnout.decision.hold import hold
from turnout.decision.join import Look, join
from turnout.decision.objects import mapping
from turnout.decision.seal import seal
from turnout.decision.shares import shares
from turnout.plugin import Inputs, RoutePlan, Version
from turnout.reasons import Reason
from turnout.registry import Registry

SOONEST = timedelta(seconds=1)
"""A strategy is not asked more often than this by its own wish."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was decided. `plan` None: nothing can be routed, and the routes stay as they are.

    `reasons`: a sentence by version name. `held` says why the strategy's word is not what is routed, if
    so. `strategy_state` is what `status.strategyState` has to hold before the routes move.
    """

    versions: tuple[Version, ...]
    plan: RoutePlan | None
    reasons: Mapping[str, str]
    held: Reason | None = None
    strategy_state: Mapping[str, Any] = field(default_factory=dict)
    requeue_after: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Known:
    """What a decision starts from, besides the policy; `strategy_state` is `status.strategyState`."""

    look: Look
    now: datetime
    in_force: RoutePlan | None = None
    strategy_state: Mapping[str, Any] = field(default_factory=dict)


def decide(accepted: Accepted, known: Known, registry: Registry, calls: Calls) -> Outcome:
    """Decide a policy's routes from what is observed. Pure: the same arguments give the same outcome.

    Raises Refused for a plan that the router cannot carry or that leaves the allowed namespaces, and
    PluginError for a plugin at fault.
    """
    in_force = known.in_force
    routed = (
        frozenset(version.uid for version in in_force.versions() if version.uid) if in_force else frozenset()
    )
    versions = join(accepted, known.look, routed, calls)
    reasons = {version.name: version.message or version.reason for version in versions}
    identity = _identity(versions, accepted.policy.primary)
    inputs = Inputs(
        primary=accepted.policy.primary,
        versions=versions,
        now=known.now,
        in_force=shares(in_force),
        state=_recall(known.strategy_state, accepted.strategy.name, identity),
        mirror_percentage=accepted.policy.mirror_percentage,
    )
    foresee(accepted, inputs, registry, calls)
    if not any(version.available for version in versions):
        plan = hold(accepted, versions, in_force)
        return Outcome(versions, plan, reasons, Reason.NO_VERSION_READY, known.strategy_state)
    decision = calls.to(accepted.strategy.name, accepted.strategy.decide, inputs, accepted.strategy_options)
    plan = seal(decision, accepted, versions)
    reasons |= {name: str(reason) for name, reason in decision.reasons.items() if name in reasons and reason}
    state = _remember(decision.state, accepted.strategy.name, identity)
    if plan is None:
        weighty = any(version.available and not version.excluded for version in versions)
        held = Reason.NO_BACKEND if weighty else Reason.NO_WEIGHT
        return Outcome(versions, hold(accepted, versions, in_force), reasons, held, state)
    check_reach(plan, accepted)
    check_carried(plan, accepted, registry)
    later = decision.requeue_after
    return Outcome(versions, plan, reasons, None, state, max(later, SOONEST) if later else None)


def _identity(versions: tuple[Version, ...], primary: str) -> str:
    """Names the candidates there are: a strategy's memory of others is of no use."""
    return " ".join(f"{v.name}={v.uid}/{v.revision}" for v in versions if v.name != primary and v.uid)


def _recall(stored: Mapping[str, Any], strategy: str, identity: str) -> Mapping[str, Any]:
    if stored.get("strategy") != strategy or stored.get("candidates") != identity:
        return {}
    return mapping(stored.get("data"))


def _remember(state: Mapping[str, Any], strategy: str, identity: str) -> Mapping[str, Any]:
    return {"strategy": strategy, "candidates": identity, "data": dict(state)} if state else {}
