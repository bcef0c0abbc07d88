"""How the command ends: exit codes, and the errors that a user can do something about."""

from enum import IntEnum

import click


class Exit(IntEnum):
    """Exit codes. Scripts rely on them: they do not move."""

    OK = 0
    NOT_WELL = 1
    """The command did its work, and what it was asked about is not well."""
    BAD_INPUT = 2
    """Wrong usage, or input that cannot be used."""
    NO_CLUSTER = 3
    """The cluster cannot be reached, or does not permit what was asked."""
    UNDECIDED = 4
    """The command did its work, and what it was asked cannot be told."""
    NOT_FOUND = 5
    """There is no policy of that name."""
    NOT_IN_TIME = 6
    """What was waited for did not come in time."""
    TAKEN_BACK = 7
    """What was begun did not succeed, and is undone."""
    NO_CONTROLLER = 8
    """What was waited for cannot come: no controller is at work."""
    BUG = 70
    """An error in turnout itself; sysexits.h calls it EX_SOFTWARE."""
    INTERRUPTED = 130
    """Ctrl-C, as shells report it."""
    BROKEN_PIPE = 141
    """Whoever read the output has stopped, as shells report it."""


class BadInput(click.ClickException):
    """A file or a document cannot be used. The message names it, and what would be right."""

    exit_code = Exit.BAD_INPUT


class NotFound(click.ClickException):
    """There is no such policy."""

    exit_code = Exit.NOT_FOUND


class NotWell(click.ClickException):
    """The command did its work, and it is not as it was to be. The message says how it is."""

    exit_code = Exit.NOT_WELL


class NotInTime(click.ClickException):
    """What was waited for did not come in time. The message says how it was at the end."""

    exit_code = Exit.NOT_IN_TIME


class TakenBack(click.ClickException):
    """What was begun did not succeed, and is undone. The message says why."""

    exit_code = Exit.TAKEN_BACK


class NoController(click.ClickException):
    """What was waited for cannot come: no controller is at work, by its Lease."""

    exit_code = Exit.NO_CONTROLLER


class NoCluster(click.ClickException):
    """The cluster cannot be reached, or does not permit what was asked."""

    exit_code = Exit.NO_CLUSTER
