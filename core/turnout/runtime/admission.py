"""Looks at policies and their weights before anything is decided for them."""

from dataclasses import dataclass

from turnout.decision.assess import Assessment
from turnout.decision.declare import Admitted
from turnout.reasons import Reason
from turnout.runtime.context import Context
from turnout.runtime.failures import Failures
from turnout.runtime.keys import PolicyKey, WeightsKey
from turnout.runtime.store import Document


@dataclass(frozen=True, slots=True)
class _Found:
    """What was made of a policy and its weights in these states. `policy` None: to be looked at again."""

    policy: object
    weights: object
    made: Admitted | Assessment


class Admission:
    """Accepts policies or not, and remembers it for as long as what they say stays the same."""

    def __init__(self, context: Context, failures: Failures) -> None:
        self._context = context
        self._failures = failures
        self._found: dict[PolicyKey, _Found] = {}

    async def admit(self, key: PolicyKey, document: Document) -> Admitted | Assessment:
        """The policy, accepted or not; looked at anew only when it or its weights have changed."""
        weights = self._context.store.weights.get((key.namespace, key.name))
        weights = None if weights is None or weights.deleting else weights
        state = (document.uid, document.generation, document.marks)
        known = self._found.get(key)
        if known and known.policy == state and known.weights == _state(weights):
            return known.made
        made = await self._context.guard.run(
            lambda calls: self._context.assessor.admit(
                document.content, weights.content if weights else None, calls
            )
        )
        unchecked = self._failures.unchecked(key, made)
        if isinstance(made, Admitted) or (made.failure and made.failure[0] is not Reason.PLUGIN_FAILED):
            self._found[key] = _Found(None if unchecked else state, _state(weights), made)
        if weights:
            self._context.queue.add(WeightsKey(key.namespace, key.name))
        return made

    def verdict(self, key: PolicyKey, weights: Document) -> Admitted | Assessment | None:
        """What was found of a policy with these weights; None until they have been looked at."""
        known = self._found.get(key)
        return known.made if known and known.weights == _state(weights) else None

    def forget(self, key: PolicyKey) -> None:
        """The policy is gone."""
        self._found.pop(key, None)


def _state(weights: Document | None) -> object:
    return weights and (weights.uid, weights.generation)
