"""Which objects matter to a policy: a change of one wakes it, and a version among them stays protected."""

from collections.abc import Sequence
from typing import Any

from turnout.decision.accept import Accepted
from turnout.decision.assess import Assessment
from turnout.plugin import Ref, Router
from turnout.runtime.context import Context
from turnout.runtime.keys import PolicyKey
from turnout.runtime.moves import LeftOver


class Interests:
    """Keeps the index. What no longer matters to a policy may have to be released."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._former: dict[PolicyKey, frozenset[Ref]] = {}
        """The objects of former environments, to which the routes of these policies still lead."""

    def admitted(self, key: PolicyKey, accepted: Accepted, writers: Sequence[Router[Any]]) -> None:
        """Follow what a policy names. `writers`: the routers that may have written for it."""
        for plugin in (accepted.environment, *writers):
            self._context.kinds.need(plugin)
        kinds = {kind for router in writers for kind in router.writes}
        mine = {ref for ref in self._context.index.refs(key) if ref.kind in kinds}
        self._replace(key, _versions(accepted) | self._former.get(key, frozenset()) | mine)

    def decided(self, key: PolicyKey, accepted: Accepted, assessment: Assessment, left: LeftOver) -> None:
        """Follow what is routed and written for a policy as well."""
        former = frozenset[Ref]()
        if left.own or assessment.stays:
            former = assessment.former.watched if assessment.former else self._former.get(key, former)
        self._former[key] = former
        rendered = {item.ref for item in assessment.rendered}
        self._replace(key, _versions(accepted) | former | rendered | left.refs)

    def forget(self, key: PolicyKey) -> None:
        """The policy is gone."""
        self._former.pop(key, None)
        self._replace(key, set())

    def _replace(self, key: PolicyKey, refs: set[Ref]) -> None:
        for ref in self._context.index.replace(key, refs):
            self._context.leave(ref, key)


def _versions(accepted: Accepted) -> set[Ref]:
    return {ref for refs in accepted.refs.values() for ref in refs}
