"""What the routes of policies carry: where a decision starts from."""

from turnout.decision.accept import Accepted
from turnout.decision.assess import carried_by
from turnout.decision.stored import Carried
from turnout.plugin import Ref
from turnout.runtime.keys import PolicyKey
from turnout.runtime.store import Document, Store


class CarriedPlans:
    """Reads them from the routes, and remembers what was read last."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._last: dict[PolicyKey, tuple[str, Carried | None]] = {}
        """With the uid of the policy."""

    def of(self, key: PolicyKey, document: Document, accepted: Accepted) -> Carried | None:
        """What calls go by: routes that the network has taken come first, then those of the policy's router.

        What they carried last, where someone has removed all of them.
        """
        writes = accepted.router.writes

        def order(ref: Ref) -> tuple[bool, bool]:
            entry = self._store.look(ref)
            written = entry.written if entry else None
            return bool(written and (written.refusal or written.pending)), ref.kind not in writes

        found = sorted(self._store.routes(key), key=order)
        carried = carried_by(accepted.policy, tuple(found), self._store.look)
        uid, last = self._last.get(key, ("", None))
        if carried is None and uid == document.uid and document.status.get("routes"):
            carried = last
        self._last[key] = document.uid, carried
        return carried

    def forget(self, key: PolicyKey) -> None:
        """The policy is gone."""
        self._last.pop(key, None)
