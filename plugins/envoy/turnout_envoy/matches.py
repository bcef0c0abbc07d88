"""How Envoy says which requests a route is for."""

from typing import Any

from turnout.plugin import Match, MatchType

EVERY = {"prefix": "/"}


def route_match(match: Match) -> dict[str, Any]:
    """A RouteMatch: all of it has to hold. Header names are lower case, as HTTP/2 has them."""
    said: dict[str, Any] = _path(*match.path) if match.path else dict(EVERY)
    headers = [_value(name.lower(), how, value) for name, how, value in match.headers]
    if match.method:
        headers.append(_value(":method", "exact", match.method))
    if headers:
        said["headers"] = headers
    if match.query:
        said["query_parameters"] = [_value(name, how, value) for name, how, value in match.query]
    return said


def _path(how: MatchType, value: str) -> dict[str, Any]:
    """Envoy compares the path without its query, and a regular expression with all of it."""
    match how:
        case "exact":
            return {"path": value}
        case "prefix":
            return {"prefix": value}
        case "regex":
            return {"safe_regex": {"regex": value}}


def _value(name: str, how: MatchType, value: str) -> dict[str, Any]:
    """A HeaderMatcher or a QueryParameterMatcher. A regular expression has to match the whole value."""
    matcher: dict[str, Any] = {"safe_regex": {"regex": value}} if how == "regex" else {how: value}
    return {"name": name, "string_match": matcher}
