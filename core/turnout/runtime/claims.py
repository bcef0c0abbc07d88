"""Which policies want a shared object, and whose wish it is that counts."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from turnout.decision.render import Rendered
from turnout.plugin import Ref
from turnout.runtime.keys import PolicyKey


@dataclass(frozen=True, slots=True)
class Claim:
    """A policy's wish for a shared object. The oldest wins: by creation, then by name."""

    created: str
    key: PolicyKey
    uid: str
    item: Rendered

    @property
    def order(self) -> tuple[str, str]:
        return self.created, str(self.key)


class Claims:
    """The wishes of all policies that have been decided since the start."""

    def __init__(self) -> None:
        self._by_ref: dict[Ref, dict[PolicyKey, Claim]] = {}
        self._by_policy: dict[PolicyKey, Mapping[Ref, Claim]] = {}

    def replace(self, key: PolicyKey, claims: Iterable[Claim]) -> set[Ref]:
        """Replace a policy's wishes. Returns the objects about which anything changed."""
        before, after = self._by_policy.get(key, {}), {claim.item.ref: claim for claim in claims}
        for ref in before.keys() - after.keys():
            self._by_ref[ref].pop(key, None)
        for ref, claim in after.items():
            self._by_ref.setdefault(ref, {})[key] = claim
        self._by_policy[key] = after
        return {ref for ref in before.keys() | after.keys() if before.get(ref) != after.get(ref)}

    def forget(self, key: PolicyKey) -> set[Ref]:
        """The policy is gone. Returns the objects that it wished for."""
        touched = self.replace(key, ())
        del self._by_policy[key]
        return touched

    def decided(self, key: PolicyKey) -> bool:
        """Whether the policy's wishes are known: before that it keeps what it has."""
        return key in self._by_policy

    def of(self, ref: Ref) -> list[Claim]:
        """Everybody's wish for an object, the one that counts first."""
        return sorted(self._by_ref.get(ref, {}).values(), key=lambda claim: claim.order)
