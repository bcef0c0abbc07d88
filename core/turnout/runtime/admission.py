"""Looks at policies and their weights before anything is decided for them."""

from turnout.decision.assess import Assessment
from turnout.decision.declare import Admitted
from turnout.reasons import Reason
from turnout.runtime.context import Context
from turnout.runtime.failures import Failures
from turnout.runtime.keys import PolicyKey, WeightsKey
from turnout.runtime.store import Document


class Admission:
    """Accepts policies or not, and remembers it for as long as what they say stays the same."""

    def __init__(self, context: Context, failures: Failures) -> None:
        self._context = context
        self._failures = failures
        self._found: dict[PolicyKey, tuple[object, Admitted | Assessment]] = {}
        """With what was looked at."""

    async def admit(self, key: PolicyKey, document: Document) -> Admitted | Assessment:
        """The policy, accepted or not; looked at anew only when it or its weights have changed."""
        weights = self._context.store.weights.get((key.namespace, key.name))
        weights = None if weights is None or weights.deleting else weights
        state = (
            document.uid,
            document.generation,
            document.marks,
            weights and (weights.uid, weights.generation),
        )
        before, known = self._found.get(key, (None, None))
        if known is not None and before == state:
            return known
        made = await self._context.guard.run(
            lambda calls: self._context.assessor.admit(
                document.content, weights.content if weights else None, calls
            )
        )
        unchecked = self._failures.unchecked(key, made)
        if isinstance(made, Admitted) or (made.failure and made.failure[0] is not Reason.PLUGIN_FAILED):
            self._found[key] = (None if unchecked else state, made)
        if weights:
            self._context.queue.add(WeightsKey(key.namespace, key.name))
        return made

    def verdict(self, key: PolicyKey) -> Admitted | Assessment | None:
        """What was last found of a policy's document and weights."""
        return self._found.get(key, (None, None))[1]

    def forget(self, key: PolicyKey) -> None:
        """The policy is gone."""
        self._found.pop(key, None)
