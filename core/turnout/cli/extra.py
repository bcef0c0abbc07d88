"""Commands of other distributions: entry points of the group `turnout.commands`, each a click command.

The name of the entry point is the command's. A name that turnout itself has stays with it; one that two
distributions claim is nobody's. Nothing is imported before a command is used.
"""

import importlib
from collections import defaultdict
from importlib.metadata import entry_points
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

    def failed(self, error: Exception) -> click.ClickException:
        """What its user is told of what it raised."""
        from turnout.calling import describe

        return click.ClickException(self._told(f"raised {describe(error)}"))

    def _told(self, problem: str) -> str:
        return f"the command {self.name} of {self.distribution} {problem}"


def extras(taken: set[str]) -> dict[str, Extra]:
    """The commands that are installed besides the taken names, by name."""
    found = _installed()
    return {name: one[0] for name, one in found.items() if len(one) == 1 and name not in taken}


def unusable(taken: set[str]) -> dict[Extra, str]:
    """Those that have no name to be called by, and why."""
    told = {}
    for name, claiming in _installed().items():
        for one in claiming:
            if name in taken:
                told[one] = f"the command {name}: turnout has one of that name"
            elif len(claiming) > 1:
                names = " and ".join(sorted(other.distribution for other in claiming))
                told[one] = f"the command {name} is claimed by {names}: neither gets it; uninstall the other"
    return told


def _installed() -> dict[str, list[Extra]]:
    found: defaultdict[str, list[Extra]] = defaultdict(list)
    for point in entry_points(group=GROUP):
        found[point.name].append(Extra(point.name, point.value, point.dist.name if point.dist else "unknown"))
    return dict(sorted(found.items()))
