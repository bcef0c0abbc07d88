"""Recognizes a strategy of Iter8's charts in the rules that its template yields.

The template has been executed with weights that tell the versions apart, so a weight in the result has to be
that of its version.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from turnout.migration.chart import Entry, Headers, Route
from turnout.migration.findings import Unlike
from turnout.shown import shown
from turnout.template_values import HTTPMatchRequest

ItemT = TypeVar("ItemT")

BLUE_GREEN = "blue-green"
CANARY = "canary"
MIRROR = "mirror"
STRATEGIES = (BLUE_GREEN, CANARY, MIRROR)
HTTP = "spec.http"


@dataclass(frozen=True, slots=True)
class Rules:
    """The rules of a template's result, with what names the version of a route, and the weights in order."""

    entries: Sequence[Entry]
    names: Sequence[str]
    weights: Sequence[int]
    version_of: Callable[[Route, str], str]
    """Given the path of the route. Raises Unlike."""
    copied_to: Callable[[Entry, str], str] | None = None
    """The version that a mirror's copies are for; None where the environment has no mirror."""


@dataclass(frozen=True, slots=True)
class Read:
    """What the rules say: the versions that get calls or copies, and matches of some of them."""

    names: Sequence[str]
    matches: Mapping[str, Sequence[Mapping[str, Any]]] = field(default_factory=dict)


def read(strategy: str, rules: Rules) -> Read:
    """What the rules say for a strategy. Raises Unlike where they are not those of the charts."""
    return {BLUE_GREEN: split, CANARY: canary, MIRROR: mirror}[strategy](rules)


def split(rules: Rules, path: str = HTTP) -> Read:
    """One rule, with a route of its own weight for each version."""
    (entry,) = _of_number(rules.entries, 1, path)
    _plain(entry, f"{path}[0]")
    _of_number(entry.route, len(rules.names), f"{path}[0].route")
    for index, route in enumerate(entry.route):
        at = f"{path}[0].route[{index}]"
        _same(rules.version_of(route, at), rules.names[index], at)
        if len(rules.names) > 1:
            _same(route.weight, rules.weights[index], f"{at}.weight")
    return Read(rules.names)


def canary(rules: Rules) -> Read:
    """A rule with matches for each candidate, and the primary's without any."""
    _of_number(rules.entries, len(rules.names), HTTP)
    matches: dict[str, Sequence[Mapping[str, Any]]] = {}
    for index, (entry, name) in enumerate(
        zip(rules.entries, (*rules.names[1:], rules.names[0]), strict=True)
    ):
        at = f"{HTTP}[{index}]"
        (route,) = _of_number(entry.route, 1, f"{at}.route")
        _same(rules.version_of(route, f"{at}.route[0]"), name, f"{at}.route[0]")
        if name == rules.names[0]:
            _plain(entry, at)
        else:
            _plain(entry, at, match=entry.match)
            if not entry.match:
                raise Unlike(f"{at}.match", "no match", "those of the candidate")
            matches[name] = [match.manifest() for match in entry.match]
    return Read(rules.names, matches)


def mirror(rules: Rules) -> Read:
    """One rule, which leads to the primary, and copies to the candidate that comes next."""
    if rules.copied_to is None:
        raise Unlike("routingTemplates", MIRROR, f"{BLUE_GREEN} or {CANARY}")
    (entry,) = _of_number(rules.entries, 1, HTTP)
    at = f"{HTTP}[0]"
    _plain(entry, at, copies=True)
    (route,) = _of_number(entry.route, 1, f"{at}.route")
    _same(rules.version_of(route, f"{at}.route[0]"), rules.names[0], f"{at}.route[0]")
    if entry.mirror is None:
        if len(rules.names) > 1:
            raise Unlike(f"{at}.mirror", "no mirror", f"copies to {rules.names[1]}")
        return Read(rules.names)
    copied = rules.copied_to(entry, at)
    if copied not in rules.names[1:]:
        raise Unlike(f"{at}.mirror", shown(copied), "one of the candidates")
    percentage = entry.mirror_percentage and entry.mirror_percentage.value
    _same(percentage, rules.weights[rules.names.index(copied)], f"{at}.mirrorPercentage.value")
    return Read((rules.names[0], copied))


def _plain(entry: Entry, path: str, *, match: Sequence[HTTPMatchRequest] = (), copies: bool = False) -> None:
    """Nothing is said in a rule but its routes, and what is allowed besides."""
    for name, found, allowed in (
        ("match", entry.match, bool(match)),
        ("mirror", entry.mirror, copies),
        ("mirrorPercentage", entry.mirror_percentage, copies),
        ("headers", entry.headers != Headers(), copies),
    ):
        if found and not allowed:
            raise Unlike(f"{path}.{name}", "one", "none")


def _of_number(items: Sequence[ItemT], number: int, path: str) -> Sequence[ItemT]:
    if len(items) != number:
        raise Unlike(path, f"{len(items)} items", str(number))
    return items


def _same(found: object, expected: object, path: str) -> None:
    if found != expected:
        raise Unlike(path, shown(found), shown(expected))
