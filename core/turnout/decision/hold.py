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
    if plan := remaining(accepted, versions, in_force):
        return plan
    primary = next(version for version in versions if version.name == accepted.policy.primary)
    routed = with_backends(primary, in_force, accepted)
    if routed is None:
        return None
    return RoutePlan(accepted.policy, accepted.frontends, (Rule("default", (Share(routed, 100),)),))


def remaining(
    accepted: Accepted, versions: tuple[Version, ...], in_force: RoutePlan | None
) -> RoutePlan | None:
    """The plan in force with those of its versions that may stay; None if there are none."""
    present = tuple(version for version in versions if not gone(version))
    return (
        serving(accepted, versions, in_force)
        or _only(accepted, tuple(version for version in present if not version.excluded), in_force)
        or _only(accepted, present, in_force)
    )


def serving(accepted: Accepted, versions: tuple[Version, ...], plan: RoutePlan | None) -> RoutePlan | None:
    """A plan with those of its versions that may carry traffic now; None if there are none."""
    up = tuple(version for version in versions if version.available and not version.excluded)
    return _only(accepted, up, plan)


def _only(accepted: Accepted, versions: tuple[Version, ...], plan: RoutePlan | None) -> RoutePlan | None:
    """A plan with these versions alone, as far as they are the ones that it leads to."""
    if plan is None or not plan.rules:
        return None
    uids = {stored.name: stored.uid for stored in plan.versions()}
    kept = {
        version.name: reachable
        for version in versions
        if version.name in uids and uids[version.name] in ("", version.uid)
        if (reachable := with_backends(version, plan, accepted))
    }
    return _restrict(plan, accepted.frontends, kept)


def _restrict(
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
