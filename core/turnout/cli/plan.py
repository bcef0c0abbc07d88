"""`turnout plan`: what would be decided, and why. Needs no cluster."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from turnout import documents, loading, yaml_input, yaml_output
from turnout.cli import data, options
from turnout.cli.exits import BadInput, Exit
from turnout.cli.guarded import guarded
from turnout.cli.program import Command
from turnout.decision.fit import left_out
from turnout.decision.shares import share_of, shares, split
from turnout.explain import explain
from turnout.names import ANNOTATION_PLAN
from turnout.offline import Offline, Planned
from turnout.settings import Settings


@click.command(
    cls=Command,
    epilog="""
    Examples:
      turnout plan -f policy.yaml -f versions/
      turnout template -f values.yaml | turnout plan -f - -f wisdom-0.yaml --assume-ready
      turnout plan -f policies/ -o yaml | kubectl diff -f -

    Exit codes:
      0  every policy is accepted and has routes for its versions, and all traffic weights count
      1  something is refused; what and why is on stderr
      2  a file cannot be used, or holds no policy
    """,
)
@click.option(
    "-f",
    "--filename",
    "sources",
    multiple=True,
    required=True,
    metavar="FILE|DIR|-",
    help="Policies, traffic weights, version objects, and routes in force. Repeatable.",
)
@click.option(
    "-o",
    "--output",
    type=click.Choice(["text", "yaml", "json"]),
    default="text",
    show_default=True,
    help="text: the decision and the manifests; yaml: the manifests alone; json: all of it.",
)
@click.option(
    "-n",
    "--namespace",
    default="default",
    show_default=True,
    metavar="NAMESPACE",
    help="Of documents that name none.",
)
@click.option(
    "--assume-ready", is_flag=True, help="Take versions whose objects do not say as ready, as in a manifest."
)
@options.settings("The administrator's settings, as the controller has them.")
def command(
    sources: tuple[str, ...], output: str, namespace: str, assume_ready: bool, settings_file: Path | None
) -> int:
    """Show what would be decided for policies, with a reason for each version's share, and the manifests.

    Versions are read from their objects: one without an object does not exist yet, and one without a
    status is not ready yet.
    """
    settings = Settings.read(settings_file) if settings_file else Settings()
    with guarded() as run:
        registry = loading.load_for(settings)
        offline = Offline(registry, settings, datetime.now(UTC), namespace, assume_ready, run)
        offline.add(documents.read(sources))
        if not offline.policies:
            named = ", ".join(map(yaml_input.subject, sources))
            raise BadInput(f"{named}: there is no RoutingPolicy among the documents")
        planned = offline.plan()
    click.echo(_FORMATS[output](planned), nl=False)
    return _tell(offline, planned, assume_ready)


def _tell(offline: Offline, planned: list[Planned], assume_ready: bool) -> int:
    """Say on stderr what is not well. Returns the exit code."""
    code = Exit.OK
    for one in planned:
        if one.problem:
            reason, message = one.problem
            code = _complain(f"{one.source}: {one}: {reason}: {message}")
        outcome = one.assessment.outcome
        for version in filter(left_out, outcome.versions if outcome and not one.problem else ()):
            told = f"version {version.name} is left out: {version.reason}: {version.message}"
            code = _complain(f"{one.source}: {one}: {told}")
        if one.weights and not one.weights.counts:
            told = f"{one.weights.reason}: {one.weights.message}; the policy's own weights hold"
            code = _complain(f"TrafficWeights {one.namespace}/{one.name}: {told}")
    if code is Exit.OK and not assume_ready and all(map(_undecided, planned)):
        click.echo(
            "Note: no version says whether it is ready; --assume-ready shows what if all were", err=True
        )
    for sourced in offline.orphaned_weights():
        code = _complain(f"{sourced.subject}: NoPolicy: there is no RoutingPolicy of that name here")
    for sourced in offline.ignored:
        click.echo(f"Note: {sourced.subject}: no plugin knows this kind; it is left aside", err=True)
    return code


def _undecided(one: Planned) -> bool:
    """Whether versions are there that say nothing about readiness, and none that is ready."""
    seen = one.assessment.outcome.versions if one.assessment.outcome else ()
    return any(version.ready is None for version in seen) and not any(version.ready for version in seen)


def _complain(message: str) -> Exit:
    click.echo(f"Error: {message}", err=True)
    return Exit.NOT_WELL


def _text(planned: list[Planned]) -> str:
    parts = []
    for one in planned:
        if one.admitted is None or one.problem:
            parts.append(f"{one}: refused, see below\n")
            continue
        lines = "\n".join(explain(one))
        manifests = yaml_output.dump(map(_without_plan, one.documents))
        parts.append(f"{lines}\n\n{manifests}")
    return "\n".join(parts)


def _without_plan(document: dict[str, Any]) -> dict[str, Any]:
    """The manifest as people read it: the plan in its annotation is what stands above it already."""
    annotations = document["metadata"].get("annotations")
    if not annotations:
        return document
    shortened = {**annotations, ANNOTATION_PLAN: "…"}
    return {**document, "metadata": {**document["metadata"], "annotations": shortened}}


def _yaml(planned: list[Planned]) -> str:
    manifests: dict[tuple[str, ...], dict[str, Any]] = {}
    for one in planned:
        for found in one.documents:  # a shared object is printed once
            key = (found["kind"], found["metadata"]["namespace"], found["metadata"]["name"])
            manifests.setdefault(key, found)
    return yaml_output.dump(manifests.values()) if manifests else ""


def as_json(planned: Sequence[Planned]) -> str:
    """What is decided, as a document for programs."""
    return data.as_json({"policies": [_as_data(one) for one in planned]}, indent=2) + "\n"


def _as_data(one: Planned) -> dict[str, Any]:
    outcome = one.assessment.outcome
    plan = outcome.plan if outcome else None
    reasons = outcome.reasons if outcome else {}
    return {
        "namespace": one.namespace,
        "name": one.name,
        "problem": {"reason": one.problem[0], "message": one.problem[1]} if one.problem else None,
        "split": split(plan),
        "held": outcome.held if outcome else None,
        "versions": [
            {
                "name": version.name,
                "ready": version.ready,
                "share": share_of(plan, version.name),
                "percentage": shares(plan).get(version.name, 0.0),
                "reason": reasons.get(version.name, ""),
            }
            for version in (outcome.versions if outcome else ())
        ],
        "manifests": one.documents,
    }


_FORMATS = {"text": _text, "yaml": _yaml, "json": as_json}
