"""Runs suites as pytest would, and keeps what their checks say."""

import unittest
from collections.abc import Iterator
from typing import Any, NamedTuple

ELSEWHERE = "test_answers_are_the_same_in_another_process"
"""It starts processes, so only plugins that are meant to fail it are asked."""


class Broken(NamedTuple):
    """A suite whose plugin breaks one rule, the check that sees it, and words of what that says."""

    suite: type[Any]
    check: str
    says: str

    def __str__(self) -> str:
        return f"{self.suite.__name__}-{self.check.removeprefix('test_')}"


def checks(suite: type[Any]) -> Iterator[str]:
    """The names of a suite's tests."""
    return (name for name in dir(suite) if name.startswith("test_") and callable(getattr(suite, name)))


def failures(suite: type[Any], *, elsewhere: bool = False) -> dict[str, str]:
    """What the checks say that do not hold, by their names."""
    found: dict[str, str] = {}
    for name in checks(suite):
        try:
            if name != ELSEWHERE or elsewhere:
                getattr(suite(), name)()
        except unittest.SkipTest:
            continue
        except AssertionError as error:
            found[name] = str(error)
    return found


def skipped(suite: type[Any], check: str) -> str:
    """Why a check cannot tell."""
    try:
        getattr(suite(), check)()
    except unittest.SkipTest as why:
        return str(why)
    raise AssertionError(f"{check} was not skipped")
