"""Reads from a route's status whether a controller takes it, or refuses it."""

from collections.abc import Iterator, Mapping
from typing import Any

from turnout.plugin.reading import condition, generation, items, mapping, text

HAVE_TO_HOLD = ("Accepted", "ResolvedRefs")
MUST_NOT_HOLD = "PartiallyInvalid"
"""Some rules are left out, or older ones are in force in their place."""


def refusal(route: Mapping[str, Any]) -> str | None:
    """What the first controller that refuses a route says of it; None if none does.

    A route has a status for each Gateway and each controller. Conditions of an older generation are of
    a route that has since been written anew, and count for nothing.
    """
    current = generation(route)
    refusals = (
        told for one in items(mapping(route.get("status")).get("parents")) for told in _refusals(one, current)
    )
    return next(refusals, None)


def pending(route: Mapping[str, Any]) -> str | None:
    """What is missing while no controller has judged a route as it is now; None once one has."""
    current = generation(route)
    found = (condition(one, HAVE_TO_HOLD[0]) for one in items(mapping(route.get("status")).get("parents")))
    if any(one and one.status is not None and one.observed_generation in (None, current) for one in found):
        return None
    parents = items(mapping(route.get("spec")).get("parentRefs"))
    return f"no controller has said yet whether it takes this generation{_at(parents[0]) if parents else ''}"


def unprogrammed(gateway: Mapping[str, Any]) -> str | None:
    """What a Gateway's controller says of one that is not up; None for one of which it says nothing."""
    found = condition(mapping(gateway.get("status")), "Programmed")
    if found is None or found.status is True:
        return None
    if found.observed_generation not in (None, generation(gateway)):
        return None
    told = "it is not Programmed" if found.status is False else "it is not yet Programmed"
    return ": ".join(filter(None, (told, found.reason, found.message)))


def _refusals(parent: Mapping[str, Any], current: int | None) -> Iterator[str]:
    for kind in (*HAVE_TO_HOLD, MUST_NOT_HOLD):
        found = condition(parent, kind)
        if found is None or found.status is not (kind == MUST_NOT_HOLD):
            continue
        if found.observed_generation not in (None, current):
            continue
        who = text(parent.get("controllerName")) or "a controller"
        word = kind if kind == MUST_NOT_HOLD else f"not {kind}"
        told = f"{who} says that it is {word}{_at(mapping(parent.get('parentRef')))}"
        yield ": ".join(filter(None, (told, found.reason, found.message)))


def _at(parent: Mapping[str, Any]) -> str:
    """Which Gateway a status is about."""
    names = filter(None, (text(parent.get("namespace")), text(parent.get("name"))))
    where = "/".join(names)
    return f" at {text(parent.get('kind')) or 'Gateway'} {where}" if where else ""
