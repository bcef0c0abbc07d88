"""Says a match in the terms of HTTPRoute and GRPCRoute, or why it cannot be said."""

import re
from collections.abc import Iterator
from typing import Any

from turnout.plugin import Match, MatchType

Conditions = tuple[tuple[str, MatchType, str], ...]

CONDITIONS = 16
"""Headers, or query parameters, for which a match has room."""
VALUE = {"header": 4096, "query parameter": 1024}
"""Characters of a value."""
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"})

_SERVICE = r"\.?[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*"
_GRPC_PATH = {
    "exact": re.compile(rf"/({_SERVICE})/([A-Za-z_]\w*)", re.ASCII),
    "prefix": re.compile(rf"/({_SERVICE})/", re.ASCII),
}
_HTTP_PATH = re.compile(r"/(?:[-A-Za-z0-9._~!$&'()*+,;=:@/]|%[0-9A-Fa-f]{2})*")
_NOT_NORMAL = re.compile(r"//|/\.\.?(?:/|$)|%2[fF]")
"""What HTTPRoute takes in no path."""
_META = re.compile(r"[\\.+*?()|\[\]{}^$]")


def http(match: Match) -> dict[str, Any]:
    """An HTTPRouteMatch, with what the API server would fill in."""
    how, value = match.path or ("prefix", "/")
    kind = "Exact" if how == "exact" else "PathPrefix"
    # A trailing slash of a prefix means nothing: prefixes end where an element of the path ends.
    said: dict[str, Any] = {"path": {"type": kind, "value": value[:-1] or "/" if how == "prefix" else value}}
    if match.method:
        said["method"] = match.method
    if match.headers:
        said["headers"] = [_condition(*header) for header in match.headers]
    if match.query:
        said["queryParams"] = [_condition(*parameter) for parameter in match.query]
    return said


def grpc(match: Match) -> dict[str, Any]:
    """A GRPCRouteMatch, with what the API server would fill in."""
    said: dict[str, Any] = {}
    if match.path:
        service, *method = match.path[1].strip("/").split("/")
        said["method"] = {"type": "Exact", "service": service} | ({"method": method[0]} if method else {})
    if match.headers:
        said["headers"] = [_condition(*header) for header in match.headers]
    return said


def unsayable_http(match: Match) -> Iterator[str]:
    """Why a match cannot be said of HTTP requests; nothing if it can."""
    if match.method and match.method not in METHODS:
        yield f"HTTPRoute has no method {match.method}"
    if match.path:
        how, value = match.path
        if how == "prefix" and not value.endswith("/"):
            told = "expected one that ends with /, as HTTPRoute compares whole elements"
            yield f"found the path prefix {value}, {told}"
        elif not _HTTP_PATH.fullmatch(value) or _NOT_NORMAL.search(value):
            yield f"found the path {value}, which HTTPRoute does not take"
    yield from _unsayable_conditions("header", lower_case(match.headers))
    yield from _unsayable_conditions("query parameter", match.query)


def unsayable_grpc(match: Match) -> Iterator[str]:
    """Why a match cannot be said of gRPC calls; nothing if it can."""
    if match.method:
        yield f"GRPCRoute has no HTTP methods, found {match.method}"
    if match.query:
        yield f"GRPCRoute has no query parameters, found {match.query[0][0]}"
    if match.path and match.path != ("prefix", "/"):
        how, value = match.path
        if not _GRPC_PATH[how].fullmatch(value):
            told = "/service/method, exact, or the prefix /service/"
            yield f"found the path {how} {value}, expected what GRPCRoute has: {told}"
    yield from _unsayable_conditions("header", lower_case(match.headers))


def lower_case(headers: Conditions) -> Conditions:
    """Header conditions by names in lower case: they have no case, and are to be told apart."""
    return tuple((name.lower(), how, value) for name, how, value in headers)


def _unsayable_conditions(what: str, conditions: Conditions) -> Iterator[str]:
    names = [name for name, _, _ in conditions]
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield f"{what} {name} is compared twice, and Gateway API would ignore the second"
    if len(names) > CONDITIONS:
        yield f"more than {CONDITIONS} {what}s are compared in one match"
    for name, how, value in conditions:
        said = _condition(name, how, value)["value"]
        if not said or len(said) > VALUE[what]:
            yield f"{what} {name} is compared with {len(said)} characters, expected 1 to {VALUE[what]}"


def _condition(name: str, how: MatchType, value: str) -> dict[str, str]:
    """A header or query parameter of a match.

    Whether an expression has to match the whole value is the implementation's to say, so it is anchored.
    """
    if how == "exact":
        return {"type": "Exact", "name": name, "value": value}
    pattern = f"^{_quoted(value)}.*$" if how == "prefix" else f"^(?:{value})$"
    return {"type": "RegularExpression", "name": name, "value": pattern}


def _quoted(text: str) -> str:
    """An expression that matches this text alone."""
    return _META.sub(lambda found: f"\\{found[0]}", text)
