"""Regular expressions of matches that no network takes."""

from collections.abc import Iterable, Iterator

from turnout.errors import Problem
from turnout.plugin import Match, Policy
from turnout.plugin.regex import regex_fault


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
