"""Registers the built-in strategies."""

from collections.abc import Iterable
from typing import Any

from turnout.plugin import Strategy, hookimpl
from turnout.strategies.blue_green import BlueGreen
from turnout.strategies.canary import Canary
from turnout.strategies.mirror import Mirroring


@hookimpl
def turnout_strategies() -> Iterable[Strategy[Any]]:
    return (BlueGreen(), Canary(), Mirroring())
