"""Can the router carry what a policy asks, and does it stay within the namespaces it may reach?"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from turnout.calling import Calls, PluginError
from turnout.decision import environment as ask
from turnout.decision.accept import Accepted, Refused
from turnout.decision.answers import items
from turnout.decision.seal import seal
from turnout.errors import Problem
from turnout.plugin import Backend, Inputs, Options, Plugin, RoutePlan, Router, Strategy, Version, VersionSpec
from turnout.reasons import Reason
from turnout.registry import Registry
from turnout.settings import Settings
from turnout.shown import sentence


def check_reach(plan: RoutePlan, accepted: Accepted) -> None:
    """Raises Refused for backends of a namespace that the administrator does not allow."""
    problems = [
        f"version {version.name} is reached in namespace {name}, expected "
        f"{', '.join(sorted(accepted.allowed))}: the administrator's allowNamespaces decides"
        for version in plan.versions()
        for name in sorted({one.namespace for one in version.backends.values()} - accepted.allowed)
    ]
    if problems:
        raise Refused(Reason.NAMESPACE_NOT_ALLOWED, problems)


def can_carry(plan: RoutePlan, accepted: Accepted, calls: Calls) -> bool:
    """Whether the policy's router may write a plan of before: if not, the routes have to stay as they are.

    That is not the policy's fault, which does not ask for this plan any more. Raises PluginError.
    """
    reached = {frontend.namespace for frontend in plan.frontends}
    reached |= {one.namespace for version in plan.versions() for one in version.backends.values()}
    within = reached <= accepted.allowed
    if not within or not plan.features() <= accepted.router.carries:
        return False
    return not objections(accepted.router, plan, accepted.router_options, calls)


def check_carried(
    plan: RoutePlan, accepted: Accepted, inputs: Inputs, registry: Registry, settings: Settings, calls: Calls
) -> None:
    """Raises Refused for a plan that asks the router for what its network cannot say.

    `inputs`: those of the plan's decision. `registry` and `settings` tell what would do instead.
    """
    router = accepted.router
    lacking = plan.features() - router.carries
    if lacking:
        combination = f"{accepted.environment.name} with {accepted.strategy.name}"
        told = f"{', '.join(sorted(lacking))}, which {combination} needs here"
    elif found := objections(router, plan, accepted.router_options, calls):
        told = f"this: {'; '.join(found)}"
    else:
        return
    others = _Others(accepted, registry, settings, calls)
    routers = sorted(others.routers(plan))
    instead = f"routers that can: {', '.join(routers) or 'none that may be used'}"
    if not routers:
        strategies = sorted(others.strategies(plan, inputs))
        instead += f"; strategies that would do: {', '.join(strategies) or 'none that may be used'}"
    raise Refused(
        Reason.UNSUPPORTED, [Problem("spec.router", f"{router.name} cannot carry {told}; {instead}")]
    )


def objections(router: Router[Any], plan: RoutePlan, options: Options, calls: Calls) -> list[str]:
    """What a router has against a plan: a sentence each. Raises PluginError."""
    return [sentence(told) for told in items(calls, router, "objections", str, plan, options)]


@dataclass(frozen=True, slots=True)
class _Others:
    """What a policy could use instead, with the options that it would have for it."""

    accepted: Accepted
    registry: Registry
    settings: Settings
    calls: Calls

    def routers(self, plan: RoutePlan) -> Iterator[str]:
        """The other routers that can carry a plan."""
        for name, loaded in self.registry.routers.items():
            if name != self.accepted.router.name:
                options = self._options(loaded.plugin)
                if options and self._carries(loaded.plugin, options, plan):
                    yield name

    def strategies(self, plan: RoutePlan, inputs: Inputs) -> Iterator[str]:
        """The other strategies that would use the same versions in a plan that the router can carry."""
        accepted, named = self.accepted, {version.name for version in plan.versions()}
        for name, loaded in self.registry.strategies.items():
            options = self._options(loaded.plugin)
            if name == accepted.strategy.name or options is None:
                continue
            other = replace(accepted, strategy=loaded.plugin, strategy_options=options)
            try:
                found = _planned(other, replace(inputs, state={}), self.calls)
            except PluginError:
                continue
            if (
                found
                and named <= {version.name for version in found.versions()}
                and self._carries(accepted.router, accepted.router_options, found)
            ):
                yield name

    def _options(self, plugin: Plugin[Any]) -> Options | None:
        """The policy's options and the administrator's for a plugin; None if it does not take them."""
        given = self.accepted.config.get(plugin.name, {})
        try:
            options, _ = self.calls.to(plugin.name, self.settings.options_for, plugin, given)
        except PluginError:
            return None
        return options

    def _carries(self, router: Router[Any], options: Options, plan: RoutePlan) -> bool:
        if not plan.features() <= router.carries:
            return False
        try:
            return not objections(router, plan, options, self.calls)
        except PluginError:
            return False


def foresee(accepted: Accepted, inputs: Inputs, registry: Registry, settings: Settings, calls: Calls) -> None:
    """Check the plan that there would be if every version were ready, by what the policy alone says.

    So a combination that cannot work is refused when the policy is applied, not once a candidate is ready;
    and no object of a version, which others may write, makes a policy refused.
    """
    versions = tuple(_as_if_ready(version.spec, accepted, calls) for version in inputs.versions)
    foreseen = replace(inputs, versions=versions, in_force={}, state={})
    if plan := _planned(accepted, foreseen, calls):
        check_reach(plan, accepted)
        check_carried(plan, accepted, foreseen, registry, settings, calls)


def _planned(accepted: Accepted, inputs: Inputs, calls: Calls) -> RoutePlan | None:
    strategy: Strategy[Any] = accepted.strategy
    decision = calls.to(strategy.name, strategy.decide, inputs, accepted.strategy_options)
    return seal(decision, accepted, inputs.versions)


def _as_if_ready(spec: VersionSpec, accepted: Accepted, calls: Calls) -> Version:
    """A version, ready, with the plainest backend where the environment needs its object to know."""
    unseen = (None,) * len(accepted.refs[spec.name])
    told = ask.backends(accepted.environment, spec, unseen, accepted.environment_options, calls)
    plain = {
        frontend.name: Backend(spec.name, spec.namespace, frontend.port) for frontend in accepted.frontends
    }
    return Version(spec, ready=True, available=True, reason=Reason.READY, backends={**plain, **told})
