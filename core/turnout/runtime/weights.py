"""Traffic weights' own object: whether they count, and their policy as their owner."""

from turnout.decision.declare import Admitted
from turnout.decision.render import owner_reference
from turnout.names import TRAFFIC_WEIGHTS
from turnout.plugin import Ref
from turnout.reasons import Reason
from turnout.runtime.admission import Admission
from turnout.runtime.context import Context, Retry
from turnout.runtime.errors import ApiError
from turnout.runtime.keys import PolicyKey, WeightsKey
from turnout.runtime.store import Document
from turnout.status import Verdict, conditions, same


class WeightsReconciler:
    """Says in their status what the policy's reconcile has made of them."""

    def __init__(self, context: Context, policies: Admission) -> None:
        self._context = context
        self._policies = policies

    async def reconcile(self, key: WeightsKey) -> float | None:
        """Raises ApiError and ConnectionFailed; Retry for weights that have changed."""
        weights = self._context.store.weights.get((key.namespace, key.name))
        if weights is None or weights.deleting:
            return None
        ref = Ref(TRAFFIC_WEIGHTS, key.namespace, key.name)
        policy_key = PolicyKey(key.namespace, key.name)
        policy = self._context.policy(policy_key)
        if policy and not self._context.serves(policy):
            return None
        verdict = self._verdict(policy_key, policy, weights)
        if verdict is None:
            return None
        status = {
            "observedGeneration": weights.generation,
            "conditions": conditions(
                {"Accepted": verdict}, weights.status, weights.generation, self._context.clock.now()
            ),
        }
        try:
            if policy and policy.uid not in weights.owners:
                others = weights.content["metadata"].get("ownerReferences") or []
                mine = owner_reference(policy_key.name, policy.uid, controller=False)
                weights = await self._context.writer.own_weights(ref, weights, [*others, mine])
            if not same(weights.status, status):
                await self._context.writer.weights_status(ref, weights, status)
        except ApiError as error:
            if error.status == 409:
                raise Retry from None
            if error.status != 404:
                raise
        return None

    def _verdict(self, key: PolicyKey, policy: Document | None, weights: Document) -> Verdict | None:
        if policy is None:
            return Verdict(False, Reason.NO_POLICY, f"there is no RoutingPolicy {key}")
        found = self._policies.verdict(key, weights)
        if found is None:
            return None
        if isinstance(found, Admitted):
            return Verdict(found.weights.counts, found.weights.reason, found.weights.message)
        return Verdict(False, Reason.NOT_ACCEPTED, f"RoutingPolicy {key} is not accepted")
