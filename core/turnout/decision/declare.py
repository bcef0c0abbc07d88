"""From a policy's document and its traffic weights to what a decision starts from."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from turnout.api.convert import to_policy, unknown_versions
from turnout.api.models import RoutingPolicy, TrafficWeights
from turnout.api.parse import parse_policy, parse_weights
from turnout.calling import Calls
from turnout.decision.accept import Accepted, Declared, Refused, accept
from turnout.errors import Invalid
from turnout.plugin import Uses
from turnout.plugin.reading import mapping
from turnout.reasons import Reason
from turnout.registry import Registry
from turnout.settings import Settings


@dataclass(frozen=True, slots=True)
class WeightsVerdict:
    """Whether traffic weights count, and why not. They count whole or not at all."""

    reason: Reason = Reason.VALID
    message: str = ""

    @property
    def counts(self) -> bool:
        return self.reason is Reason.VALID


@dataclass(frozen=True, slots=True)
class Admitted:
    """An accepted policy, with its weights if they count."""

    accepted: Accepted
    suspend: bool
    weights: WeightsVerdict


def admit(
    policy: Mapping[str, Any],
    weights: Mapping[str, Any] | None,
    registry: Registry,
    settings: Settings,
    calls: Calls,
) -> Admitted:
    """Accept a policy's document, with its weights over it where they fit.

    Weights that do not fit change nothing: the policy's own hold. Raises Refused for the policy.
    """
    try:
        document = parse_policy(policy)
    except Invalid as error:
        raise Refused(Reason.INVALID_SPEC, error.problems) from None
    kept = _accepted(policy)
    plain = accept(_declared(document, policy, None, settings, kept), registry, settings, calls)
    if weights is None:
        return Admitted(plain, document.spec.suspend, WeightsVerdict())
    try:
        override = parse_weights(weights)
    except Invalid as error:
        told = WeightsVerdict(Reason.INVALID_SPEC, "; ".join(map(str, error.problems)))
        return Admitted(plain, document.spec.suspend, told)
    verdict = _fits(document, override, plain)
    if verdict.counts:
        try:
            declared = _declared(document, policy, override, settings, kept and _accepted(weights))
            weighted = accept(declared, registry, settings, calls)
            return Admitted(weighted, document.spec.suspend, verdict)
        except Refused as error:
            verdict = WeightsVerdict(error.reason, f"with these weights, {error}")
    return Admitted(plain, document.spec.suspend, verdict)


def _declared(
    document: RoutingPolicy,
    raw: Mapping[str, Any],
    weights: TrafficWeights | None,
    settings: Settings,
    kept: bool,
) -> Declared:
    return Declared(
        policy=to_policy(document, weights=weights, cluster_domain=settings.cluster_domain),
        environment=document.spec.target_env,
        strategy=document.spec.traffic_strategy,
        router=document.spec.router,
        config=document.spec.config,
        document=raw,
        kept=kept,
    )


def _accepted(document: Mapping[str, Any]) -> bool:
    """Whether its status says that it was accepted as it stands."""
    listed = mapping(document.get("status")).get("conditions")
    said = [mapping(one) for one in (listed if isinstance(listed, list) else ())]
    generation = mapping(document.get("metadata")).get("generation")
    return generation is not None and any(
        one.get("type") == "Accepted"
        and one.get("status") == "True"
        and one.get("observedGeneration") == generation
        for one in said
    )


def _fits(document: RoutingPolicy, weights: TrafficWeights, plain: Accepted) -> WeightsVerdict:
    if unknown := unknown_versions(document, weights):
        known = ", ".join(version.name for version in plain.policy.versions)
        told = f"spec.weights: the policy has no version {', '.join(unknown)}; it has {known}"
        return WeightsVerdict(Reason.UNKNOWN_VERSION, told)
    strategy = plain.strategy
    if weights.spec.mirror_percentage is not None and Uses.MIRROR_PERCENTAGE not in strategy.uses:
        told = f"spec.mirrorPercentage: strategy {strategy.name} does not mirror"
        return WeightsVerdict(Reason.NOT_USED, told)
    return WeightsVerdict()
