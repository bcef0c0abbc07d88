"""Registers the environment kserve."""

from collections.abc import Iterable
from typing import Any

from turnout.plugin import Environment, hookimpl
from turnout_kserve.environment import KServe


@hookimpl
def turnout_environments() -> Iterable[Environment[Any]]:
    return (KServe(),)
