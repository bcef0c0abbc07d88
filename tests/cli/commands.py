"""Commands that end in every way in which a command can."""

import click

from turnout.cli.exits import Exit, NoCluster
from turnout.cli.program import Command, Lazy, Program
from turnout.errors import Invalid, Problem


@click.command(cls=Command, epilog="Examples:\n  turnout fine --with a-very-long-line " + "x" * 80)
def fine() -> None:
    click.echo("fine")


@click.command
def unwell() -> int:
    return Exit.NOT_WELL


@click.command
def bug() -> None:
    raise ValueError("something\nunforeseen")


@click.command
def interrupted() -> None:
    raise KeyboardInterrupt


@click.command
def invalid() -> None:
    raise Invalid("RoutingPolicy default/wisdom", [Problem("spec.router", "unknown router")])


@click.command
def unreadable() -> None:
    open("/nowhere/at/all", encoding="utf-8")  # noqa: SIM115, PTH123


@click.command
def cluster() -> None:
    raise NoCluster("no answer from https://localhost:6443")


@click.command
def talkative() -> None:
    for _ in range(100_000):
        click.echo("y")


NAMES = ("fine", "unwell", "bug", "interrupted", "invalid", "unreadable", "cluster", "talkative")
ENDINGS = {name: Lazy(f"tests.cli.commands:{name}", f"Ends: {name}.") for name in NAMES}
missing = Lazy("tests.cli.no_such_module:command", "Its module is not there.")
program = Program(name="turnout", sections={"Endings": ENDINGS, "Broken": {"missing": missing}}, epilog="")

if __name__ == "__main__":
    program()
