"""`turnout status`: a rollout, its versions, routes and last shifts, once or live."""

import asyncio
import json
import sys
from collections.abc import Mapping
from contextlib import redirect_stdout
from pathlib import Path
from typing import IO

import click

from turnout.cli import options
from turnout.cli.program import Command
from turnout.shown import shown

Observed = Mapping[str, float]


def name_given(ctx: click.Context, parameter: click.Parameter, value: str | None) -> str | None:
    """The callback of a policy's name that may be absent."""
    return value and options.policy_given(ctx, parameter, value)


def observed_given(_: click.Context, __: click.Parameter, value: IO[str] | None) -> Observed | None:
    """The callback of --observed: the report of `turnout verify -o json`, as shares, 0..1, by version."""
    if value is None:
        return None
    expected = "what turnout verify -o json prints"
    try:
        with value:
            report = json.load(value)
        found = {str(one["name"]): one["share"] for one in report["versions"]}
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise click.BadParameter(f"found {shown(str(error))}, expected {expected}") from None
    for share in found.values():
        if type(share) not in (int, float) or not 0 <= share <= 1:
            raise click.BadParameter(f"found the share {shown(share)}, expected {expected}: 0 to 1")
    return found if report.get("answered") != 0 else None  # shares of nothing are not known


@click.command(
    cls=Command,
    epilog="""
    Examples:
      turnout status wisdom
      turnout status wisdom -w
      turnout status --all -o json
      turnout verify wisdom -o json | turnout status wisdom --observed -

    Exit codes:
      0    it is told, whether it is well or not: turnout wait is for scripts that ask
      2    wrong usage
      3    the cluster cannot be reached, or does not permit to get the policy, with -w to list and watch it
      5    there is no such policy, or with -w it was deleted
      130  interrupted
    """,
)
@click.argument("name", required=False, callback=name_given)
@click.option("--all", "every", is_flag=True, help="All policies of the namespace.")
@click.option("-w", "--watch", is_flag=True, help="Live: again whenever something changes, until Ctrl-C.")
@click.option(
    "-o",
    "--output",
    type=click.Choice(["wide", "json", "yaml"]),
    help="wide: why each version has its share, and all shifts. json with -w: a document a line.",
)
@click.option(
    "--observed",
    type=click.File(encoding="utf-8"),
    metavar="FILE|-",
    callback=observed_given,
    help="Shares as they were counted: the report of turnout verify -o json.",
)
@options.settings("The administrator's settings, as the controller has them.")
@options.namespace
@options.context
def command(
    name: str | None,
    every: bool,
    watch: bool,
    output: str | None,
    observed: Observed | None,
    settings_file: Path | None,
    namespace: str | None,
    context: str | None,
) -> None:
    """Show a rollout: its versions with their shares, its routes and who wrote them, and its last shifts.

    DESIRED is what is decided from what is there now, APPLIED what the routes in force say, OBSERVED what
    was counted; a question mark is what is not known. For the first it reads the objects of versions and the
    routes; what may not be read is told on stderr.
    """
    if every == bool(name):
        raise click.UsageError("expected the name of a policy, or --all")
    if every and (watch or observed is not None):
        raise click.UsageError("--watch and --observed are for one policy: expected a name in place of --all")
    # Here, and not above: the help of a command must not wait for these imports.
    from turnout.cli import status_run
    from turnout.cli.cluster import told_errors
    from turnout.client import Client
    from turnout.settings import Settings

    settings = Settings.read(settings_file) if settings_file else None
    shown_as = status_run.Shown(output, observed, sys.stdout)

    async def run() -> None:
        async with Client.connect(namespace or "", context=context, settings=settings) as client:
            if watch:
                await status_run.watch(client, name or "", shown_as)
            else:
                await status_run.once(client, name, shown_as)

    with told_errors(), redirect_stdout(sys.stderr):  # what plugins print is no data
        asyncio.run(run())
