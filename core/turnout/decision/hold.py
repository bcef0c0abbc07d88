"""What to route when nothing can carry traffic: what is in force, without what is gone."""

from dataclasses import replace

from turnout.decision.accept import Accepted
from turnout.plugin import Mirror, RoutePlan, Rule, Share, Version
from turnout.reasons import Reason

GONE = frozenset({Reason.MISSING, Reason.DELETING})


def hold(accepted: Accepted, versions: tuple[Version, ...], in_force: RoutePlan | None) -> RoutePlan | None:
    """The plan in force without versions that are gone or have weight 0; else everything to the primary.

    A version with weight 0 stays only where nothing else is left. None where no backend is known for
    what would have to be routed: then the routes stay as they are.
    """
    gone = {version.name for version in versions if version.reason in GONE}
    zero = {version.name for version in versions if version.excluded}
    present = {version.name: version for version in versions if version.name not in gone}
    for without in (zero, set()):
        if plan := _without(accepted, in_force, present, without):
            return plan
    primary = next(version for version in versions if version.name == accepted.policy.primary)
    stored = {version.name: version for version in in_force.versions()} if in_force else {}
    routed = _with_backends(primary, stored.get(primary.name), accepted)
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
        if version and version.name not in without and (not stored.uid or stored.uid == version.uid):
            reachable = _with_backends(version, stored, accepted)
            if reachable:
                kept[version.name] = reachable
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
        for rule in in_force.rules
    )
    if not rules[-1].shares:
        return None
    return RoutePlan(accepted.policy, accepted.frontends, tuple(rule for rule in rules if rule.shares))


def _with_backends(version: Version, stored: Version | None, accepted: Accepted) -> Version | None:
    """The version with a backend for every frontend, from the plan in force where it tells none now."""
    backends = {**(stored.backends if stored else {}), **version.backends}
    names = [frontend.name for frontend in accepted.frontends]
    if any(name not in backends for name in names):
        return None
    return replace(version, backends={name: backends[name] for name in names})
