"""What is kept of a raw object, with the word of the plugins that know its kind."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

from turnout.calling import Calls, PluginError
from turnout.decision import answers, wellformed
from turnout.decision.objects import Entry, entry, written_part
from turnout.plugin import Environment, Observation, Router
from turnout.plugin.reading import mapping
from turnout.reasons import Reason
from turnout.shown import sentence, shown

Object = Mapping[str, Any]


def name_of(obj: Object) -> tuple[str, str]:
    """Namespace and name of an object; empty strings for one that does not say."""
    metadata = mapping(obj.get("metadata"))
    return str(metadata.get("namespace", "")), str(metadata.get("name", ""))


def observe(
    obj: Object, environments: Collection[Environment[Any]], routers: Collection[Router[Any]], calls: Calls
) -> Entry:
    """The entry of an object. `environments` watch its kind, `routers` write it.

    A plugin that fails leaves its word Unknown: that concerns the policies that use it, and no others.
    """
    observations = {one.name: _observed(one, obj, calls) for one in environments}
    if not routers:
        return entry(obj, observations, None)
    refusal = _said(routers, "refusal", obj, calls) if "status" in obj else None
    pending = _said([one for one in routers if tells_pending(one)], "pending", obj, calls)
    return entry(obj, observations, written_part(obj, refusal, pending))


def tells_pending(router: Router[Any]) -> bool:
    """Whether the router's network says in a route's status that it takes it."""
    return type(router).pending is not Router.pending


def _observed(environment: Environment[Any], obj: Object, calls: Calls) -> Observation:
    try:
        seen = calls.to(environment.name, environment.observe, obj)
        answers.check(environment.name, "observe", wellformed.of_observation(seen))
    except PluginError as error:
        return Observation(None, Reason.PLUGIN_FAILED, error.message)
    reason, message = sentence(seen.reason), sentence(seen.message)
    if reason is seen.reason and message is seen.message:
        return seen
    return replace(seen, reason=reason, message=message)


def _said(routers: Collection[Router[Any]], method: str, obj: Object, calls: Calls) -> str | None:
    """The first router's word that is one."""
    for router in routers:
        try:
            told = calls.to(router.name, getattr(router, method), obj)
            if told is not None and not isinstance(told, str):
                raise answers.wrong(router.name, method, shown(told), "text, or None")
        except PluginError as error:
            return error.message
        if told:
            return sentence(told)
    return None
