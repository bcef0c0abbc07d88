"""Keeps policies of one namespace from taking the hosts of another's."""

from turnout.decision.accept import Accepted
from turnout.decision.assess import Assessment
from turnout.decision.stored import Carried
from turnout.reasons import Reason
from turnout.runtime.context import Context, Retry
from turnout.runtime.hosts import Wish
from turnout.runtime.keys import PolicyKey
from turnout.runtime.store import Document


class HostWishes:
    """Says which hosts policies want, and wakes those whom that concerns."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def taken(
        self, key: PolicyKey, document: Document, accepted: Accepted, carried: Carried | None
    ) -> Assessment | None:
        """Why a policy is not accepted: one of another namespace serves its host. Raises Retry at start."""
        context = self._context
        if not context.assessor.settings.allow_namespaces:
            return None  # every host is of the policy's own namespace
        hosts = frozenset(host for frontend in accepted.frontends for host in frontend.hosts)
        served = carried.plan.frontends if carried else ()
        held = {host for frontend in served for host in frontend.hosts} | context.hosts.held(key)
        self._replace(key, Wish(document.created, hosts, hosts & held))
        if not context.hosts.known(context.unseen or ()):
            raise Retry
        if (taken := context.hosts.taken(key)) is None:
            self._replace(key, Wish(document.created, hosts, hosts))
            return None
        told = f"host {taken[0]} is that of policy {taken[1]}; give the policy another modelName"
        return Assessment(failure=(Reason.HOST_TAKEN, told))

    def none(self, key: PolicyKey) -> None:
        """The policy wants no host now."""
        self._replace(key, None)

    def forget(self, key: PolicyKey) -> None:
        """The policy is gone."""
        self._wake(self._context.hosts.forget(key))

    def _replace(self, key: PolicyKey, wish: Wish | None) -> None:
        self._wake(self._context.hosts.replace(key, wish))

    def _wake(self, keys: set[PolicyKey]) -> None:
        for key in keys:
            self._context.queue.add(key)
