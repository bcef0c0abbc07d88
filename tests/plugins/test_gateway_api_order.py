"""The first rule that matches wins, though Gateway API prefers the most specific match."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from turnout.plugin import Match, MatchType, Rule
from turnout.testing.builders import shares
from turnout_gateway_api import matches
from turnout_gateway_api.precedence import Unsayable, in_order

Condition = tuple[str, MatchType, str]

ANN: Condition = ("user", "exact", "ann")
LATE: Condition = ("stage", "exact", "late")
GOLD: Condition = ("tier", "exact", "gold")
REGEX: Condition = ("user", "regex", "an+")


@dataclass(frozen=True)
class Request:
    """What of a request counts."""

    path: str
    method: str
    headers: dict[str, str]
    query: dict[str, str]


def rule(name: str, *alternatives: Match) -> Rule:
    return Rule(name, shares({name: 1}), alternatives)


def first_match(rules: Sequence[Rule], request: Request) -> str:
    """Whose a request is by turnout's contract."""
    return next(one.name for one in rules if not one.matches or any(meets(m, request) for m in one.matches))


def meets(match: Match, request: Request) -> bool:
    conditions: list[tuple[str | None, str, str]] = [
        *((request.headers.get(name.lower()), how, value) for name, how, value in match.headers),
        *((request.query.get(name), how, value) for name, how, value in match.query),
        *((request.path, *match.path) for _ in "1" if match.path),
    ]
    method = match.method in (None, request.method)
    return method and all(_meets(found, how, value) for found, how, value in conditions)


def _meets(found: str | None, how: str, value: str) -> bool:
    return found is not None and (found == value if how == "exact" else found.startswith(value))


def preferred(rules: Sequence[Rule], request: Request) -> str:
    """Whose it is by the rules that are rendered, read as Gateway API's documentation has it."""
    ordered = in_order(rules, prefixes_end_at_slashes=True)
    found = [
        (specificity(said), -place, one.name)
        for place, (one, alternatives) in enumerate(zip(rules, ordered, strict=True))
        for said in map(matches.http, alternatives)
        if takes(said, request)
    ]
    return max(found)[2]


def takes(said: dict[str, Any], request: Request) -> bool:
    """An HTTPRouteMatch on a request. Expressions are those of prefixes."""
    path = said["path"]["value"]
    if said["path"]["type"] == "Exact":
        fits = request.path == path
    else:
        fits = path == "/" or request.path == path or request.path.startswith(f"{path}/")
    named = [(one, request.headers) for one in said.get("headers", ())]
    named += [(one, request.query) for one in said.get("queryParams", ())]
    return fits and said.get("method") in (None, request.method) and all(_holds(*one) for one in named)


def _holds(said: dict[str, str], found: dict[str, str]) -> bool:
    exact, value = said["type"] == "Exact", said["value"]
    return _meets(found.get(said["name"]), said["type"].lower(), value if exact else value[1:-3])


def specificity(said: dict[str, Any]) -> tuple[int, ...]:
    """What precedence goes by, in its order (HTTPRouteRule.matches)."""
    path = said["path"]
    return (
        path["type"] == "Exact",
        len(path["value"]),
        "method" in said,
        len(said.get("headers", ())),
        len(said.get("queryParams", ())),
    )


NAMES, VALUES = ("a", "B"), ("x", "xy", "z")
PATHS = ("/v1/m", "/v1", "/v1/", "/v2/m", "/v11", "/")
METHODS = ("GET", "POST")
conditions = st.dictionaries(
    st.sampled_from(NAMES), st.tuples(st.sampled_from(("exact", "prefix")), st.sampled_from(VALUES))
).map(lambda found: tuple((name, how, value) for name, (how, value) in sorted(found.items())))
any_match = st.builds(
    Match,
    headers=conditions,
    query=conditions,
    path=st.none()
    | st.tuples(st.just("exact"), st.sampled_from(PATHS))
    | st.tuples(st.just("prefix"), st.sampled_from(("/v1/", "/v1/m/", "/"))),
    method=st.none() | st.sampled_from(METHODS),
)
any_rules = st.lists(st.lists(any_match, min_size=1, max_size=2), max_size=3).map(
    lambda found: [*(rule(f"r{n}", *said) for n, said in enumerate(found)), rule("default")]
)
any_values = st.dictionaries(st.sampled_from(NAMES), st.sampled_from(VALUES))
any_request = st.builds(
    Request,
    path=st.sampled_from((*PATHS, "/v1/m/x")),
    method=st.sampled_from(METHODS),
    headers=any_values.map(lambda found: {name.lower(): value for name, value in found.items()}),
    query=any_values,
)


@given(any_rules, st.lists(any_request, min_size=1, max_size=8))
def test_the_first_rule_that_matches_is_the_one_that_is_preferred(
    rules: list[Rule], requests: list[Request]
) -> None:
    for request in requests:
        assert preferred(rules, request) == first_match(rules, request)


def test_rules_that_are_in_order_already_stay_as_they_are() -> None:
    of = [rule("one", Match((ANN, LATE))), rule("two", Match((ANN,))), rule("default")]

    assert in_order(of, prefixes_end_at_slashes=True) == [(Match((ANN, LATE)),), (Match((ANN,)),), (Match(),)]


def test_a_rule_gets_what_it_has_in_common_with_a_later_one_that_would_be_preferred() -> None:
    of = [rule("one", Match((ANN,))), rule("two", Match((LATE, GOLD))), rule("default")]

    assert in_order(of, prefixes_end_at_slashes=True) == [
        (Match((ANN,)), Match((LATE, GOLD, ANN))),
        (Match((LATE, GOLD)),),
        (Match(),),
    ]


def test_matches_that_nothing_meets_together_get_nothing() -> None:
    bob: Condition = ("user", "exact", "bob")
    of = [rule("one", Match((ANN,))), rule("two", Match((bob, LATE))), rule("default")]

    assert in_order(of, prefixes_end_at_slashes=True)[0] == (Match((ANN,)),)


def test_of_a_prefix_and_a_value_the_value_counts() -> None:
    prefix: Condition = ("user", "prefix", "an")
    of = [rule("one", Match((prefix,))), rule("two", Match((ANN, LATE))), rule("default")]

    assert in_order(of, prefixes_end_at_slashes=True)[0] == (Match((prefix,)), Match((LATE, ANN)))


def test_headers_have_no_case() -> None:
    of = [rule("one", Match((("User", "exact", "ann"),))), rule("two", Match((ANN, LATE))), rule("default")]

    assert in_order(of, prefixes_end_at_slashes=True)[0] == (Match((ANN,)), Match((LATE, ANN)))


def test_a_path_without_its_slash_stays_with_the_rules_after_a_prefix() -> None:
    """HTTPRoute's PathPrefix takes it as well, and an exact path is preferred to a prefix."""
    of = [rule("one", Match(path=("prefix", "/v1/"))), rule("two", Match((ANN,))), rule("default")]

    bare: Any = ("exact", "/v1")
    assert in_order(of, prefixes_end_at_slashes=True)[1:] == [
        (Match((ANN,)), Match((ANN,), path=bare)),
        (Match(), Match(path=bare)),
    ]
    assert in_order(of, prefixes_end_at_slashes=False)[1:] == [(Match((ANN,)),), (Match(),)]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        pytest.param(Match((REGEX,)), Match((ANN, LATE)), id="a regex and a value"),
        pytest.param(Match((ANN,)), Match((REGEX, LATE)), id="a value and a regex"),
        pytest.param(Match((REGEX,)), Match((("user", "regex", "b+"), LATE)), id="two regexes"),
        pytest.param(Match(query=(REGEX,)), Match(query=(ANN, LATE)), id="of a query parameter"),
    ],
)
def test_what_no_expression_can_say_is_told(first: Match, second: Match) -> None:
    of = [rule("one", first), rule("two", second), rule("default")]

    with pytest.raises(
        Unsayable, match="both rule one and rule two, and Gateway API would prefer the latter"
    ):
        in_order(of, prefixes_end_at_slashes=True)


def test_regexes_are_no_obstacle_where_the_order_is_right_or_they_are_the_same() -> None:
    narrow, wide, same = Match((REGEX, LATE)), Match((ANN,)), Match((REGEX,))

    for first, second in ((narrow, wide), (wide, same), (same, narrow)):
        in_order([rule("one", first), rule("two", second), rule("default")], prefixes_end_at_slashes=True)


def test_rules_that_overlap_too_much_are_told() -> None:
    names = [("a", "b"), ("c", "d", "e"), ("f", "g", "h", "i")]
    many = [
        rule(
            f"r{n}",
            *(
                Match(tuple((name, "exact", value) for name, value in zip(some, values, strict=True)))
                for values in product("xy", repeat=len(some))
            ),
        )
        for n, some in enumerate(names)
    ]

    with pytest.raises(
        Unsayable, match=r"rule r1 and those after it overlap so much .* 64 matches in a rule"
    ):
        in_order([*many, rule("default")], prefixes_end_at_slashes=True)


def test_what_all_requests_have_is_no_condition() -> None:
    all_of_them = Match((ANN,), path=("prefix", "/"))
    of = [rule("one", all_of_them), rule("default")]

    assert in_order(of, prefixes_end_at_slashes=True) == [(replace(all_of_them, path=None),), (Match(),)]
