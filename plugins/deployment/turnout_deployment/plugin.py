"""Registers the environment deployment."""

from collections.abc import Iterable
from typing import Any

from turnout.plugin import Environment, hookimpl
from turnout_deployment.environment import Deployments


@hookimpl
def turnout_environments() -> Iterable[Environment[Any]]:
    return (Deployments(),)
