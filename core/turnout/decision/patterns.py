"""Regular expressions of matches that no network takes: RE2 is what Envoy and its like compile."""

import re
import warnings
from collections.abc import Iterable, Iterator

from turnout.errors import Problem
from turnout.plugin import Match, Policy

# In character classes none of these has a meaning of its own.
_CLASS = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]", re.DOTALL)
_NOT_RE2 = re.compile(r"\(\?(?:<?[=!]|>|P=|\()")
_BACKREFERENCE = re.compile(r"(?:^|[^\\])(?:\\\\)*\\[1-9]")
_BROKEN = (
    "missing ), unterminated",
    "unbalanced parenthesis",
    "unterminated character set",
    "nothing to repeat",
)
"""How Python's parser names what is wrong in RE2 as well; of other syntax the two differ."""


def faults(policy: Policy) -> Iterator[Problem]:
    """The patterns of a policy that cannot be RE2's, by their paths in its document."""
    for index, version in enumerate(policy.versions):
        for number, match in enumerate(version.matches):
            for field, pattern in _patterns(match):
                if fault := regex_fault(pattern):
                    yield Problem(f"spec.modelVersions[{index}].match[{number}].{field}", fault)


def _patterns(match: Match) -> Iterable[tuple[str, str]]:
    yield from ((f"headers.{name}.regex", value) for name, how, value in match.headers if how == "regex")
    yield from ((f"queryParams.{name}.regex", value) for name, how, value in match.query if how == "regex")
    if match.path and match.path[0] == "regex":
        yield "path.regex", match.path[1]


def regex_fault(pattern: str) -> str | None:
    """Why a pattern cannot be RE2's, if that is certain."""
    if _BACKREFERENCE.search(pattern):
        return f'found "{pattern}", expected RE2 syntax, which has no backreferences'
    if found := _NOT_RE2.search(_CLASS.sub("", pattern)):
        return f'found "{pattern}", expected RE2 syntax, which has no "{found.group()}"'
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            re.compile(pattern)
    except re.error as error:
        if error.msg.startswith(_BROKEN):
            return f'found "{pattern}", expected RE2 syntax: {error.msg}'
    except (OverflowError, RecursionError):
        return f'found "{pattern[:60]}", expected a simpler pattern'
    return None
