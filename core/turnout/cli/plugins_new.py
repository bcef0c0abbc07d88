"""`turnout plugins new`: the first files of a plugin of one's own."""

from pathlib import Path

import click

from turnout.cli.exits import BadInput
from turnout.cli.program import Command
from turnout.skeleton import Axis

AXES: tuple[Axis, ...] = ("environment", "strategy", "router")


@click.command(
    "new",
    cls=Command,
    epilog="""
    Examples:
      turnout plugins new shadow
      turnout plugins new my-proxies --axis router --to ~/src
    """,
)
@click.argument("name")
@click.option(
    "--axis", type=click.Choice(AXES), default="strategy", show_default=True, help="What the plugin is."
)
@click.option(
    "--to",
    "parent",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path(),
    help="The folder to write turnout-NAME to; by default the current one.",
)
def command(name: str, axis: Axis, parent: Path) -> None:
    """Write the first files of a plugin NAME to the folder turnout-NAME.

    A distribution that can be installed, with a plugin that works and tests that pass.
    """
    from turnout.skeleton import distribution, write

    _check(name)
    folder = parent / distribution(name)
    try:
        written = write(name, axis, folder)
    except FileExistsError as error:
        raise BadInput(f"{error.filename} exists: nothing is written over what is there") from None
    click.echo("\n".join(f"{folder / path}" for path in written))
    click.echo(f'\nNext:\n  cd {folder}\n  pip install -e ".[testing]"\n  pytest')


def _check(name: str) -> None:
    """Raises BadInput for a name that no plugin can have, or that another one has."""
    from turnout.loading import load
    from turnout.shapes import DNS_LABEL
    from turnout.shown import shown

    if not DNS_LABEL.fullmatch(name):
        expected = 'a DNS label: up to 63 of a-z, 0-9 and "-", with none of these at its ends'
        raise BadInput(f"NAME: found {shown(name)}, expected {expected}")
    registry = load()
    taken = [str(one) for one in registry if one.name == name]
    taken += [str(one) for one in registry.failures if one.plugin == name]
    if taken:
        raise BadInput(f"NAME: {shown(name)} is taken by an installed plugin, {taken[0]}")
