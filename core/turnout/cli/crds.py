"""`turnout crds`: the custom resource definitions that come with this version."""

from importlib.resources import files

import click

from turnout.cli.program import Command


@click.command(
    cls=Command,
    epilog="""
    Examples:
      turnout crds | kubectl apply --server-side -f -
      turnout crds | kubectl diff --server-side -f -
    """,
)
def command() -> None:
    """Print the custom resource definitions of RoutingPolicy and TrafficWeights.

    They are those of this version: apply them before a new version of the controller starts.
    """
    click.echo(definitions(), nl=False)


def definitions() -> str:
    """All of them, as one YAML stream."""
    found = sorted(files("turnout").joinpath("crds").iterdir(), key=lambda file: file.name)
    texts = [file.read_text(encoding="utf-8") for file in found if file.name.endswith(".yaml")]
    return "---\n".join(text.removeprefix("---\n") for text in texts)
