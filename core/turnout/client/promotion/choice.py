"""Which version is promoted, whether it may be, and what of the weights before and after. Pure."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from turnout.client.promotion.errors import CandidateError, PromotionRefusedError
from turnout.documents import Sourced
from turnout.expectations import nearest
from turnout.names import GROUP, TRAFFIC_WEIGHTS, VERSION
from turnout.offline import Offline
from turnout.plugin.reading import integer, mapping
from turnout.reasons import Reason
from turnout.registry import Registry
from turnout.rollout import Rollout, RolloutVersion
from turnout.settings import Settings
from turnout.shown import plain, sentence, shown

ABSENT = frozenset({str(Reason.MISSING), str(Reason.DELETING)})


def choose(rollout: Rollout, chosen: str | None) -> str:
    """The candidate to promote: the chosen one, or the only one there is. Raises CandidateError."""
    known = ", ".join(map(plain, rollout.candidates)) or "none"
    if chosen == rollout.primary:
        raise CandidateError(f"{plain(chosen)} is the primary of {rollout}; its candidates: {known}")
    if chosen is not None and chosen not in rollout.candidates:
        near = nearest(chosen, rollout.candidates)
        hint = f"; did you mean {near}?" if near else ""
        raise CandidateError(f"{rollout} has no candidate {shown(chosen)}, it has {known}{hint}")
    if chosen is not None:
        return chosen
    there = [one.name for one in rollout.versions if _is_candidate(one, rollout) and one.reason not in ABSENT]
    if len(there) > 1:
        found = ", ".join(map(plain, there))
        raise CandidateError(f"{rollout} has {len(there)} candidates, {found}: say which one with --from")
    if not there:
        why = rollout.awaits if not rollout.versions else f"of {known} none exists"
        raise PromotionRefusedError(f"{rollout} has no candidate to promote: {why}")
    return there[0]


def _is_candidate(one: RolloutVersion, rollout: Rollout) -> bool:
    return one.name in rollout.candidates


def refuse_unfit(rollout: Rollout, candidate: str) -> None:
    """Raises PromotionRefusedError unless the candidate is ready and carries calls."""
    if rollout.suspended:
        told = "its routes stay as they are until spec.suspend is false"
        raise PromotionRefusedError(f"{rollout} is suspended: {told}")
    if not rollout.in_force:
        raise PromotionRefusedError(f"{rollout} is not in force: {sentence(rollout.awaits, 1024)}")
    one = next((one for one in rollout.versions if one.name == candidate), None)
    told = (one.message or one.reason) if one else "the status of the policy does not have it"
    if one is None or one.ready is not True:
        raise PromotionRefusedError(f"{plain(candidate)} is not ready: {sentence(told, 1024)}")
    if not one.carries:
        why = "its weight is 0" if one.weight == 0 else sentence(told, 1024)
        how = f"turnout weights {rollout.name} …, or --reset, gives it some"
        raise PromotionRefusedError(
            f"{plain(candidate)} carries no calls that would show it fit: {why}; {how}"
        )


def weights_after(former: Mapping[str, Any] | None, rollout: Rollout) -> Mapping[str, Any] | None:
    """The spec of the traffic weights once the candidate is gone; None: there are none.

    What held before, for candidates to come too; but weights that keep the primary out would leave
    nobody to answer, so that the policy's own hold then, or all goes to the primary.
    """
    given = mapping((former or {}).get("weights")).get(rollout.primary)
    declared = rollout.declared.get(rollout.primary)
    said = integer(given) if former is not None else None
    if (declared if said is None else said) != 0:
        return former
    return None if declared != 0 else {"weights": rollout.all_to(rollout.primary)}


def refuse_unled(
    policy: Mapping[str, Any],
    objects: Iterable[Mapping[str, Any]],
    candidate: str,
    registry: Registry,
    settings: Settings,
    now: datetime,
) -> None:
    """Raises PromotionRefusedError unless weights can lead all calls to the candidate.

    Decided as the controller would decide it, on the version objects as they are.
    """
    rollout = Rollout.read(policy)
    known = Offline(registry, settings, now, rollout.namespace)
    documents = [policy, _weights(rollout, rollout.all_to(candidate)), *objects]
    known.add(Sourced("the cluster", one) for one in documents)
    (planned,) = known.plan()
    wrong = planned.problem
    if planned.weights and not planned.weights.counts:
        wrong = planned.weights.reason, planned.weights.message
    if wrong:
        raise PromotionRefusedError(f"{rollout}: {wrong[0]}: {sentence(wrong[1], 1024)}")
    outcome = planned.assessment.outcome
    rules = outcome.plan.rules if outcome and outcome.plan else ()
    led = {share.version.name for rule in rules for share in rule.shares}
    led |= {mirror.version.name for rule in rules for mirror in rule.mirrors}
    if not led - {candidate}:
        return
    others, strategy = ", ".join(sorted(led - {candidate})), rollout.strategy
    told = f"strategy {strategy} leaves calls with {others} whatever the weights"
    options = planned.admitted.accepted.strategy.options.model_fields if planned.admitted else {}
    hint = f"; with spec.config.{strategy}.fallback: candidate it does not" if "fallback" in options else ""
    raise PromotionRefusedError(f"{rollout}: {told}, and they may fail while it is replaced{hint}")


def _weights(rollout: Rollout, weights: Mapping[str, int]) -> dict[str, Any]:
    return {
        "apiVersion": f"{GROUP}/{VERSION}",
        "kind": TRAFFIC_WEIGHTS.kind,
        "metadata": {"name": rollout.name, "namespace": rollout.namespace},
        "spec": {"weights": dict(weights)},
    }
