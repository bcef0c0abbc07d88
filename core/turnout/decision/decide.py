"""The decision itself: join, ask the strategy, seal, or hold."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from turnout.calling import Calls
from turnout.decision.accept import Accepted, Refused
from turnout.decision.carry import check_carried, check_reach, foresee
from turnout.decision.fit import Refusal, fitting
from turnout.decision.hold import hold, with_backends
from turnout.decision.join import Look, join
from turnout.decision.move import Former, awaited, remain
from turnout.decision.seal import seal, sealed_reasons, sealed_state
from turnout.decision.shares import shares
from turnout.decision.stored import Carried
from turnout.plugin import Inputs, RoutePlan, Version
from turnout.plugin.reading import mapping
from turnout.reasons import Reason
from turnout.registry import Registry
from turnout.settings import Settings

SOONEST = timedelta(seconds=1)
"""A strategy is not asked more often than this by its own wish."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was decided. `carried` None: nothing can be routed, and the routes stay as they are.

    `refused`: why, if what would have to be routed cannot be carried. `reasons`: a sentence by version
    name. `held` says why the strategy's word is not what is routed, if so. `strategy_state` is what
    `status.strategyState` has to hold before the routes move. `awaited`: the versions for which a policy
    that has changed its environment waits.
    """

    versions: tuple[Version, ...]
    carried: Carried | None
    reasons: Mapping[str, str]
    held: Reason | None = None
    strategy_state: Mapping[str, Any] = field(default_factory=dict)
    requeue_after: timedelta | None = None
    awaited: tuple[Version, ...] = ()
    refused: Refusal | None = None

    @property
    def plan(self) -> RoutePlan | None:
        """What is routed."""
        return self.carried.plan if self.carried else None

    @property
    def environment(self) -> str:
        """The environment whose versions the plan leads to."""
        return self.carried.environment if self.carried else ""


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


def decide(accepted: Accepted, known: Known, registry: Registry, settings: Settings, calls: Calls) -> Outcome:
    """Decide a policy's routes from what is observed. Pure: the same arguments give the same outcome.

    Raises Refused for a policy that asks for what the router cannot carry or leaves the allowed
    namespaces, whatever is observed, and PluginError for a plugin at fault.
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
    foresee(accepted, inputs, registry, settings, calls)

    def decided(versions: tuple[Version, ...]) -> Outcome:
        """Without a plan where that cannot be carried."""
        asked = replace(inputs, versions=versions)
        if any(version.available for version in versions):
            outcome = _ask(accepted, asked, in_force, identity, calls)
        else:
            outcome = _hold(accepted, known, versions)
        if outcome.plan is None:
            return outcome
        try:
            check_reach(outcome.plan, accepted)
            check_carried(outcome.plan, accepted, asked, registry, settings, calls)
        except Refused as refused:
            return replace(outcome, carried=None, refused=(refused.reason, str(refused)))
        return outcome

    def precedence(version: Version) -> int:
        return 0 if version.name == accepted.policy.primary else 1 if version.uid in routed else 2

    if stays := _stay(accepted, known, versions, calls):
        return stays
    outcome = decided(versions)
    if not outcome.refused:
        return outcome
    outcome = decided(fitting(versions, precedence, lambda tried: decided(tried).refused))
    # A version that is left out is not there to take over.
    return _stay(accepted, known, outcome.versions, calls) or outcome


def _hold(accepted: Accepted, known: Known, versions: tuple[Version, ...]) -> Outcome:
    """The routes in force, as no version can carry traffic."""
    carried = _carried(hold(accepted, versions, known.in_force), accepted)
    return Outcome(versions, carried, _told(versions), Reason.NO_VERSION_READY, known.strategy_state)


def _stay(accepted: Accepted, known: Known, versions: tuple[Version, ...], calls: Calls) -> Outcome | None:
    """The routes to the former environment, of a policy whose new one cannot take over yet."""
    carried = remain(known.former, known.look, calls) if known.former else None
    missing = awaited(accepted, versions, carried.plan) if carried else ()
    if not missing:
        return None
    state = known.strategy_state
    return Outcome(versions, carried, _told(versions), Reason.MOVING, state, awaited=missing)


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
    return Outcome(versions, _carried(plan, accepted), reasons, held, state, later)


def _carried(plan: RoutePlan | None, accepted: Accepted) -> Carried | None:
    return Carried.of(plan, accepted) if plan else None


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
