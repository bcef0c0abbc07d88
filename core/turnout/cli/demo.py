"""`turnout demo`: a rollout on this machine, with a cluster in memory."""

import asyncio
import os
import signal
import time
from collections.abc import Awaitable, Callable
from contextlib import aclosing, suppress
from typing import TYPE_CHECKING

import click

from turnout import loading
from turnout.cli.program import Command

if TYPE_CHECKING:
    from turnout.demo.counted import Counted
    from turnout.demo.network import Network
    from turnout.demo.play import Seen, Step

# Modules of the demo are imported where they are used: the help of a command must not wait for them.


@click.command(
    cls=Command,
    epilog="""
    Examples:
      turnout demo
      turnout demo --step
    """,
)
@click.option("--step", "by_hand", is_flag=True, help="Wait for a key before each step.")
@click.option("--no-traffic", "quiet", is_flag=True, help="Call nothing, also where a proxy is installed.")
def command(by_hand: bool, quiet: bool) -> None:
    """Play the tutorial's rollout: the real controller, and a cluster in memory.

    Shows after each step how the calls are split, and how the routes have changed. With the extra `demo`
    installed (pip install 'turnout[demo]'), a real proxy follows these routes, and calls to it are counted.
    """
    from turnout.demo.network import EXTRA, find

    began = time.monotonic()
    registry = loading.load()
    found = None if quiet else find(registry)
    if found:
        asyncio.run(_interruptible(_play_with(registry, *found, by_hand)))
    else:
        asyncio.run(_play(registry, by_hand))
    seconds = time.monotonic() - began
    if not found and not quiet:
        _say(f"\nTo see real calls follow the routes: {EXTRA}")
    _say(f"\nThat was the whole rollout, in {seconds:.1f} s. `turnout run` does it in a cluster.")


async def _play(registry: loading.Registry, by_hand: bool) -> None:
    from turnout.demo.play import play

    async with aclosing(play(registry, _announcing(by_hand))) as steps:
        async for seen in steps:
            _show(seen)


async def _play_with(registry: loading.Registry, router: str, network: "Network", by_hand: bool) -> None:
    from turnout.demo.traffic import play_with

    _say(f"Calls go through a real proxy here: the policy has the router {router}.")
    total = None
    try:
        async with aclosing(play_with(registry, router, network, _announcing(by_hand))) as steps:
            async for seen in steps:
                _show(seen)
                total = seen.total
    except (RuntimeError, TimeoutError) as error:
        raise click.ClickException(f"{error}\nWithout a proxy: turnout demo --no-traffic") from error
    if total:
        _say(f"\nOf all {total.number} calls, those while routes changed among them, {_failed(total)}.")


async def _interruptible(work: Awaitable[None]) -> None:
    """Let SIGTERM end it in order, as Ctrl-C does: nothing that was started must stay behind."""
    task = asyncio.ensure_future(work)
    with suppress(NotImplementedError):  # Windows has no such signal
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    try:
        await task
    except asyncio.CancelledError:
        raise click.Abort from None


def _announcing(by_hand: bool) -> Callable[["Step"], Awaitable[None]]:
    from turnout.demo.play import STEPS

    async def announce(step: "Step") -> None:
        _say(click.style(f"\n{STEPS.index(step) + 1}. {step.title}", bold=True))
        for line in step.commands:
            _say(click.style(f"  $ {line}", fg="cyan"))
        if by_hand:
            await asyncio.to_thread(click.pause, "  Press a key to do so …")

    return announce


def _show(seen: "Seen") -> None:
    from turnout.demo.show import bars, calls, change

    shown = [*bars(seen.policy), *change(seen.before, seen.after)]
    for line in shown or ["  (nothing is routed)"]:
        _say(line)
    if seen.counted:
        _say(calls(seen.counted))


def _failed(counted: "Counted") -> str:
    return f"{counted.failed.total()} failed" if counted.failed else "none failed"


def _say(line: str) -> None:
    click.echo(line, color=False if os.environ.get("NO_COLOR") else None)
