"""Regular expressions of matches: what cannot be RE2's is refused, whatever the router."""

from collections.abc import Callable

import pytest

from tests.decision.world import World
from turnout.decision.accept import Refused
from turnout.plugin import Match, Policy
from turnout.reasons import Reason
from turnout.testing.builders import policy, spec

REGEX_FAULTS = {
    "lookahead": ("a(?=b)", 'has no "(?="'),
    "lookbehind": ("(?<!a)b", 'has no "(?<!"'),
    "backreference": (r"(a)\1", "has no backreferences"),
    "another engine's escape": (r"\u{1F600}", 'has no "\\u"'),
    "another engine's flag": ("(?ix)a b", 'has no "(?ix"'),
    "recursion": ("(?R)a", 'has no "(?R"'),
    "many repeats": ("a{1001}", "has no more than 1000 repeats"),
    "repeats within repeats": ("(?P<x>a{11}|b){100}", "has no more than 1000 repeats"),
    "open parenthesis": ("(a", "unterminated subpattern"),
    "nothing to repeat": ("*a", "nothing to repeat"),
}
REGEXES = {
    "plain": "a.*b",
    "class": "[(?=]x",
    "escaped": r"\(\?=",
    "a backslash and a digit": r"\\1",
    "only in RE2": r"\pL+\z",
    "flags": "(?i)test",
    "flags of a group": "(?s-U:a.b)",
    "as many repeats as can be": "a{2,1000}",
    "and beside each other": "(?:(?P<x>a{10}b){100}|(c{20})d{1000})",
    "a class of braces": "[{1001}]",
    "a group without a name": "(?:a|b)",
    "named group": "(?P<x>a)",
}


def matching(match: Match) -> Policy:
    """A policy whose candidate has one match."""
    return policy(spec("wisdom-0"), spec("wisdom-1", None, match))


@pytest.mark.parametrize(("pattern", "said"), REGEX_FAULTS.values(), ids=REGEX_FAULTS)
@pytest.mark.parametrize(
    ("match", "path"),
    [
        (lambda pattern: Match(headers=(("x", "regex", pattern),)), "headers.x"),
        (lambda pattern: Match(query=(("q", "regex", pattern),)), "queryParams.q"),
        (lambda pattern: Match(path=("regex", pattern)), "path"),
    ],
    ids=["header", "query", "path"],
)
@pytest.mark.parametrize("router", ["istio", "toy-table"])
def test_a_pattern_that_re2_lacks_is_refused(
    pattern: str, said: str, match: Callable[[str], Match], path: str, router: str
) -> None:
    """Envoy would refuse the whole of its routes for it."""
    with pytest.raises(Refused) as caught:
        World("canary", matching(match(pattern)), router=router)
    assert caught.value.reason is Reason.INVALID_SPEC
    assert f"spec.modelVersions[1].match[0].{path}.regex: " in str(caught.value)
    assert said in str(caught.value)


@pytest.mark.parametrize("pattern", REGEXES.values(), ids=REGEXES)
def test_a_pattern_that_re2_may_have_is_accepted(pattern: str) -> None:
    """What is not certainly wrong is left to the network."""
    World(
        "canary",
        matching(
            Match(
                headers=(("x", "regex", pattern),), path=("regex", pattern), query=(("q", "regex", pattern),)
            )
        ),
    )
