"""Which policy serves a host, where policies of several namespaces may ask for the same one.

They may where the administrator lets them reach into a namespace of models that they share. Within one
namespace the names of routes tell policies apart.
"""

from collections.abc import Collection
from typing import NamedTuple

from turnout.runtime.keys import PolicyKey


class Wish(NamedTuple):
    """The hosts that a policy asks for, and those that its routes serve already. `created`: when it was."""

    created: str
    hosts: frozenset[str]
    held: frozenset[str]


class Hosts:
    """The wishes of all policies that have been looked at since the start."""

    def __init__(self) -> None:
        self._wishes: dict[PolicyKey, Wish | None] = {}
        self._by_host: dict[str, set[PolicyKey]] = {}

    def replace(self, key: PolicyKey, wish: Wish | None) -> set[PolicyKey]:
        """Replace a policy's wish; None for one that has none. Returns the others that it concerns."""
        before = self._wishes.get(key)
        self._wishes[key] = wish
        if before == wish:
            return set()
        old, new = (one.hosts if one else frozenset() for one in (before, wish))
        for host in old - new:
            self._by_host[host].discard(key)
        for host in new:
            self._by_host.setdefault(host, set()).add(key)
        return set().union(*(self._by_host[host] for host in old | new)) - {key}

    def forget(self, key: PolicyKey) -> set[PolicyKey]:
        """The policy is gone. Returns the others that it concerns."""
        concerned = self.replace(key, None) if key in self._wishes else set()
        self._wishes.pop(key, None)
        return concerned

    def held(self, key: PolicyKey) -> frozenset[str]:
        """The hosts that a policy was last said to serve."""
        return (self._wishes.get(key) or _NOTHING).held

    def known(self, keys: Collection[PolicyKey]) -> bool:
        """Whether the wishes of all these policies are known."""
        return all(key in self._wishes for key in keys)

    def taken(self, key: PolicyKey) -> tuple[str, PolicyKey] | None:
        """A host that a policy of another namespace serves, and that policy.

        It is that of the one whose routes serve it; of several, or of none, of the oldest.
        """
        wish = self._wishes[key]
        for host in sorted(wish.hosts) if wish else ():
            first = min(self._by_host[host], key=lambda one: self._order(one, host))
            if first.namespace != key.namespace:
                return host, first
        return None

    def _order(self, key: PolicyKey, host: str) -> tuple[bool, str, str]:
        wish = self._wishes[key] or _NOTHING
        return host not in wish.held, wish.created, str(key)


_NOTHING = Wish("", frozenset(), frozenset())
