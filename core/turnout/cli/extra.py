"""Commands of other distributions: entry points of the group `turnout.commands`, each a click command.

The name of the entry point is the command's. A name that turnout itself has stays with it; one that two
distributions claim is nobody's. Nothing is imported before a command is used.
"""

import importlib
from collections import defaultdict
from importlib.metadata import EntryPoint, entry_points
from typing import NamedTuple

import click

GROUP = "turnout.commands"


class Extra(NamedTuple):
    """A command of another distribution."""

    name: str
    target: str
    distribution: str

    @property
    def summary(self) -> str:
        return f"From {self.distribution}."

    def load(self) -> click.Command:
        """Raises ClickException for what cannot be imported, or is no command."""
        from turnout.calling import describe

        module, _, attribute = self.target.partition(":")
        try:
            command = getattr(importlib.import_module(module), attribute)
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            raise click.ClickException(self._told(f"cannot be imported: {describe(error)}")) from error
        if not isinstance(command, click.Command):
            raise click.ClickException(self._told(f"is {self.target}, which is no click command"))
        return command

    def _told(self, problem: str) -> str:
        return f"the command {self.name} of {self.distribution} {problem}"


def extras(taken: set[str]) -> dict[str, Extra]:
    """The commands that are installed besides the taken names, by name."""
    found: defaultdict[str, list[EntryPoint]] = defaultdict(list)
    for entry_point in entry_points(group=GROUP):
        if entry_point.name not in taken:
            found[entry_point.name].append(entry_point)
    return {
        name: Extra(name, points[0].value, points[0].dist.name if points[0].dist else "unknown")
        for name, points in sorted(found.items())
        if len(points) == 1
    }
