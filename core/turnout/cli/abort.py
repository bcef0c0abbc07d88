"""`turnout abort`: all calls to the primary."""

import asyncio
from typing import TYPE_CHECKING

import click

from turnout.cli import options, shifting
from turnout.cli.exits import NotWell
from turnout.cli.program import Command
from turnout.shown import plain, sentence

if TYPE_CHECKING:
    from turnout.rollout import Rollout

UNTOLD = "whether the candidates are being deleted is not known; the same command goes on with it."


@click.command(
    cls=Command,
    epilog="""
    Examples:
      turnout abort wisdom
      turnout abort wisdom --delete --timeout=5m
      turnout weights wisdom --reset

    Exit codes:
      0    the routes lead to the primary alone
      1    it is written, and calls still go to a candidate: which, and why, is on stderr
      2    wrong usage
      3    the cluster cannot be reached, or does not permit it
      5    there is no such policy
      6    it is written, and the routes have not followed in time, or a candidate is still being deleted
      8    it is written, and no controller is at work
      130  interrupted
    """,
)
@options.policy
@click.option("--delete", is_flag=True, help="Then delete the candidates, and wait until they are gone.")
@shifting.no_wait
@shifting.timeout
@shifting.output
@options.namespace
@options.context
def command(
    name: str,
    delete: bool,
    no_wait: bool,
    timeout: float,
    output: str | None,
    namespace: str | None,
    context: str | None,
) -> None:
    """Give all calls to the primary, and none to candidates, also where the primary fails.

    It stays so, for candidates to come too, until turnout weights --reset. It writes TrafficWeights, with
    weight 0 for each candidate. With --delete candidates are deleted once the routes lead to none: each has
    the time of its drain.
    """
    if delete and no_wait:
        raise click.UsageError("--delete comes after the routes: it excludes --no-wait")
    where = shifting.Where(name, namespace, context, None if no_wait else timeout)
    done = shifting.shift(where, _aborted)
    shifting.show(done, output)
    if (after := done.after) is None:
        return
    if still := [plain(one.name) for one in after.versions if one.carries and one.role != "primary"]:
        why = after.conditions.get("Ready")
        raise NotWell(f"calls still go to {', '.join(still)}: {sentence(str(why))}")
    if delete:
        _delete(where)


def _aborted(rollout: "Rollout") -> dict[str, int]:
    return rollout.all_to(rollout.primary)


def _delete(where: shifting.Where) -> None:
    """Delete the candidates, and say on stderr which are gone."""
    from turnout.cli.cluster import told_errors
    from turnout.cli.waiting import lines
    from turnout.client import Client

    begun = False

    async def run() -> list[str]:
        with lines() as say:

            def told(awaits: str) -> None:
                nonlocal begun
                begun = True
                say(awaits)

            async with Client.connect(where.namespace or "", context=where.context) as client:
                return await client.delete_candidates(where.name, timeout=where.timeout or 0.0, told=told)

    try:
        with told_errors():
            deleted = asyncio.run(run())
    except KeyboardInterrupt:
        goes_on = "what was to be deleted goes by itself, once its drain is over."
        click.echo(f"Interrupted: {goes_on if begun else UNTOLD}", err=True)
        raise
    click.echo(f"Deleted: {', '.join(map(plain, deleted)) or 'no candidate was there'}", err=True)
