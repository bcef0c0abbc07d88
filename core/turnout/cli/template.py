"""`turnout template`: values files in, manifests out. Needs no cluster."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from turnout.cli.exits import BadInput
from turnout.cli.program import Command
from turnout.errors import Invalid

if TYPE_CHECKING:
    from turnout.template import Known


@click.command(
    cls=Command,
    epilog="""
    Examples:
      turnout template -f values.yaml | kubectl apply -f -
      turnout template -f values.yaml -n modelmesh-serving | kubectl delete -f -
      turnout template -f - --set modelVersions[1].weight=80 < values.yaml
    """,
)
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
@click.option(
    "-n",
    "--namespace",
    metavar="NAMESPACE",
    help="The namespace that the manifests name. Default: they name none.",
)
def command(files: tuple[str, ...], assignments: tuple[str, ...], namespace: str | None) -> None:
    """Turn the values of Iter8's tutorials into manifests.

    templateName initialize-rollout gives a RoutingPolicy, modify-weights a TrafficWeights.
    """
    from turnout import template, values, yaml_input, yaml_output

    if not files and not assignments:
        raise click.UsageError("no values: give -f FILE, -f - or --set KEY=VALUE")
    subject = ", ".join(yaml_input.subject(file) for file in files) or "values"
    try:
        given = values.read(files, assignments)
        manifests = template.manifests(given, namespace=namespace, known=_known(given), subject=subject)
    except Invalid as invalid:
        raise BadInput(str(invalid)) from None
    click.echo(yaml_output.dump(manifests), nl=False)


def _known(given: Mapping[str, Any]) -> "Known":
    """The chart's own names, and those of all plugins if values name another: finding them takes time."""
    from turnout.template import Known

    known = Known()
    if given.get("targetEnv") in known.environments and given.get("trafficStrategy") in known.strategies:
        return known
    from turnout import loading

    registry = loading.load()
    return Known(
        environments={*known.environments, *registry.environments},
        strategies={*known.strategies, *registry.strategies},
    )
