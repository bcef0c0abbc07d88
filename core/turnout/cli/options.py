"""What several commands ask in the same way."""

import re

import click

from turnout.shapes import DNS_LABEL
from turnout.shown import shown

OBJECT_NAME = re.compile(r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?")


def namespaces_given(_: click.Context, __: click.Parameter, values: tuple[str, ...]) -> tuple[str, ...]:
    """The callback of a repeatable --namespace: each is one that a cluster can have."""
    for value in values:
        if not DNS_LABEL.fullmatch(value):
            expected = "a DNS label: 1 to 63 lower-case letters, digits and -, no - at either end"
            raise click.BadParameter(f"found {shown(value)}, expected {expected}")
    return values
