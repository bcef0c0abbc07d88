"""Can the router carry what a policy asks, and does it stay within the namespaces it may reach?"""

from dataclasses import replace
from typing import Any

from pydantic import ValidationError

from turnout.calling import Calls, PluginError
from turnout.decision.accept import Accepted, Refused
from turnout.decision.seal import seal
from turnout.errors import Problem
from turnout.plugin import Backend, Inputs, Options, RoutePlan, Router, Version
from turnout.reasons import Reason
from turnout.registry import Registry


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

    That is not the policy's fault, which does not ask for this plan any more.
    """
    reached = {frontend.namespace for frontend in plan.frontends}
    reached |= {one.namespace for version in plan.versions() for one in version.backends.values()}
    within = reached <= accepted.allowed
    return within and _carries(accepted.router, plan, accepted.router_options, calls)


def check_carried(plan: RoutePlan, accepted: Accepted, registry: Registry, calls: Calls) -> None:
    """Raises Refused for a plan that asks the router for what its network cannot say."""
    router = accepted.router
    lacking = plan.features() - router.carries
    if not lacking:
        if objections := calls.all(router.name, router.objections, plan, accepted.router_options):
            problems = [
                Problem("spec.router", f"{router.name} cannot carry this: {one}") for one in objections
            ]
            raise Refused(Reason.UNSUPPORTED, problems)
        return
    able = [name for name, loaded in registry.routers.items() if _could(loaded.plugin, plan, accepted, calls)]
    asked = ", ".join(sorted(lacking))
    combination = f"{accepted.environment.name} with {accepted.strategy.name}"
    told = f"{router.name} cannot carry {asked}, which {combination} needs here"
    others = ", ".join(sorted(able)) or "none that may be used"
    raise Refused(Reason.UNSUPPORTED, [Problem("spec.router", f"{told}; routers that can: {others}")])


def _carries(router: Router[Any], plan: RoutePlan, options: Options, calls: Calls) -> bool:
    return plan.features() <= router.carries and not calls.all(router.name, router.objections, plan, options)


def _could(router: Router[Any], plan: RoutePlan, accepted: Accepted, calls: Calls) -> bool:
    """Whether another router can carry a plan, with the options that the policy has for it."""
    try:
        options = router.options.model_validate(dict(accepted.config.get(router.name, {})))
        return _carries(router, plan, options, calls)
    except (ValidationError, PluginError):
        return False


def foresee(accepted: Accepted, inputs: Inputs, registry: Registry, calls: Calls) -> None:
    """Check the plan that there would be if every version were ready.

    So a combination that cannot work is refused when the policy is applied, not once a candidate is ready.
    """
    versions = tuple(_as_if_ready(version, accepted) for version in inputs.versions)
    decision = calls.to(
        accepted.strategy.name,
        accepted.strategy.decide,
        replace(inputs, versions=versions, state={}),
        accepted.strategy_options,
    )
    if plan := seal(decision, accepted, versions):
        check_reach(plan, accepted)
        check_carried(plan, accepted, registry, calls)


def _as_if_ready(version: Version, accepted: Accepted) -> Version:
    """The version, ready, with the plainest backend where none is known yet."""
    plain = {
        frontend.name: Backend(version.name, version.spec.namespace, frontend.port)
        for frontend in accepted.frontends
    }
    return replace(version, ready=True, available=True, backends={**plain, **version.backends})
