"""`turnout template`: values files in, manifests out. Needs no cluster."""

from collections.abc import Mapping
from typing import Any

import click

from turnout import template, values, yaml_output
from turnout.errors import Invalid


class _Refused(click.ClickException):
    """The values cannot be used: as with wrong arguments, exit code 2 and nothing on stdout."""

    exit_code = 2


@click.command("template")
@click.option(
    "-f",
    "--values",
    "files",
    multiple=True,
    metavar="FILE",
    help="Values in YAML, or - for standard input. Of several, the later ones prevail, key by key.",
)
@click.option(
    "--set",
    "assignments",
    multiple=True,
    metavar="KEY=VALUE",
    help="One more value, over those of files, such as modelVersions[1].weight=80.",
)
@click.option("-n", "--namespace", help="Namespace of the manifests. Default: they name none.")
def command(files: tuple[str, ...], assignments: tuple[str, ...], namespace: str | None) -> None:
    """Print the manifests for values of Iter8's tutorials.

    initialize-rollout gives a RoutingPolicy, modify-weights a TrafficWeights, both for
    `kubectl apply -f -` and `kubectl delete -f -`.
    """
    if not files and not assignments:
        raise click.UsageError("no values: give -f FILE, -f - or --set KEY=VALUE")
    try:
        given = values.read(files, assignments)
        subject = ", ".join(files) if files else "values"
        documents = template.manifests(given, namespace=namespace, known=_known(given), subject=subject)
    except Invalid as invalid:
        raise _Refused(str(invalid)) from None
    click.echo(yaml_output.dump(documents), nl=False)


def _known(given: Mapping[str, Any]) -> template.Known:
    """The chart's own names, and those of all plugins if values name another: looking them up takes time."""
    known = template.Known()
    if given.get("targetEnv") in known.environments and given.get("trafficStrategy") in known.strategies:
        return known
    from turnout import loading

    registry = loading.load()
    return template.Known(
        environments={*known.environments, *registry.environments},
        strategies={*known.strategies, *registry.strategies},
    )
