"""`turnout list`: the rollouts of a namespace, or of the cluster."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from turnout.cli import data, options
from turnout.cli.ages import age
from turnout.cli.program import Command

if TYPE_CHECKING:
    from turnout.rollout import Rollout


@click.command(
    cls=Command,
    epilog="""
    Examples:
      turnout list
      turnout list -A -o wide
      turnout list -o json | jq '.rollouts[] | select(.ready != true).name'

    Exit codes:
      0  they are listed, also where there are none
      3  the cluster cannot be reached, or does not permit to list the policies
    """,
)
@options.namespace
@click.option("-A", "--all-namespaces", is_flag=True, help="Those of all namespaces.")
@click.option(
    "-o",
    "--output",
    type=click.Choice(["wide", "name", "json", "yaml"]),
    help="wide: the router too, and what each waits for. Default: a table.",
)
@options.context
def command(namespace: str | None, all_namespaces: bool, output: str | None, context: str | None) -> None:
    """List rollouts: each policy with its environment, its strategy and the shares in force.

    Needs the right to list the policies.
    """
    if namespace and all_namespaces:
        raise click.UsageError("--all-namespaces and --namespace exclude each other")
    # Here, and not above: the help of a command must not wait for these imports.
    from turnout.cli.cluster import told_errors

    with told_errors():
        found, where = asyncio.run(_read(namespace, all_namespaces, context))
    if output in ("json", "yaml"):
        data.dump({"rollouts": [one.data() for one in found]}, output)
    elif output == "name":
        for one in found:
            click.echo(one.resource)
    elif found:
        for line in text(found, datetime.now(UTC), all_namespaces=all_namespaces, wide=output == "wide"):
            click.echo(line)
    else:
        click.echo(f"No policies in {where}.", err=True)


async def _read(
    namespace: str | None, all_namespaces: bool, context: str | None
) -> tuple[list["Rollout"], str]:
    """What is listed, and where."""
    from turnout.cli import waiting
    from turnout.client import Client

    with waiting.told():
        async with Client.connect(namespace or "", context=context) as client:
            where = "the cluster" if all_namespaces else f"namespace {client.namespace}"
            return await client.list(all_namespaces=all_namespaces), where


def text(found: Sequence["Rollout"], now: datetime, *, all_namespaces: bool, wide: bool) -> list[str]:
    """The lines of a table."""
    from turnout.explain import table
    from turnout.shown import sentence, truth

    head = ["NAME", "ENVIRONMENT", "STRATEGY", "SPLIT", "READY", "AGE"]
    rows = [
        [
            one.name,
            one.environment,
            one.strategy,
            one.split or "none",
            truth(one.ready),
            age(one.created, now),
        ]
        for one in found
    ]
    if wide:
        head += ["ROUTER", "WAITS FOR"]
        rows = [[*row, one.router, one.awaits] for row, one in zip(rows, found, strict=True)]
    if all_namespaces:
        head = ["NAMESPACE", *head]
        rows = [[one.namespace, *row] for row, one in zip(rows, found, strict=True)]
    return list(table([head, *([sentence(cell) for cell in row] for row in rows)]))
