"""Says what is waited for, and why nothing is said where the API server takes long to answer."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click

from turnout.rollout import Rollout
from turnout.runtime.release import SILENCE
from turnout.shown import sentence


def say() -> None:
    """Once, on stderr."""
    click.echo("Waiting for the API server to answer …", err=True)


@contextmanager
def told() -> Iterator[asyncio.TimerHandle]:
    """Around a wait, within a running event loop: say so if it takes long."""
    timer = asyncio.get_running_loop().call_later(SILENCE, say)
    try:
        yield timer
    finally:
        timer.cancel()


@contextmanager
def lines() -> Iterator[Callable[[str], None]]:
    """The same, and a function that says on stderr what is waited for, unless it has just said so."""
    said = ""

    def tell(awaits: str) -> None:
        nonlocal said
        silence.cancel()
        line = sentence(awaits, 2048)
        if line != said:
            said = line
            click.echo(f"Waiting: {line}", err=True)

    with told() as silence:
        yield tell


@contextmanager
def progress() -> Iterator[Callable[[Rollout], None]]:
    """The same of rollouts, each by what it waits for."""
    with lines() as tell:
        yield lambda rollout: tell(rollout.awaits or rollout.split)
