"""Who gets how much: shares of a plan, for status, logs and people."""

from collections.abc import Mapping

from turnout.plugin import RoutePlan

NO_SHARE = "0%"
"""The entry in the status of a version that no route leads to."""


def shares(plan: RoutePlan | None) -> Mapping[str, float]:
    """The percentage (0..100) that the last rule gives each version, in the rule's order."""
    if plan is None or not plan.rules:
        return {}
    last = plan.rules[-1].shares
    total = sum(share.weight for share in last)
    return {share.version.name: 100 * share.weight / total for share in last} if total else {}


def mirrored(plan: RoutePlan | None) -> Mapping[str, float]:
    """The percentage (0..100) of the last rule's calls of which each version gets copies."""
    rules = plan.rules[-1:] if plan else ()
    return {mirror.version.name: mirror.percentage for rule in rules for mirror in rule.mirrors}


def percent(value: float) -> str:
    """`33.3%`, `50%`: one decimal where it is needed; never 0% of something or 100% of less than all."""
    if 0 < value < 0.1:
        return "<0.1%"
    if 99.9 < value < 100:
        return ">99.9%"
    return f"{round(value, 1):g}%"


def split(plan: RoutePlan | None) -> str:
    """One line: `wisdom-0 20% / wisdom-1 80%`, with matched rules and mirrors behind it."""
    if plan is None:
        return ""
    parts = [" / ".join(f"{name} {percent(value)}" for name, value in shares(plan).items())]
    matched = [share.version.name for rule in plan.rules[:-1] for share in rule.shares]
    parts += [f"{name} on match" for name in dict.fromkeys(matched)]
    parts += [f"{name} mirror {percent(value)}" for name, value in mirrored(plan).items()]
    return ", ".join(parts)


def share_of(plan: RoutePlan | None, name: str) -> str:
    """A version's entry in the status: `33.3%`, `match`, `mirror 50%`, or NO_SHARE."""
    given = shares(plan)
    if name in given:
        return percent(given[name])
    if plan is None:
        return NO_SHARE
    if any(share.version.name == name for rule in plan.rules[:-1] for share in rule.shares):
        return "match"
    for rule in plan.rules:
        for mirror in rule.mirrors:
            if mirror.version.name == name:
                return f"mirror {percent(mirror.percentage)}"
    return NO_SHARE
