"""Routes of before: of a router that a policy has left, or by options that it has changed.

Calls go by them until what replaces them is there, so they are rendered anew as then, with what has been
decided since. The annotation on them tells how.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from turnout.calling import Calls, PluginError
from turnout.decision.accept import Accepted
from turnout.decision.assess import Assessment, Assessor
from turnout.decision.carry import can_carry
from turnout.decision.decide import Outcome
from turnout.decision.declare import Admitted
from turnout.decision.join import Look
from turnout.decision.move import as_carried, former, remain
from turnout.decision.render import Rendered, render
from turnout.decision.stored import Carried
from turnout.plugin.reading import mapping
from turnout.reasons import Reason


def as_before(accepted: Accepted, carried: Carried, assessor: Assessor, calls: Calls) -> Accepted | None:
    """The policy with the router of its routes in force, and the options that it had then.

    None where these are still the policy's, or nobody can render the routes any more.
    """
    name = carried.router
    said = carried.options_of(name)
    if (name, dict(said)) == (accepted.router.name, dict(accepted.config.get(name, {}))):
        return None
    loaded = assessor.registry.routers.get(name)
    if loaded is None:
        return None
    options, _ = calls.to(name, assessor.settings.options_for, loaded.plugin, said)
    if options is None:
        return None
    config = {**accepted.config, name: said}
    return replace(accepted, router=loaded.plugin, router_options=options, config=config)


def render_before(carried: Carried, before: Accepted, calls: Calls) -> tuple[Rendered, ...]:
    """What the router of before makes of a plan; nothing where it cannot carry it, or fails."""
    try:
        if not can_carry(carried.plan, before, calls):
            return ()
        plan = replace(carried.plan, policy=before.policy)
        return render(plan, before, calls, carried=replace(carried, plan=plan))
    except PluginError:
        return ()


def follow(
    outcome: Outcome, carried: Carried, accepted: Accepted, assessor: Assessor, look: Look, calls: Calls
) -> tuple[Rendered, ...]:
    """Routes of before, with what was decided; nothing where they are as they would be now.

    If that leads to another environment than they do, or to the same by other options, they stay with
    theirs, without what has gone there.
    """
    decided = outcome.carried
    if decided is None:
        return ()
    try:
        before = as_before(accepted, carried, assessor, calls)
        if _environment(decided) != _environment(carried):
            left = as_carried(accepted, carried, assessor.registry, assessor.settings, calls)
            stays = remain(left, look, calls)
            return render_before(stays, before or accepted, calls) if stays else ()
        return render_before(decided, before, calls) if before else ()
    except PluginError:
        return ()


def _environment(carried: Carried) -> tuple[str, Mapping[str, Any]]:
    """The environment that a plan leads to, and what the policy said to it."""
    return carried.environment, carried.options_of(carried.environment)


def stay_behind(
    admitted: Admitted,
    carried: Carried,
    status: Mapping[str, Any],
    assessor: Assessor,
    look: Look,
    calls: Calls,
) -> Assessment | None:
    """The routes stay with the former environment, of a policy whose new one nobody can look at yet.

    None where nothing is left of them.
    """
    accepted = admitted.accepted
    try:
        left = former(accepted, carried, assessor.registry, assessor.settings, calls)
        stays = remain(left, look, calls) if left else None
    except PluginError:
        return None
    rendered = render_before(stays, accepted, calls) if stays else ()
    if not rendered:
        return None
    state = mapping(status.get("strategyState"))
    outcome = Outcome((), stays, {}, Reason.MOVING, state)
    return Assessment(admitted, None, outcome, rendered, carried.plan, left)
