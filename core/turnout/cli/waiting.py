"""Says why nothing is said, where the API server takes long to answer."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

import click

from turnout.runtime.release import SILENCE


def say() -> None:
    """Once, on stderr."""
    click.echo("Waiting for the API server to answer …", err=True)


@contextmanager
def told() -> Iterator[None]:
    """Around a wait, within a running event loop: say so if it takes long."""
    timer = asyncio.get_running_loop().call_later(SILENCE, say)
    try:
        yield
    finally:
        timer.cancel()
