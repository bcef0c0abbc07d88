"""The decision itself: join, ask the strategy, seal, or hold."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from turnout.calling import Calls
from turnout.decision.accept import Accepted
from turnout.decision.carry import check_carried, check_reach, foresee
from turnout.decision.hold import hold, with_backends
from turnout.decision.join import Look, join
from turnout.decision.move import Former, awaited, remain
from turnout.decision.seal import seal, sealed_reasons, sealed_state
from turnout.decision.shares import shares
from turnout.plugin import Inputs, RoutePlan, Version
from turnout.plugin.reading import mapping
from turnout.reasons import Reason
from turnout.registry import Registry

SOONEST = timedelta(seconds=1)
"""A strategy is not asked more often than this by its own wish."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was decided. `plan` None: nothing can be routed, and the routes stay as they are.

    `environment` is the one whose versions the plan leads to. `reasons`: a sentence by version name.
    `held` says why the strategy's word is not what is routed, if so. `strategy_state` is what
    `status.strategyState` has to hold before the routes move. `awaited`: the versions for which a policy
    that has changed its environment waits.
    """

    versions: tuple[Version, ...]
    plan: RoutePlan | None
    environment: str
    reasons: Mapping[str, str]
    held: Reason | None = None
    strategy_state: Mapping[str, Any] = field(default_factory=dict)
    requeue_after: timedelta | None = None
    awaited: tuple[Version, ...] = ()


@dataclass(frozen=True, slots=True)
class Known:
    """What a decision starts from, besides the policy.

    `strategy_state` is `status.strategyState`. `former`: the environment that the plan in force leads to,
    if it is another one than the policy's.
    """

    look: Look
    now: datetime
    in_force: RoutePlan | None = None
    strategy_state: Mapping[str, Any] = field(default_factory=dict)
    former: Former | None = None


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
    outcome = _stay(accepted, known, versions)
    if outcome is None and any(version.available for version in versions):
        outcome = _ask(accepted, inputs, in_force, identity, calls)
    elif outcome is None:
        plan = hold(accepted, versions, in_force)
        held, name = Reason.NO_VERSION_READY, accepted.environment.name
        outcome = Outcome(versions, plan, name, _told(versions), held, known.strategy_state)
    if outcome.plan:
        check_reach(outcome.plan, accepted)
        check_carried(outcome.plan, accepted, registry, calls)
    return outcome


def _stay(accepted: Accepted, known: Known, versions: tuple[Version, ...]) -> Outcome | None:
    """The routes in force, of a policy whose new environment cannot take over yet."""
    if known.former is None or known.in_force is None:
        return None
    missing = awaited(accepted, versions, known.in_force)
    plan = remain(known.in_force, known.former, known.look) if missing else None
    if plan is None:
        return None
    name, state = known.former.environment, known.strategy_state
    return Outcome(versions, plan, name, _told(versions), Reason.MOVING, state, awaited=missing)


def _ask(
    accepted: Accepted, inputs: Inputs, in_force: RoutePlan | None, identity: str, calls: Calls
) -> Outcome:
    """The strategy's decision, or the routes in force where it leaves nothing to route."""
    strategy, versions = accepted.strategy, inputs.versions
    decision = calls.to(strategy.name, strategy.decide, inputs, accepted.strategy_options)
    plan = seal(decision, accepted, tuple(_reached(version, accepted, in_force) for version in versions))
    reasons = _told(versions)
    reasons |= {name: told for name, told in sealed_reasons(decision, accepted).items() if told}
    held = None
    if plan is None:
        weighty = any(version.available and not version.excluded for version in versions)
        held = Reason.NO_BACKEND if weighty else Reason.NO_WEIGHT
        plan = hold(accepted, versions, in_force)
    state = _remember(sealed_state(decision, accepted), strategy.name, identity)
    later = decision.requeue_after
    later = None if later is None else max(later, SOONEST)
    return Outcome(versions, plan, accepted.environment.name, reasons, held, state, later)


def _told(versions: tuple[Version, ...]) -> dict[str, str]:
    return {version.name: version.message or version.reason for version in versions}


def _reached(version: Version, accepted: Accepted, in_force: RoutePlan | None) -> Version:
    """The version; a primary that tells no backend now keeps the one it has in the plan in force."""
    if version.name != accepted.policy.primary:
        return version
    return with_backends(version, in_force, accepted) or version


def _identity(versions: tuple[Version, ...], primary: str) -> str:
    """Names the candidates there are: a strategy's memory of others is of no use."""
    return " ".join(f"{v.name}={v.uid}/{v.revision}" for v in versions if v.name != primary and v.uid)


def _recall(stored: Mapping[str, Any], strategy: str, identity: str) -> Mapping[str, Any]:
    if stored.get("strategy") != strategy or stored.get("candidates") != identity:
        return {}
    return mapping(stored.get("data"))


def _remember(state: Mapping[str, Any], strategy: str, identity: str) -> Mapping[str, Any]:
    return {"strategy": strategy, "candidates": identity, "data": dict(state)} if state else {}
