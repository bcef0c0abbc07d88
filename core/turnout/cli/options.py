"""What several commands ask in the same way."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from turnout.shapes import DNS_LABEL
from turnout.shown import shown

Command = TypeVar("Command", bound=Callable[..., Any])
ADDRESS = re.compile(
    r"(?P<host>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9]([-A-Za-z0-9.]*[A-Za-z0-9])?):(?P<port>\d{1,5})"
)
OBJECT_NAME = re.compile(r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?")


context = click.option(
    "--context", metavar="NAME", help="The kubeconfig's context to use. Default: its current one."
)


def settings(told: str) -> Callable[[Command], Command]:
    """--settings with this help, for the argument `settings_file`."""
    return click.option(
        "--settings",
        "settings_file",
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        help=told,
    )


def namespaces(told: str) -> Callable[[Command], Command]:
    """A repeatable --namespace with this help, for the argument `namespaces`."""
    return click.option(
        "-n",
        "--namespace",
        "namespaces",
        multiple=True,
        metavar="NAMESPACE",
        callback=namespaces_given,
        help=told,
    )


def namespaces_given(_: click.Context, __: click.Parameter, values: tuple[str, ...]) -> tuple[str, ...]:
    """The callback of a repeatable --namespace: each is one that a cluster can have."""
    for value in values:
        if not DNS_LABEL.fullmatch(value):
            expected = "a DNS label: 1 to 63 lower-case letters, digits and -, no - at either end"
            raise click.BadParameter(f"found {shown(value)}, expected {expected}")
    return values
