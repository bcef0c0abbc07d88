"""Reads whether a Deployment or a StatefulSet serves, as its controller reports it."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from turnout.plugin import Observation
from turnout.plugin.reading import app_version, evidence, generation, integer, mapping, text, verdict

REVISION = "deployment.kubernetes.io/revision"
"""A Deployment's annotation: another value for every other pod template, and the same when it scales."""

LABEL = "label"


def observe_workload(obj: Mapping[str, Any]) -> Observation:
    """What matters of a workload. No number of replicas is told, so that scaling it wakes nobody.

    The labels of its pods are addresses of the name `label`: by them a Service finds the pods.
    """
    seen = _ready(obj)
    template = mapping(mapping(obj.get("spec")).get("template"))
    labels = pairs(mapping(template.get("metadata")).get("labels"))
    told = f"its pods have the labels {', '.join(labels) or '(none)'}" if seen.ready else ""
    return replace(
        seen,
        message=seen.message or told,
        revision=_revision(obj),
        app_version=app_version(obj),
        addresses=tuple((LABEL, label) for label in labels),
    )


def pairs(found: object) -> list[str]:
    """Labels or a selector, each as name=value, in order."""
    return sorted(f"{name}={text(value)}" for name, value in mapping(found).items())


def _ready(obj: Mapping[str, Any]) -> Observation:
    """Its readiness. With no replica wanted a Deployment is Available, and yet nothing answers."""
    wanted = integer(mapping(obj.get("spec")).get("replicas"))
    wanted = 1 if wanted is None else wanted
    status = mapping(obj.get("status"))
    if wanted <= 0:
        return Observation(
            False, "ScaledToZero", "no replica is wanted", evidence=f"spec.replicas is {wanted}"
        )
    if not status:
        return Observation(None, "NoStatus", "it has no status yet", evidence="status is empty")
    available = _available(status)
    counted = f"status.availableReplicas is {available}"
    if available <= 0:
        return Observation(False, "NoReplicaAvailable", "no replica is available", evidence=counted)
    observed, latest = integer(status.get("observedGeneration")), generation(obj)
    if latest is not None and (observed is None or observed < latest):
        told = "its controller has not seen its latest change yet"
        seen = f"status.observedGeneration is {observed}, and metadata.generation {latest}"
        return Observation(None, "NotObserved", told, evidence=seen)
    if obj.get("kind") == "StatefulSet":
        return _all_of(available, wanted, f"{counted}, and spec.replicas {wanted}")
    ready, reason, message = verdict(status, "Available")
    told_by, since = evidence(status, "Available")
    return Observation(ready, reason, message, evidence=told_by, since=since)


def _all_of(available: int, wanted: int, counted: str) -> Observation:
    """A StatefulSet has no condition Available, and lacks a replica while it rolls one after the other."""
    if available < wanted:
        return Observation(None, "ReplicasMissing", "not all replicas are available", evidence=counted)
    return Observation(True, "Ready", evidence=counted)


def _available(status: Mapping[str, Any]) -> int:
    """The field is left out where none is; Kubernetes before 1.22 tells it of no StatefulSet."""
    found = integer(status.get("availableReplicas"))
    return found if found is not None else integer(status.get("readyReplicas")) or 0


def _revision(obj: Mapping[str, Any]) -> str:
    """What changes with the pod template; the generation would change with the number of replicas too."""
    if obj.get("kind") == "StatefulSet":
        return text(mapping(obj.get("status")).get("updateRevision"), 128)
    return text(mapping(mapping(obj.get("metadata")).get("annotations")).get(REVISION), 128)
