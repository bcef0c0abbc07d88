"""`turnout plugins new`: the first files of a plugin of one's own."""

from pathlib import Path

import click

from turnout.cli.exits import BadInput
from turnout.cli.program import Command
from turnout.skeleton import KINDS, Kind


@click.command(
    "new",
    cls=Command,
    epilog="""
    Examples:
      turnout plugins new shadow
      turnout plugins new my-proxies --kind router --to ~/src
      turnout plugins new office-hours --kind gate
    """,
)
@click.argument("name")
@click.option(
    "--kind", type=click.Choice(KINDS), default="strategy", show_default=True, help="What the plugin is."
)
@click.option(
    "--to",
    "parent",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path(),
    help="Where to make the folder turnout-NAME; by default here.",
)
def command(name: str, kind: Kind, parent: Path) -> None:
    """Make a folder turnout-NAME with a plugin to start from.

    It is a Python package that pip installs, with a plugin called NAME that works, a README, and tests that
    pass. An environment, a strategy or a router is chosen by policies; a probe, an admission check, a gate
    or a notifier is switched on in the administrator's settings.
    """
    from turnout.skeleton import distribution, write

    _check(name)
    folder = parent / distribution(name)
    try:
        written = write(name, kind, folder)
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
        expected = 'a DNS label: 1 to 63 of a-z, 0-9 and "-", which neither begins nor ends with "-"'
        raise BadInput(f"NAME: found {shown(name)}, expected {expected}")
    registry = load()
    taken = [str(one) for one in registry if one.name == name]
    taken += [str(one) for one in registry.failures if one.plugin == name]
    if taken:
        told = f"{shown(name)} is taken by an installed plugin, {taken[0]}"
        raise BadInput(f"NAME: {told}; expected a name that no other plugin has, of any kind")
