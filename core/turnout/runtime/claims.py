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
        self._kept: dict[PolicyKey, frozenset[Ref]] = {}
        """What a policy that owns it keeps, wished for or not."""
        self._first: dict[Ref, Claim] = {}
        """What `first` has found, for as long as it holds."""

    def replace(self, key: PolicyKey, claims: Iterable[Claim]) -> set[Ref]:
        """Replace a policy's wishes. Returns the objects about which anything changed."""
        before, after = self._by_policy.get(key, {}), {claim.item.ref: claim for claim in claims}
        for ref in before.keys() - after.keys():
            self._by_ref[ref].pop(key, None)
            self._outdate(ref, key)
        for ref, claim in after.items():
            self._by_ref.setdefault(ref, {})[key] = claim
            first = self._first.get(ref)
            if first and claim.order <= first.order:
                self._first[ref] = claim
            else:
                self._outdate(ref, key)
        self._by_policy[key] = after
        return {ref for ref in before.keys() | after.keys() if before.get(ref) != after.get(ref)}

    def forget(self, key: PolicyKey) -> set[Ref]:
        """The policy is gone. Returns the objects that it wished for."""
        touched = self.replace(key, ())
        del self._by_policy[key]
        self._kept.pop(key, None)
        return touched

    def decided(self, key: PolicyKey) -> bool:
        """Whether the policy's wishes are known."""
        return key in self._by_policy

    def keep(self, key: PolicyKey, refs: frozenset[Ref]) -> None:
        """Let a policy keep these, which it owns: calls may still need them."""
        if refs:
            self._kept[key] = refs
        else:
            self._kept.pop(key, None)

    def keeps(self, key: PolicyKey, ref: Ref) -> bool:
        """Whether a policy that owns an object goes on doing so without a wish for it."""
        return not self.decided(key) or ref in self._kept.get(key, ())

    def first(self, ref: Ref) -> Claim | None:
        """The wish that counts; None if nobody wishes for the object.

        It is known at once unless the policy whose wish it was has withdrawn it or become a younger one:
        then the next call looks through all of them.
        """
        if ref not in self._first and (claims := self._by_ref.get(ref)):
            self._first[ref] = min(claims.values(), key=lambda claim: claim.order)
        return self._first.get(ref)

    def of(self, ref: Ref) -> list[Claim]:
        """Everybody's wish for an object, the one that counts first."""
        return sorted(self._by_ref.get(ref, {}).values(), key=lambda claim: claim.order)

    def _outdate(self, ref: Ref, key: PolicyKey) -> None:
        """Forget whose wish counts if it was this policy's."""
        if (first := self._first.get(ref)) and first.key == key:
            del self._first[ref]
