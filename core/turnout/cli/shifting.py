"""What `turnout weights` and `turnout abort` share: writes traffic weights, and tells what came of it."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from turnout.cli import data, options
from turnout.cli.exits import NoCluster, NotWell
from turnout.shown import plain, sentence

if TYPE_CHECKING:
    from turnout.rollout import Rollout

Weights = Mapping[str, int]

no_wait = click.option(
    "--no-wait", is_flag=True, help="Return once they are written, without waiting for the routes."
)
timeout = click.option(
    "--timeout",
    default="60s",
    show_default=True,
    metavar="DURATION",
    callback=options.duration_given,
    help="How long to wait until the routes are in force, such as 30s or 5m.",
)
output = click.option(
    "-o", "--output", type=click.Choice(["json"]), help="json: the weights, the rollout before and after."
)


@dataclass(frozen=True, slots=True)
class Where:
    """The policy, and how long to wait for its routes; None: not at all."""

    name: str
    namespace: str | None
    context: str | None
    timeout: float | None


@dataclass(slots=True)
class Shift:
    """What was asked for, and what is there. `weights` None: the policy's own.

    `written` and `refused` False: nobody knows whether they are written.
    """

    weights: Weights | None = None
    before: "Rollout | None" = None
    written: bool = False
    refused: bool = False
    after: "Rollout | None" = None


def shift(where: Where, wanted: Callable[["Rollout"], Weights | None]) -> Shift:
    """Write the weights that are wanted of the rollout as it is, and wait until the routes are theirs."""
    # Here, and not above: the help of a command must not wait for these imports.
    from turnout.cli.cluster import told_errors

    done = Shift()
    try:
        with told_errors():
            asyncio.run(_shift(where, wanted, done))
    except KeyboardInterrupt:
        click.echo(f"Interrupted: {_stands(done)}", err=True)
        raise
    except NoCluster:
        if done.before and not done.refused:
            click.echo(f"Note: {_stands(done)}", err=True)
        raise
    return done


async def _shift(where: Where, wanted: Callable[["Rollout"], Weights | None], done: Shift) -> None:
    from turnout.cli.waiting import progress
    from turnout.client import Client
    from turnout.runtime.errors import ApiError

    with progress() as told:
        async with Client.connect(where.namespace or "", context=where.context) as client:
            done.before = before = await client.get(where.name)
            done.weights = wanted(before)
            if before.suspended and where.timeout is not None:
                told_why = (
                    "its routes stay as they are, whatever the weights; --no-wait writes them all the same"
                )
                raise NotWell(f"{before} is suspended: {told_why}")
            try:
                await client.put_weights(where.name, done.weights)
            except ApiError as error:
                done.refused = error.status < 500
                raise
            done.written = True
            if where.timeout is not None:
                done.after = await client.weighed(where.name, done.weights, timeout=where.timeout, told=told)


def show(done: Shift, output: str | None) -> None:
    """Print what came of it on stdout, and on stderr which versions have to get ready first."""
    before, after = done.before, done.after
    if before is None:
        return
    if output == "json":
        said = {
            "weights": done.weights and dict(done.weights),
            "before": before.data(),
            "after": after and after.data(),
        }
        data.dump(said, output)
    elif after is None:
        click.echo(f"{before.resource} {weights_told(done.weights)}, in force: {_split(before)}")
    else:
        click.echo(f"before: {_split(before)}\nafter:  {_split(after)}")
    for one in after.versions if after else ():
        if one.weight != 0 and one.ready is not True:
            told = sentence(one.message or one.reason)
            click.echo(f"Note: {plain(one.name)} gets its share once it is ready: {told}", err=True)


def weights_told(weights: Weights | None) -> str:
    """Such as `wisdom-0=20 wisdom-1=80`."""
    if weights is None:
        return "has its own weights again"
    return "has " + " ".join(f"{plain(name)}={weight}" for name, weight in weights.items())


def _split(rollout: "Rollout") -> str:
    return sentence(rollout.split or "none", 2048)


def _stands(done: Shift) -> str:
    if done.written:
        return "the weights are written, and the controller goes on by itself."
    return "whether the weights are written is not known." if done.before else "nothing is written."
