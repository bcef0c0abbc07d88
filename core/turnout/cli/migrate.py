"""`turnout migrate`: from Iter8's artifacts to policies and traffic weights."""

import asyncio
import json
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import click

from turnout.cli import options
from turnout.cli.exits import BadInput, Exit
from turnout.cli.program import Command
from turnout.shown import shown

if TYPE_CHECKING:
    from turnout.migration import Artifacts, Carried


@click.command(
    cls=Command,
    epilog="""
    Examples:
      turnout migrate -n modelmesh-serving > policies.yaml
      turnout migrate -f artifacts/ -n modelmesh-serving | turnout plan -f - -f versions/
      turnout migrate -A -o json

    Exit codes:
      0    everything is carried over, or there is nothing of Iter8's
      1    something is not carried over: what, why and what to do is on stderr
      2    wrong usage, or a file cannot be used or holds no routemap
      3    the cluster cannot be reached, or does not permit it
      130  interrupted
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
    default="yaml",
    show_default=True,
    help="yaml: the manifests; json: the manifests and the report.",
)
@options.context
def command(
    names: tuple[str, ...],
    sources: tuple[str, ...],
    namespace: str | None,
    all_namespaces: bool,
    output: str,
    context: str | None,
) -> int:
    """Turn the objects of Iter8 0.13 to 1.1 into policies and traffic weights, on stdout for kubectl apply.

    NAME is a model's; by default all are carried over. What cannot be is told on stderr, with the reason.
    """
    if all_namespaces and namespace:
        raise click.UsageError("--all-namespaces and --namespace exclude each other")
    if sources and (all_namespaces or context):
        raise click.UsageError("--filename reads no cluster: it excludes --all-namespaces and --context")
    artifacts = _offline(sources, namespace) if sources else _of_cluster(namespace, all_namespaces, context)
    found = _chosen(artifacts, names)
    click.echo(_json(found) if output == "json" else _yaml(found), nl=False)
    return _tell(found)


def _of_cluster(namespace: str | None, all_namespaces: bool, context: str | None) -> "Artifacts":
    """Iter8's objects in a cluster."""
    # Here, and not above: the help of a command must not wait for these imports.
    from turnout.cli.cluster import told_errors

    with told_errors():
        found = asyncio.run(_read(namespace, all_namespaces, context))
    if not found.routemaps:
        where = "the cluster" if all_namespaces else f"namespace {found.namespace}"
        click.echo(f"There is no routemap in {where}.", err=True)
    return found


async def _read(namespace: str | None, all_namespaces: bool, context: str | None) -> "Artifacts":
    from turnout.runtime import kube
    from turnout.runtime.client import Client
    from turnout.takeover.reading import read

    transport = await kube.connect(context=context)
    try:
        there = namespace or kube.default_namespace(context=context)
        return await read(Client(transport), None if all_namespaces else there)
    finally:
        await transport.close()


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
            raise BadInput(f"{named}: ConfigMap {name} names no namespace; give the one it is for with -n")
    return artifacts


def _chosen(artifacts: "Artifacts", names: Sequence[str]) -> "list[Carried]":
    """What becomes of the routemaps of the models that are asked for."""
    from turnout.migration import carry

    found = carry(artifacts)
    if unknown := sorted(set(names) - {one.name for one in found}):
        known = ", ".join(sorted({one.name for one in found})) or "none"
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
            click.echo(", ".join(told), err=True)
        for finding in one.findings:
            click.echo(str(finding), err=True)
            code = Exit.NOT_WELL if finding.lost else code
    return code


def _yaml(found: Iterable["Carried"]) -> str:
    from turnout import yaml_output

    manifests = [manifest for one in found for manifest in one.manifests]
    return yaml_output.dump(manifests) if manifests else ""


def _json(found: Iterable["Carried"]) -> str:
    return json.dumps({"models": [_as_data(one) for one in found]}, indent=2, ensure_ascii=False) + "\n"


def _as_data(one: "Carried") -> dict[str, Any]:
    return {
        "namespace": one.namespace,
        "name": one.name,
        "routemap": one.routemap,
        "manifests": one.manifests,
        "findings": [finding.data() for finding in one.findings],
    }
