"""A policy that has changed its environment: when its routes follow, and where they lead until then.

The routes in force lead to versions of the former environment, which serve. They stay there until the
new environment can take over without a change of the split, so that a move by itself costs no call.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from turnout.calling import Calls
from turnout.decision import environment as ask
from turnout.decision.accept import Accepted
from turnout.decision.hold import gone, restrict
from turnout.decision.join import Look
from turnout.decision.stored import Carried
from turnout.plugin import Ref, RoutePlan, Version
from turnout.registry import Registry
from turnout.settings import Settings


@dataclass(frozen=True, slots=True)
class Former:
    """The environment to which the routes in force still lead.

    `refs`: the objects of each version that is routed, by its name; none where the environment is not
    installed any more, or its options are wrong: then nobody knows what has become of them.
    """

    environment: str
    refs: Mapping[str, tuple[Ref, ...]] = field(default_factory=dict)

    @property
    def watched(self) -> frozenset[Ref]:
        """All of the objects."""
        return frozenset(ref for refs in self.refs.values() for ref in refs)


def former(
    accepted: Accepted, carried: Carried | None, registry: Registry, settings: Settings, calls: Calls
) -> Former | None:
    """The former environment; None for a policy that has not changed it. Raises PluginError."""
    if carried is None or carried.environment == accepted.environment.name:
        return None
    loaded = registry.environments.get(carried.environment)
    if loaded is None:
        return Former(carried.environment)
    given = accepted.config.get(carried.environment, {})
    options, _ = calls.to(loaded.plugin.name, settings.options_for, loaded.plugin, given)
    if options is None:
        return Former(carried.environment)
    refs = {one.name: ask.refs(loaded.plugin, one.spec, options, calls) for one in carried.plan.versions()}
    allowed = {
        name: made_up
        for name, made_up in refs.items()
        if all(ref.namespace in accepted.allowed for ref in made_up)
    }
    return Former(carried.environment, allowed)


def awaited(accepted: Accepted, versions: Sequence[Version], in_force: RoutePlan) -> tuple[Version, ...]:
    """The versions without which a move would change the split.

    The primary, those that are routed now, by name, as their objects are others, and those that are
    deployed already and not ready yet. One with weight 0 is not waited for.
    """
    if not any(version.available for version in versions):
        return tuple(versions)
    routed = {version.name for version in in_force.versions()} | {accepted.policy.primary}
    return tuple(
        one
        for one in versions
        if not (one.available or one.excluded) and (one.name in routed or not gone(one))
    )


def remain(in_force: RoutePlan, former: Former, look: Look) -> RoutePlan | None:
    """The plan in force without versions that are gone, or that others can stand in for.

    None if nothing is left.
    """
    there = {one.name: one for one in in_force.versions() if _there(one, former, look)}
    serving = {name: one for name, one in there.items() if not _down(one, former, look)}
    frontends = in_force.frontends
    return restrict(in_force, frontends, serving) or restrict(in_force, frontends, there)


def _down(version: Version, former: Former, look: Look) -> bool:
    """Whether an object of the version says that it is not ready."""
    entries = (look(ref) for ref in former.refs.get(version.name, ()))
    seen = (entry.observations.get(former.environment) for entry in entries if entry)
    return any(observation is not None and observation.ready is False for observation in seen)


def _there(version: Version, former: Former, look: Look) -> bool:
    """Whether all objects of a version are there, and will stay; as far as that is known."""
    entries = [look(ref) for ref in former.refs.get(version.name, ())]
    if any(known is None or known.deleting for known in entries):
        return False
    return not entries or (entries[0] is not None and entries[0].uid == version.uid)
