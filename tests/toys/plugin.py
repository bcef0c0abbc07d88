"""Registers the toys, as a distribution's entry point would."""

from collections.abc import Iterable
from typing import Any

from tests.toys.hosts import ToyHosts
from tests.toys.probe import ToyProbe
from tests.toys.steps import ToySteps
from tests.toys.table import ToyTable
from turnout.plugin import Environment, Probe, Router, Strategy, hookimpl


@hookimpl
def turnout_environments() -> Iterable[Environment[Any]]:
    return (ToyHosts(),)


@hookimpl
def turnout_strategies() -> Iterable[Strategy[Any]]:
    return (ToySteps(),)


@hookimpl
def turnout_routers() -> Iterable[Router[Any]]:
    return (ToyTable(),)


@hookimpl
def turnout_probes() -> Iterable[Probe[Any]]:
    return (ToyProbe(),)
