"""A policy that has changed its environment: when its routes follow, and where they lead until then.

The routes in force lead to versions of the former environment, which serve. They stay there until the
new environment can take over without a change of the split, so that a move by itself costs no call.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from turnout.calling import Calls
from turnout.decision import environment as ask
from turnout.decision.accept import Accepted
from turnout.decision.hold import gone, remaining, serving
from turnout.decision.join import Look, join
from turnout.decision.stored import Carried
from turnout.plugin import Ref, RoutePlan, Version
from turnout.registry import Registry
from turnout.settings import Settings


@dataclass(frozen=True, slots=True)
class Former:
    """The environment to which the routes in force still lead.

    `carried`: what these say. `accepted`: the policy as it would be with that environment, and with the
    versions to which they led when it left it; None where the environment is not installed any more, or
    may not be asked: then nobody knows what has become of them.
    """

    carried: Carried
    accepted: Accepted | None = None

    @property
    def watched(self) -> frozenset[Ref]:
        """The objects of the versions."""
        refs = self.accepted.refs.values() if self.accepted else ()
        return frozenset(ref for made_up in refs for ref in made_up)


def former(
    accepted: Accepted, carried: Carried | None, registry: Registry, settings: Settings, calls: Calls
) -> Former | None:
    """The former environment; None for a policy that has not changed it. Raises PluginError."""
    if carried is None or carried.environment == accepted.environment.name:
        return None
    return as_carried(accepted, carried, registry, settings, calls)


def as_carried(
    accepted: Accepted, carried: Carried, registry: Registry, settings: Settings, calls: Calls
) -> Former:
    """The environment of routes as it was for these, with the options of then. Raises PluginError."""
    loaded = registry.environments.get(carried.environment)
    if loaded is None:
        return Former(carried)
    environment = loaded.plugin
    # An earlier turnout has not stored them: then the policy may still have them.
    given = carried.config.get(environment.name) or accepted.config.get(environment.name, {})
    options, _ = calls.to(environment.name, settings.options_for, environment, given)
    if options is None:
        return Former(carried)
    weights = {version.name: version.weight for version in accepted.policy.versions}
    specs = tuple(replace(one.spec, weight=weights.get(one.name)) for one in carried.whole.versions())
    refs = {spec.name: ask.refs(environment, spec, options, calls) for spec in specs}
    if any(ref.namespace not in accepted.allowed for made_up in refs.values() for ref in made_up):
        return Former(carried)
    before = replace(
        accepted,
        policy=replace(accepted.policy, versions=specs),
        environment=environment,
        environment_options=options,
        refs=refs,
        frontends=carried.whole.frontends,
        drain=environment.drain and settings.drain.enabled,
    )
    return Former(carried, before)


def awaited(accepted: Accepted, versions: Sequence[Version], remains: RoutePlan) -> tuple[Version, ...]:
    """The versions without which a move would change the split.

    The primary, those that `remains` routes, by name, as their objects are others, and those that are
    deployed already and not ready yet. One with weight 0 is not waited for.
    """
    if not any(version.available for version in versions):
        return tuple(versions)
    routed = {version.name for version in remains.versions()} | {accepted.policy.primary}
    return tuple(
        one
        for one in versions
        if not (one.available or one.excluded) and (one.name in routed or not gone(one))
    )


def remain(former: Former, look: Look, calls: Calls) -> Carried | None:
    """What the routes should say while they lead to the former environment; None if nothing is left.

    What they said when the policy left it, with the versions that can serve now; where none can, what
    they say now, without what is gone or got weight 0.
    """
    carried, before = former.carried, former.accepted
    if before is None:
        return carried
    in_force = carried.plan
    routed = frozenset(version.uid for version in in_force.versions() if version.uid)
    versions = join(before, look, routed, calls)
    plan = serving(before, versions, carried.whole) or remaining(before, versions, in_force)
    return replace(carried, plan=plan, start=carried.whole) if plan else None
