"""`turnout demo`: a rollout in memory, with nothing but Python."""

import asyncio
import os
import time
from contextlib import aclosing

import click

from turnout import loading
from turnout.cli.program import Command


@click.command(
    cls=Command,
    epilog="""
    Examples:
      turnout demo
      turnout demo --step
    """,
)
@click.option("--step", "by_hand", is_flag=True, help="Wait for a key before each step.")
def command(by_hand: bool) -> None:
    """Play the tutorial's rollout: the real controller, and a cluster in memory.

    Shows after each step how the calls are split, and how the VirtualService has changed.
    """
    began = time.monotonic()
    asyncio.run(_play(by_hand))
    seconds = time.monotonic() - began
    _say(f"\nThat was the whole rollout, in {seconds:.1f} s. `turnout run` does it in a cluster.")


async def _play(by_hand: bool) -> None:
    # Here, and not above: the help of a command must not wait for these imports.
    from turnout.demo.play import STEPS, Step, play
    from turnout.demo.show import bars, change

    async def announce(step: Step) -> None:
        _say(click.style(f"\n{STEPS.index(step) + 1}. {step.title}", bold=True))
        for line in step.commands:
            _say(click.style(f"  $ {line}", fg="cyan"))
        if by_hand:
            await asyncio.to_thread(click.pause, "  Press a key to do so …")

    async with aclosing(play(loading.load(), announce)) as seen:
        async for one in seen:
            shown = [*bars(one.policy), *change(one.before, one.after)]
            for line in shown or ["  (nothing is routed)"]:
                _say(line)


def _say(line: str) -> None:
    click.echo(line, color=False if os.environ.get("NO_COLOR") else None)
