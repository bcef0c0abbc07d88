"""What several commands ask in the same way."""

import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from turnout.shapes import DNS_LABEL
from turnout.shown import plain, shown

Command = TypeVar("Command", bound=Callable[..., Any])
ADDRESS = re.compile(
    r"(?P<host>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9]([-A-Za-z0-9.]*[A-Za-z0-9])?):(?P<port>\d{1,5})"
)
DURATION = re.compile(r"(?P<number>\d+(\.\d+)?)(?P<unit>ms|s|m|h)?")
UNITS = {"ms": 0.001, "s": 1.0, None: 1.0, "m": 60.0, "h": 3600.0}
LONGEST = 24 * 3600.0
"""Seconds."""
HEAVIEST = 1_000_000
"""As in a policy."""
OBJECT_NAME = re.compile(r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?")


context = click.option(
    "--context", metavar="NAME", help="The kubeconfig's context to use. Default: its current one."
)


def policy(command: Command) -> Command:
    """The argument NAME, a policy's."""
    return click.argument("name", callback=policy_given)(command)


def namespace(command: Command) -> Command:
    """--namespace, of the policy."""
    return click.option(
        "-n",
        "--namespace",
        metavar="NAMESPACE",
        callback=namespace_given,
        help="The policy's namespace. Default: the kubeconfig's, or the pod's.",
    )(command)


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
    return _several_namespaces(told, "-n", "--namespace", "namespaces")


def held_for(told: str) -> Callable[[Command], Command]:
    """A repeatable --held-for with this help, for the argument `held_for`."""
    return _several_namespaces(told, "--held-for", "held_for")


def _several_namespaces(told: str, *names: str) -> Callable[[Command], Command]:
    return click.option(*names, multiple=True, metavar="NAMESPACE", callback=namespaces_given, help=told)


def namespaces_given(_: click.Context, __: click.Parameter, values: tuple[str, ...]) -> tuple[str, ...]:
    """The callback of a repeatable --namespace: each is one that a cluster can have."""
    for value in values:
        if not DNS_LABEL.fullmatch(value):
            expected = "a DNS label: 1 to 63 lower-case letters, digits and -, no - at either end"
            raise click.BadParameter(f"found {shown(value)}, expected {expected}")
    return values


def namespace_given(context: click.Context, parameter: click.Parameter, value: str | None) -> str | None:
    """The callback of a --namespace: one that a cluster can have."""
    if value is not None:
        namespaces_given(context, parameter, (value,))
    return value


def policy_given(_: click.Context, __: click.Parameter, value: str) -> str:
    """The callback of a policy's name: one that an object of a cluster can have."""
    if not OBJECT_NAME.fullmatch(value):
        raise click.BadParameter(f"found {shown(value)}, expected the name of a policy, such as wisdom")
    return value


def weights_given(_: click.Context, __: click.Parameter, value: str | None) -> dict[str, float] | None:
    """The callback of relative weights: `wisdom-0=20,wisdom-1=80`."""
    if value is None:
        return None
    found: dict[str, float] = {}
    for part in value.split(","):
        name, equals, number = part.partition("=")
        try:
            weight = float(number)
        except ValueError:
            weight = math.nan
        if not (name.strip() and equals) or not 0 <= weight <= HEAVIEST:
            expected = f"VERSION=WEIGHT, a weight from 0 to {HEAVIEST}"
            raise click.BadParameter(f"found {shown(part)}, expected {expected}")
        if name.strip() in found:
            raise click.BadParameter(f"{plain(name.strip())} comes twice")
        found[name.strip()] = weight
    if not any(found.values()):
        raise click.BadParameter("expected a weight above 0")
    return found


def duration_given(_: click.Context, __: click.Parameter, value: str) -> float:
    """The callback of a duration: `30`, `30s`, `5m`. Seconds."""
    found = DURATION.fullmatch(value)
    seconds = float(found["number"]) * UNITS[found["unit"]] if found else 0.0
    if not 0 < seconds <= LONGEST:
        raise click.BadParameter(f"found {shown(value)}, expected a duration up to 24h, such as 30s or 5m")
    return seconds
