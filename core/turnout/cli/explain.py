"""`turnout explain`: the chain of causes from objects to routes."""

import asyncio
import sys
from contextlib import redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING

import click

from turnout.cli import options
from turnout.cli.exits import NotWell
from turnout.cli.program import Command
from turnout.shown import sentence

if TYPE_CHECKING:
    from turnout.client import Survey
    from turnout.settings import Settings


@click.command(
    cls=Command,
    epilog="""
    Examples:
      turnout explain wisdom
      turnout explain wisdom -o json | jq .policies[0].versions

    Exit codes:
      0    it is told
      1    the policy is refused, or nothing can be routed; why is told
      2    wrong usage
      3    the cluster cannot be reached, or does not permit to get something; what, is on stderr
      5    there is no such policy
      130  interrupted
    """,
)
@options.policy
@click.option("-o", "--output", type=click.Choice(["json"]), help="json: as turnout plan -o json has it.")
@options.settings("The administrator's settings, as the controller has them.")
@options.namespace
@options.context
def command(
    name: str, output: str | None, settings_file: Path | None, namespace: str | None, context: str | None
) -> None:
    """Explain a rollout: which object told readiness by what, which rule gave which share, what is written.

    It is the text of turnout plan, for what is in the cluster now, decided here: by the plugins of this
    turnout, and without gates and the like. What the controller says of it comes last.
    """
    # Here, and not above: the help of a command must not wait for these imports.
    from turnout.cli.cluster import told_errors
    from turnout.settings import Settings

    settings = Settings.read(settings_file) if settings_file else None
    with told_errors(), redirect_stdout(sys.stderr):  # what plugins print is no data
        found = asyncio.run(_read(name, settings, namespace, context))
    if output == "json":
        from turnout.cli.plan import as_json

        click.echo(as_json([found.planned] if found.planned else []), nl=False)
    else:
        for line in text(found):
            click.echo(line)
    for told in found.unread:
        click.echo(f"Note: {told}", err=True)
    if found.planned and found.planned.problem:
        reason, message = found.planned.problem
        raise NotWell(sentence(f"{found.planned}: {reason}: {message}", 2048))


async def _read(
    name: str, settings: "Settings | None", namespace: str | None, context: str | None
) -> "Survey":
    from turnout.cli import waiting
    from turnout.client import Client, NotReadableError

    with waiting.told():
        async with Client.connect(namespace or "", context=context, settings=settings) as client:
            found = await client.survey(name)
    if found.planned is None:
        raise NotReadableError("; ".join(found.unread))
    return found


def text(found: "Survey") -> list[str]:
    """The lines: what is decided here, and what the controller says."""
    from turnout.explain import explain

    rollout = found.rollout
    said = [f"    {sentence(str(one), 2048)}" for one in rollout.conditions.values()] or ["    nothing yet"]
    behind = [] if rollout.current or not rollout.conditions else ["    of the policy as it was before"]
    return [*(explain(found.planned) if found.planned else ()), "  the controller says:", *behind, *said]
