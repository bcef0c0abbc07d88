"""Makes the first rule that matches win, where Gateway API prefers the most specific match.

Of all matches of a route that a request meets, Gateway API takes the one with an exact path, else with the
longest prefix, then one with a method, then the one with most headers, then with most query parameters, and
only then the first in the list (HTTPRouteRule.matches; for gRPC a service, a method, headers). So a rule
also gets as alternatives what it has in common with each later match that would be preferred: they are at
least as specific as that one, and come before it.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from turnout.plugin import Match, MatchType, Rule
from turnout_gateway_api.matches import lower_case

Condition = tuple[MatchType, str]
Conditions = dict[str, Condition]

MATCHES_OF_A_RULE = 64
MATCHES_OF_A_ROUTE = 128
"""As many as HTTPRoute and GRPCRoute have room for."""


class Unsayable(Exception):  # noqa: N818 - an outcome, told to the policy
    """Rules whose order Gateway API cannot be made to keep."""


def in_order(rules: Sequence[Rule], *, prefixes_end_at_slashes: bool) -> list[tuple[Match, ...]]:
    """The matches of each rule with which the first rule that matches wins.

    `prefixes_end_at_slashes`: a prefix `/a/` takes `/a` as well, as in HTTPRoute. Prefixes end with a
    slash. The last rule has no matches of its own; what it gets may include one that matches everything.

    Raises Unsayable, with a sentence on why.
    """
    own = [tuple(_plain(match) for match in rule.matches) or (Match(),) for rule in rules]
    if prefixes_end_at_slashes:
        own = list(_with_bare_paths(own))
    later: list[tuple[str, Match]] = []
    ordered: list[tuple[Match, ...]] = []
    for rule, matches in zip(reversed(rules), reversed(own), strict=True):
        alternatives = tuple(dict.fromkeys(_alternatives(rule, matches, later)))
        if len(alternatives) > MATCHES_OF_A_RULE or len(alternatives) + len(later) > MATCHES_OF_A_ROUTE:
            raise Unsayable(
                f"rule {rule.name} and those after it overlap so much that it would take more than "
                f"{MATCHES_OF_A_RULE} matches in a rule, or {MATCHES_OF_A_ROUTE} in all, to keep their order"
            )
        ordered.insert(0, alternatives)
        later = [*((rule.name, match) for match in alternatives), *later]
    return ordered


def rank(match: Match) -> tuple[int, ...]:
    """Of two matches that a request meets, Gateway API takes the one whose rank is higher."""
    how, value = match.path or ("prefix", "")
    return (
        how == "exact",
        len(value) if how == "prefix" else 0,
        match.method is not None,
        len(match.headers),
        len(match.query),
    )


def common(first: Match, second: Match) -> Match | None:
    """What meets both; None if nothing does. Raises Unsayable, with the name of what cannot be said."""
    if first.method and second.method and first.method != second.method:
        return None
    headers = _merged("header", dict(_named(first.headers)), dict(_named(second.headers)))
    query = _merged("query parameter", dict(_named(first.query)), dict(_named(second.query)))
    path = _both("the path", first.path, second.path) if first.path and second.path else None
    if headers is None or query is None or (first.path and second.path and path is None):
        return None
    return Match(
        headers=tuple((name, *condition) for name, condition in sorted(headers.items())),
        query=tuple((name, *condition) for name, condition in sorted(query.items())),
        path=path or first.path or second.path,
        method=first.method or second.method,
    )


def _plain(match: Match) -> Match:
    """The same match: header names in lower case, and no path that every request has."""
    return replace(
        match, headers=lower_case(match.headers), path=None if match.path == ("prefix", "/") else match.path
    )


def _with_bare_paths(own: Sequence[tuple[Match, ...]]) -> Iterator[tuple[Match, ...]]:
    """The rules after one with a prefix `/a/` get what they match of `/a`, which is not that rule's."""
    bare: list[Match] = []
    for matches in own:
        of_bare = (common(match, path) for match in matches for path in bare)
        yield (*matches, *filter(None, of_bare))
        paths = (match.path for match in matches if match.path)
        bare += [Match(path=("exact", value[:-1])) for how, value in paths if how == "prefix"]


def _alternatives(
    rule: Rule, matches: Sequence[Match], later: Sequence[tuple[str, Match]]
) -> Iterator[Match]:
    """A rule's own matches, and what they have in common with later ones that would be preferred."""
    yield from matches
    for match in matches:
        for name, other in later:
            if rank(other) <= rank(match):
                continue
            try:
                shared = common(match, other)
            except Unsayable as unsayable:
                raise Unsayable(
                    f"a call may match both rule {rule.name} and rule {name}, and Gateway API would prefer "
                    f"the latter as the more specific; what matches both cannot be said, as they compare "
                    f"{unsayable} differently, one of them by a regex"
                ) from None
            if shared:
                yield shared


def _named(conditions: Iterable[tuple[str, MatchType, str]]) -> Iterator[tuple[str, Condition]]:
    return ((name, (how, value)) for name, how, value in conditions)


def _merged(what: str, first: Conditions, second: Conditions) -> Conditions | None:
    merged = first | second
    for name in first.keys() & second.keys():
        condition = _both(f"{what} {name}", first[name], second[name])
        if condition is None:
            return None
        merged[name] = condition
    return merged


def _both(what: str, first: Condition, second: Condition) -> Condition | None:
    """The condition under which both hold; None if they never do."""
    if first == second:
        return first
    if "regex" in (first[0], second[0]):
        raise Unsayable(what)
    # Of two prefixes the longer; an exact value where it has the other's prefix.
    narrow, wide = sorted((first, second), key=lambda one: (one[0] == "exact", len(one[1])), reverse=True)
    return narrow if wide[0] == "prefix" and narrow[1].startswith(wide[1]) else None
