"""What Istio would not match as it stands, said before a route is written."""

import re
import warnings
from collections.abc import Iterable, Iterator

from turnout.plugin import Fault, Match, Policy

IGNORED_HEADERS = frozenset({"uri", "scheme", "method", "authority"})
"""Keys that Istio's HTTPMatchRequest ignores in `headers`: a match of them alone would match every call."""

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


def faults(policy: Policy) -> Iterator[Fault]:
    """Faults of a policy's matches, by the paths of its document."""
    for index, version in enumerate(policy.versions):
        for number, match in enumerate(version.matches):
            path = f"spec.modelVersions[{index}].match[{number}]"
            yield from (Fault(f"{path}.{field}", message) for field, message in _faults(match))


def _faults(match: Match) -> Iterable[tuple[str, str]]:
    for name, how, value in match.headers:
        if name.lower() in IGNORED_HEADERS:
            yield f"headers.{name}", "Istio ignores a header of this name; use path or method"
        elif how == "regex" and (fault := regex_fault(value)):
            yield f"headers.{name}.regex", fault
    for name, how, value in match.query:
        if how == "regex" and (fault := regex_fault(value)):
            yield f"queryParams.{name}.regex", fault
    if match.path and match.path[0] == "regex" and (fault := regex_fault(match.path[1])):
        yield "path.regex", fault


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
