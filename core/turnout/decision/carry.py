"""Can the router carry what a policy asks, and does it stay within the namespaces it may reach?"""

from dataclasses import replace
from typing import Any

from pydantic import ValidationError

from turnout.calling import Calls, PluginError
from turnout.decision.accept import Accepted, Refused
from turnout.decision.answers import items
from turnout.decision.seal import seal
from turnout.errors import Problem
from turnout.plugin import Backend, Inputs, Options, RoutePlan, Router, Version
from turnout.reasons import Reason
from turnout.registry import Registry
from turnout.shown import sentence


def check_reach(plan: RoutePlan, accepted: Accepted) -> None:
    """Raises Refused for hosts or backends of a namespace that the administrator does not allow."""
    problems = [
        f"frontend {frontend.name} has hosts of namespace {frontend.namespace}"
        for frontend in plan.frontends
        if frontend.namespace not in accepted.allowed
    ]
    for version in plan.versions():
        reached = {backend.namespace for backend in version.backends.values()} - accepted.allowed
        problems += [f"version {version.name} is reached in namespace {name}" for name in sorted(reached)]
    if problems:
        told = (
            f"policies of namespace {accepted.policy.namespace} may not: the administrator's allowNamespaces"
        )
        raise Refused(Reason.NAMESPACE_NOT_ALLOWED, [f"{problem}; {told} decides" for problem in problems])


def check_carried(plan: RoutePlan, accepted: Accepted, registry: Registry, calls: Calls) -> None:
    """Raises Refused for a plan that asks the router for what its network cannot say."""
    router = accepted.router
    lacking = plan.features() - router.carries
    if not lacking:
        if found := objections(router, plan, accepted.router_options, calls):
            problems = [Problem("spec.router", f"{router.name} cannot carry this: {one}") for one in found]
            raise Refused(Reason.UNSUPPORTED, problems)
        return
    able = [
        name for name, loaded in registry.routers.items() if _carries(loaded.plugin, plan, accepted, calls)
    ]
    asked = ", ".join(sorted(lacking))
    combination = f"{accepted.environment.name} with {accepted.strategy.name}"
    told = f"{router.name} cannot carry {asked}, which {combination} needs here"
    others = ", ".join(sorted(able)) or "none that may be used"
    raise Refused(Reason.UNSUPPORTED, [Problem("spec.router", f"{told}; routers that can: {others}")])


def objections(router: Router[Any], plan: RoutePlan, options: Options, calls: Calls) -> list[str]:
    """What a router has against a plan: a sentence each. Raises PluginError."""
    return [sentence(told) for told in items(calls, router, "objections", str, plan, options)]


def _carries(router: Router[Any], plan: RoutePlan, accepted: Accepted, calls: Calls) -> bool:
    """Whether a router can carry a plan, with the options that the policy has for it."""
    if not plan.features() <= router.carries:
        return False
    try:
        options = router.options.model_validate(dict(accepted.config.get(router.name, {})))
        return not objections(router, plan, options, calls)
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
