"""What to route when nothing can carry traffic: what is in force, without what is gone."""

from collections.abc import Mapping
from dataclasses import replace

from turnout.decision.accept import Accepted
from turnout.plugin import Frontend, Mirror, RoutePlan, Rule, Share, Version
from turnout.reasons import Reason

GONE = (Reason.MISSING, Reason.DELETING)


def hold(accepted: Accepted, versions: tuple[Version, ...], in_force: RoutePlan | None) -> RoutePlan | None:
    """The plan in force without versions that are gone or have weight 0; else everything to the primary.

    Versions that may carry traffic stay alone if there are any; one with weight 0 stays only where
    nothing else is left. None where no backend is known for what would have to be routed: then the
    routes stay as they are.
    """
    present = {version.name: version for version in versions if not gone(version)}
    zero = {version.name for version in versions if version.excluded}
    idle = {version.name for version in versions if not version.available}
    for without in (zero | idle, zero, set()):
        if plan := _without(accepted, in_force, present, without):
            return plan
    primary = next(version for version in versions if version.name == accepted.policy.primary)
    routed = with_backends(primary, in_force, accepted)
    if routed is None:
        return None
    return RoutePlan(accepted.policy, accepted.frontends, (Rule("default", (Share(routed, 100),)),))


def _without(
    accepted: Accepted, in_force: RoutePlan | None, present: dict[str, Version], without: set[str]
) -> RoutePlan | None:
    if in_force is None or not in_force.rules:
        return None
    kept: dict[str, Version] = {}
    for stored in in_force.versions():
        version = present.get(stored.name)
        if version is None or version.name in without or (stored.uid and stored.uid != version.uid):
            continue
        if reachable := with_backends(version, in_force, accepted):
            kept[version.name] = reachable
    return restrict(in_force, accepted.frontends, kept)


def restrict(
    plan: RoutePlan, frontends: tuple[Frontend, ...], kept: Mapping[str, Version]
) -> RoutePlan | None:
    """A plan with these of its versions alone; None if nothing is left for the last rule."""
    rules = tuple(
        Rule(
            rule.name,
            tuple(
                Share(kept[s.version.name], s.weight, s.set_response_headers)
                for s in rule.shares
                if s.version.name in kept
            ),
            rule.matches,
            tuple(Mirror(kept[m.version.name], m.percentage) for m in rule.mirrors if m.version.name in kept),
        )
        for rule in plan.rules
    )
    if not rules[-1].shares:
        return None
    return RoutePlan(plan.policy, frontends, tuple(rule for rule in rules if rule.shares))


def gone(version: Version) -> bool:
    """Whether it does not exist, or not for long.

    By core's own reasons: an environment may have a reason "Missing" too, for something else.
    """
    return any(version.reason is reason for reason in GONE)


def with_backends(version: Version, in_force: RoutePlan | None, accepted: Accepted) -> Version | None:
    """The version with a backend for every frontend, from the plan in force where it tells none now."""
    stored = {one.name: one for one in in_force.versions()} if in_force else {}
    backends = {**(stored[version.name].backends if version.name in stored else {}), **version.backends}
    names = [frontend.name for frontend in accepted.frontends]
    if any(name not in backends for name in names):
        return None
    return replace(version, backends={name: backends[name] for name in names})
