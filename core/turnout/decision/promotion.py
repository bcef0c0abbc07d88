"""Asks an environment what a promotion makes of objects, and checks its answers. Pure.

What promotes, and when, is `turnout.client.promotion`.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from turnout.calling import Calls
from turnout.decision import wellformed
from turnout.decision.answers import check, items, wrong
from turnout.plugin import Environment, Ref
from turnout.plugin.reading import mapping
from turnout.shown import shown

Object = Mapping[str, Any]

OF_THE_OBJECT = (
    *("creationTimestamp", "deletionTimestamp", "finalizers", "generation", "managedFields", "name"),
    *("namespace", "ownerReferences", "resourceVersion", "uid"),
)
"""Metadata by which an object is the one that it is."""


def promoted(
    environment: Environment[Any], primary: Sequence[Object], candidate: Sequence[Object], calls: Calls
) -> tuple[Object, ...]:
    """The primary's objects as they are to be once the candidate is promoted. Raises PluginError."""
    found = items(calls, environment, "promoted", Mapping, primary, candidate)  # type: ignore[type-abstract]
    if len(found) != len(primary):
        raise wrong(environment.name, "promoted", f"{len(found)} objects", f"{len(primary)}, as it is given")
    for before, after in zip(primary, found, strict=True):
        for key in ("apiVersion", "kind", "status"):
            if before.get(key) != after.get(key):
                raise wrong(environment.name, "promoted", f"another {key}", "that of the primary's object")
        old, new = mapping(before.get("metadata")), mapping(after.get("metadata"))
        for key in OF_THE_OBJECT:
            if old.get(key) != new.get(key):
                told = f"metadata.{key} {shown(new.get(key))}"
                raise wrong(environment.name, "promoted", told, "that of the primary's object")
    return found


def witnesses(environment: Environment[Any], primary: Sequence[Object], calls: Calls) -> tuple[Ref, ...]:
    """Other objects that tell what is served. Raises PluginError."""
    found = items(calls, environment, "witnesses", Ref, primary)
    for ref in found:
        check(environment.name, "witnesses", wellformed.of_ref(ref))
    return found


def rolled_out(
    environment: Environment[Any],
    before: Sequence[Object | None],
    now: Sequence[Object | None],
    calls: Calls,
) -> tuple[bool | None, str]:
    """Whether what the objects say now is what is served; if not, why. Raises PluginError."""
    found: object = calls.to(environment.name, environment.rolled_out, before, now)
    match found:
        case (True | False | None as verdict, str(told)):
            return verdict, told
    expected = "True, False or None for unknown, with a message"
    raise wrong(environment.name, "rolled_out", shown(found), expected)
