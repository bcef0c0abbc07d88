"""Where two VirtualServices route differently, whatever way they are written."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Any

from turnout.plugin.reading import items, mapping
from turnout.shown import shown

Object = Mapping[str, Any]
Difference = tuple[str, str, str]
"""The path of a field, what is there, and what would be."""
NOTHING = "nothing"


def of_routes(live: Object, wanted: Object) -> list[Difference]:
    """Where the routes of a VirtualService differ from those that are wanted: of two specs.

    The order of hosts and gateways says nothing, nor do the names of rules. Weights are shares: one
    destination alone has all, with any weight or none, and one of weight 0 has nothing. The case of the names
    of headers that are matched says nothing either, nor which of Istio's two fields has the copies.
    """
    return list(_differences(_effective(live), _effective(wanted), "spec"))


def of_objects(live: Object, wanted: Object, *, said: Collection[str]) -> list[Difference]:
    """Where an object differs from what is wanted of it: of two specs.

    `said`: the fields that somebody has set. Others that are not wanted are the API server's: they may be
    there.
    """
    left = {name: value for name, value in live.items() if name in wanted or name in said}
    return list(_differences(left, wanted, "spec"))


def _effective(spec: Object) -> dict[str, Any]:
    said = {name: value for name, value in spec.items() if name not in ("hosts", "gateways", "http")}
    for name in ("hosts", "gateways"):
        found = spec.get(name)
        said[name] = sorted(map(str, found)) if isinstance(found, list) else found
    return {**said, "http": [_rule(rule) for rule in items(spec.get("http"))]}


def _rule(rule: Object) -> dict[str, Any]:
    said = {name: value for name, value in rule.items() if name not in ("name", "match", "route")}
    if mirror := said.pop("mirror", None):
        percentage = said.pop("mirrorPercentage", {"value": 100})
        said["mirrors"] = [{"destination": mirror, "percentage": percentage}]
    if matches := items(rule.get("match")):
        said["match"] = [_match(match) for match in matches]
    return {**said, "route": list(_routes(items(rule.get("route"))))}


def _match(match: Object) -> dict[str, Any]:
    headers = mapping(match.get("headers"))
    lower = {"headers": {name.lower(): how for name, how in headers.items()}} if headers else {}
    return {**match, **lower}


def _routes(routes: Sequence[Object]) -> Iterator[dict[str, Any]]:
    if len(routes) == 1:
        yield {**routes[0], "weight": "100%"}
        return
    weights = [_weight(route.get("weight")) for route in routes]
    whole = sum(weights)
    for route, weight in zip(routes, weights, strict=True):
        if weight:
            share = f"{float(100 * Fraction(weight, whole)):.6g}%" if whole else str(weight)
            yield {**route, "weight": share}


def _weight(value: object) -> int:
    return value if isinstance(value, int) else 0


def _differences(live: Any, wanted: Any, path: str) -> Iterator[Difference]:
    if isinstance(live, Mapping) and isinstance(wanted, Mapping):
        for name in _names(live, wanted):
            yield from _differences(live.get(name), wanted.get(name), f"{path}.{name}")
    elif isinstance(live, list) and isinstance(wanted, list):
        for index in range(max(len(live), len(wanted))):
            left, right = (one[index] if index < len(one) else None for one in (live, wanted))
            yield from _differences(left, right, f"{path}[{index}]")
    elif live != wanted:
        yield path, _said(live), _said(wanted)


def _names(*both: Object) -> Iterable[str]:
    return dict.fromkeys(name for one in both for name in one)


def _said(value: object) -> str:
    return NOTHING if value is None else shown(value)
