"""`turnout wait`: returns once a rollout is where it should be."""

import asyncio
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from turnout.cli import data, options
from turnout.cli.exits import BadInput
from turnout.cli.program import Command
from turnout.shown import sentence, shown

if TYPE_CHECKING:
    from turnout.rollout import Rollout

NUMBER = re.compile(r"\d+(\.\d+)?")
EXPECTED = "ready, in-force, split=20/80 or split=wisdom-0=20,wisdom-1=80"


@dataclass(frozen=True, slots=True)
class Goal:
    """Where a rollout should be. `weights`: of a split, by version, or in the order of the versions."""

    what: str
    weights: dict[str, float] | tuple[float, ...] = ()

    def holds(self, rollout: "Rollout") -> bool:
        """Whether it is there. Raises BadInput if it cannot be: its versions are others."""
        match self.what:
            case "ready":
                return bool(rollout.ready)
            case "in-force":
                return rollout.in_force
        return rollout.shared_by(self._weights(rollout))

    def _weights(self, rollout: "Rollout") -> dict[str, float]:
        names = ", ".join(rollout.names)
        if isinstance(self.weights, tuple):
            if len(self.weights) != len(rollout.names):
                told = f"found {len(self.weights)} weights, expected {len(rollout.names)}: of {names}"
                raise BadInput(f"--for: {told}")
            return dict(zip(rollout.names, self.weights, strict=True))
        if strange := [name for name in self.weights if name not in rollout.names]:
            raise BadInput(f"--for: found {shown(strange[0])}, expected versions of the policy: {names}")
        return self.weights


def goal_given(ctx: click.Context, parameter: click.Parameter, value: str) -> Goal:
    """The callback of --for."""
    what, equals, split = value.partition("=")
    if what in ("ready", "in-force") and not equals:
        return Goal(what)
    if what != "split" or not split:
        raise click.BadParameter(f"found {shown(value)}, expected {EXPECTED}")
    if "=" in split:
        return Goal(what, options.weights_given(ctx, parameter, split) or ())
    weights = [float(one) if NUMBER.fullmatch(one) else -1.0 for one in split.split("/")]
    if not any(weights) or not all(0 <= one <= options.HEAVIEST for one in weights):
        expected = f"weights from 0 to {options.HEAVIEST}, one above 0, such as split=20/80"
        raise click.BadParameter(f"found {shown(value)}, expected {expected}")
    return Goal(what, tuple(weights))


@click.command(
    cls=Command,
    epilog="""
    Examples:
      turnout wait wisdom --for=ready
      turnout wait wisdom --for=split=20/80 --timeout=5m
      turnout wait wisdom --for=in-force -o json | jq -r .split

    Exit codes:
      0    it is there
      2    wrong usage, or a split of versions that the policy does not have
      3    the cluster cannot be reached, or does not permit to get, list and watch the policy
      5    there is no such policy, or it was deleted
      6    not in time; what it waits for is on stderr
      8    no controller is at work, by its Lease
      130  interrupted
    """,
)
@options.policy
@click.option(
    "--for",
    "goal",
    required=True,
    metavar="GOAL",
    callback=goal_given,
    help="ready; in-force: the routes are the decided ones; split=20/80, of the versions in the policy's "
    "order, or split=wisdom-0=20,wisdom-1=80: the routes in force share calls so.",
)
@click.option(
    "--timeout",
    default="60s",
    show_default=True,
    metavar="DURATION",
    callback=options.duration_given,
    help="Such as 30s or 5m.",
)
@click.option("-o", "--output", type=click.Choice(["json"]), help="json: the rollout as it is then.")
@options.namespace
@options.context
def command(
    name: str, goal: Goal, timeout: float, output: str | None, namespace: str | None, context: str | None
) -> None:
    """Wait until a rollout is ready, in force or shared as wanted, and say how it is then.

    What it waits for meanwhile is on stderr. A lost connection is made again. The status of the policy
    decides, for its spec as it is now.
    """
    # Here, and not above: the help of a command must not wait for these imports.
    from turnout.cli.cluster import told_errors

    with told_errors():
        found = asyncio.run(_wait(name, goal, timeout, namespace, context))
    if output == "json":
        data.dump(found.data(), output)
    else:
        done = {"ready": "ready", "in-force": "in force", "split": "in force"}[goal.what]
        click.echo(f"{found.resource} {done}: {sentence(found.split)}")


async def _wait(
    name: str, goal: Goal, timeout: float, namespace: str | None, context: str | None
) -> "Rollout":
    from turnout.cli.waiting import progress
    from turnout.client import Client

    with progress() as told:
        async with Client.connect(namespace or "", context=context) as client:
            return await client.wait(name, goal.holds, timeout=timeout, told=told)
