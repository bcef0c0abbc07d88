"""Registers the strategy steps."""

from turnout.plugin import hookimpl
from turnout_steps.strategy import Steps


@hookimpl
def turnout_strategies() -> tuple[Steps]:
    return (Steps(),)
