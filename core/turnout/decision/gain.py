"""Does a decision move calls to a version, or away from one that is lost? Gates are asked of the first."""

from collections import defaultdict
from collections.abc import Iterable, Mapping

from turnout.decision.shares import shares
from turnout.plugin import Match, RoutePlan, Version


def gaining(before: RoutePlan, after: RoutePlan) -> tuple[str, ...]:
    """The versions, by name, that get more of the calls, other ones, or copies of more."""
    old, new = shares(before), shares(after)
    was, now = _matched(before), _matched(after)
    copied, copies = _mirrored(before), _mirrored(after)
    return tuple(
        version.name
        for version in after.versions()
        if new.get(version.name, 0) > old.get(version.name, 0)
        or not now[version.name] <= was[version.name]
        or copies[version.name] > copied[version.name]
    )


def rescues(before: RoutePlan, versions: Iterable[Version]) -> bool:
    """Whether the routes in force lead to a version that may carry no traffic now, or is gone."""
    available = {version.uid for version in versions if version.available}
    return any(version.uid not in available for version in before.versions())


def _matched(plan: RoutePlan) -> Mapping[str, set[Match]]:
    """The matches by which each version gets calls."""
    found: defaultdict[str, set[Match]] = defaultdict(set)
    for rule in plan.rules:
        for share in rule.shares:
            found[share.version.name].update(rule.matches)
    return found


def _mirrored(plan: RoutePlan) -> Mapping[str, float]:
    """The largest percentage of a rule's calls of which each version gets copies."""
    found: defaultdict[str, float] = defaultdict(float)
    for rule in plan.rules:
        for mirror in rule.mirrors:
            found[mirror.version.name] = max(found[mirror.version.name], mirror.percentage)
    return found
