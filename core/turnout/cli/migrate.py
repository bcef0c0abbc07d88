"""`turnout migrate`: from Iter8's artifacts to policies and traffic weights."""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from turnout.cli import data, options, shifting
from turnout.cli.exits import BadInput, Exit
from turnout.cli.program import Command
from turnout.shown import plain, sentence, shown

if TYPE_CHECKING:
    from turnout.cli.take_over import How
    from turnout.migration import Artifacts, Carried


@click.command(
    cls=Command,
    epilog="""
    Examples:
      turnout migrate -n modelmesh-serving > policies.yaml
      turnout migrate -f artifacts/ -n modelmesh-serving | turnout plan -f - -f versions/
      turnout migrate -A -o json
      turnout migrate wisdom -n modelmesh-serving --take-over --dry-run
      turnout migrate wisdom -n modelmesh-serving --take-over

    Exit codes:
      0    everything is carried over, or there is nothing of Iter8's; what was to be taken over is
      1    something is not carried over, or not taken over: what, why and what to do is on stderr
      2    wrong usage, or a file cannot be used or holds no routemap
      3    the cluster cannot be reached, or does not permit it: what it does not permit is asked before
           anything is written; should it refuse later, the same command goes on
      6    it is taken over, and turnout's controller has not followed in time
      130  interrupted: the same command goes on
    """,
)
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option(
    "-f",
    "--filename",
    "sources",
    multiple=True,
    metavar="FILE|DIR|-",
    help="Read Iter8's objects, and those of versions, from files instead of the cluster. Repeatable.",
)
@click.option(
    "-n",
    "--namespace",
    metavar="NAMESPACE",
    callback=options.namespace_given,
    help="Of the routemaps; with -f, of documents that name none. Default: the kubeconfig's, or the pod's.",
)
@click.option("-A", "--all-namespaces", is_flag=True, help="Look in all namespaces.")
@click.option(
    "-o",
    "--output",
    type=click.Choice(["yaml", "json"]),
    help="yaml: the manifests, by default; json: the manifests and the report.",
)
@options.context
@click.option(
    "--take-over",
    "taking",
    is_flag=True,
    help="Apply them for the models NAME, or --all, and hand Iter8's routes over to turnout's controller.",
)
@click.option("--all", "every", is_flag=True, help="Take over all models.")
@click.option("--dry-run", is_flag=True, help="Only say what --take-over would do, and whether it may.")
@click.option("--accept-changes", is_flag=True, help="Take over where turnout routes differently too.")
@shifting.no_wait
@shifting.timeout
@options.settings("The controller's settings, by which --take-over decides as it would.")
def command(
    names: tuple[str, ...],
    sources: tuple[str, ...],
    namespace: str | None,
    all_namespaces: bool,
    output: str | None,
    context: str | None,
    taking: bool,
    every: bool,
    dry_run: bool,
    accept_changes: bool,
    no_wait: bool,
    timeout: float,
    settings_file: Path | None,
) -> int:
    """Turn the objects of Iter8 0.13 to 1.1 into policies and traffic weights, on stdout for kubectl apply.

    NAME is a model's; by default all are carried over. What cannot be is told on stderr, with the reason.

    With --take-over it writes them, and the routes stay: where turnout would route differently, nothing is
    done. Iter8's controller may run meanwhile, and is not needed afterwards.
    """
    if not taking and (every or dry_run or accept_changes or settings_file):
        raise click.UsageError("--all, --dry-run, --accept-changes and --settings are for --take-over")
    if taking and (sources or bool(names) == every):
        raise click.UsageError("--take-over needs the names of models, or --all, and a cluster")
    if all_namespaces and namespace:
        raise click.UsageError("--all-namespaces and --namespace exclude each other")
    if sources and (all_namespaces or context):
        raise click.UsageError("--filename reads no cluster: it excludes --all-namespaces and --context")
    if taking and output:
        raise click.UsageError("--output is for manifests: --take-over writes them")
    if sources:
        return _show(_chosen(_offline(sources, namespace), names), output)
    # Here, and not above: the help of a command must not wait for these imports.
    from turnout.cli.cluster import told_errors
    from turnout.cli.take_over import How

    how = How(dry_run, accept_changes, None if no_wait else timeout, settings_file) if taking else None
    place = _Place(namespace, all_namespaces, context)
    with told_errors():
        return asyncio.run(_in_cluster(place, names, how, output))


@dataclass(frozen=True, slots=True)
class _Place:
    """Where in which cluster."""

    namespace: str | None
    all_namespaces: bool
    context: str | None


async def _in_cluster(place: _Place, names: Sequence[str], how: "How | None", output: str | None) -> int:
    """Read Iter8's objects in a cluster, and show what they become or take them over."""
    from turnout.cli.take_over import take_over
    from turnout.runtime import kube
    from turnout.runtime.client import Client
    from turnout.takeover.reading import read

    transport = await kube.connect(context=place.context)
    try:
        there = place.namespace or kube.default_namespace(context=place.context)
        artifacts = await read(Client(transport), None if place.all_namespaces else there)
        if not artifacts.routemaps:
            click.echo(
                f"There is no routemap in {there if not place.all_namespaces else 'the cluster'}.", err=True
            )
        found = _chosen(artifacts, names)
        if how is None:
            return _show(found, output)
        return max(_tell(found), (await take_over(transport, artifacts, found, how)).code)
    finally:
        await transport.close()


def _show(found: Sequence["Carried"], output: str | None) -> int:
    """Print the manifests, and tell what is not carried over. Returns the exit code."""
    click.echo(_json(found) if output == "json" else _yaml(found), nl=False)
    return _tell(found)


def _offline(sources: Sequence[str], namespace: str | None) -> "Artifacts":
    """Iter8's objects in files."""
    from turnout import documents, yaml_input
    from turnout.migration import Artifacts

    artifacts = Artifacts(namespace or "")
    artifacts.add(sourced.content for sourced in documents.read(sources))
    named = ", ".join(map(yaml_input.subject, sources))
    if not artifacts.routemaps:
        raise BadInput(
            f"{named}: no document is a routemap: a ConfigMap with the label iter8.tools/kind: routemap"
        )
    for there, name in artifacts.routemaps:
        if not there:
            raise BadInput(
                f"{named}: ConfigMap {plain(name)} names no namespace; give the one it is for with -n"
            )
    return artifacts


def _chosen(artifacts: "Artifacts", names: Sequence[str]) -> "list[Carried]":
    """What becomes of the routemaps of the models that are asked for."""
    from turnout.migration import carry

    found = carry(artifacts)
    if unknown := sorted(set(names) - {one.name for one in found}):
        known = ", ".join(plain(name) for name in sorted({one.name for one in found})) or "none"
        raise BadInput(f"there is no routemap of a model {shown(unknown[0])}; there is {known}")
    return [one for one in found if not names or one.name in names]


def _tell(found: Iterable["Carried"]) -> int:
    """Say on stderr what became of each routemap, and what did not. Returns the exit code."""
    code = Exit.OK
    for one in found:
        if one.policy:
            told = [f"RoutingPolicy {one.namespace}/{one.name} of ConfigMap {one.routemap}"]
            if one.weights:
                weights = one.weights["spec"]["weights"].items()
                told.append("TrafficWeights " + " ".join(f"{name}={weight}" for name, weight in weights))
            click.echo(sentence(", ".join(told), 4096), err=True)
        for finding in one.findings:
            click.echo(sentence(str(finding), 4096), err=True)
            code = Exit.NOT_WELL if finding.lost else code
    return code


def _yaml(found: Iterable["Carried"]) -> str:
    from turnout import yaml_output

    manifests = [manifest for one in found for manifest in one.manifests]
    return yaml_output.dump(manifests) if manifests else ""


def _json(found: Iterable["Carried"]) -> str:
    return data.as_json({"models": [_as_data(one) for one in found]}, indent=2) + "\n"


def _as_data(one: "Carried") -> dict[str, Any]:
    return {
        "namespace": one.namespace,
        "name": one.name,
        "routemap": one.routemap,
        "manifests": one.manifests,
        "findings": [finding.data() for finding in one.findings],
    }
