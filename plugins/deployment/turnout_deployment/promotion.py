"""Promotes workloads and their Services, and reads whether all pods are of a workload's latest spec."""

from collections.abc import Mapping
from typing import Any

from turnout.plugin import promotion as promoting
from turnout.plugin.promotion import Path
from turnout.plugin.reading import items, mapping, text
from turnout_deployment.workload import observe_workload

TEMPLATE: Path = ("spec", "template")
LABELS: Path = (*TEMPLATE, "metadata", "labels")


def promoted_workload(
    primary: Mapping[str, Any], candidate: Mapping[str, Any], service: Mapping[str, Any]
) -> dict[str, Any]:
    """The primary's workload with the candidate's pods. The number of replicas is the primary's own.

    So are the labels by which its pods are found, by its own selector and by its Service's.
    """
    spec = mapping(primary.get("spec"))
    selector = mapping(spec.get("selector"))
    found = {*mapping(selector.get("matchLabels")), *mapping(mapping(service.get("spec")).get("selector"))}
    found |= {text(one.get("key")) for one in items(selector.get("matchExpressions"))}
    keep = [(*LABELS, name) for name in sorted(found - {""})]
    return promoting.taken(primary, candidate, (TEMPLATE, promoting.VERSION), keep)


def promoted_service(primary: Mapping[str, Any], candidate: Mapping[str, Any]) -> dict[str, Any]:
    """The primary's Service, whose ports lead where those of the candidate do in its pods.

    Ports are the same by their name or number, or as the only ones. All else of a Service stays.
    """
    spec, theirs = mapping(primary.get("spec")), items(mapping(candidate.get("spec")).get("ports"))
    ports = items(spec.get("ports"))
    if not ports:
        return dict(primary)
    led = []
    for port in ports:
        other = _same(port, ports, theirs)
        led.append(dict(port) if other is None else _leading(port, other))
    return {**primary, "spec": {**spec, "ports": led}}


def rolled_out(workload: Mapping[str, Any]) -> tuple[bool, str]:
    """Whether all pods of a workload are of its latest spec, and available; if not, why."""
    seen = observe_workload(workload)
    if seen.ready is not True:
        return False, seen.message or seen.reason
    if workload.get("kind") == "Deployment":
        return promoting.deployed(workload)
    status = mapping(workload.get("status"))
    current, update = text(status.get("currentRevision")), text(status.get("updateRevision"))
    return (True, "") if current == update else (False, f"its pods are not all of the revision {update}")


def _same(
    port: Mapping[str, Any], ports: tuple[Mapping[str, Any], ...], theirs: tuple[Mapping[str, Any], ...]
) -> Mapping[str, Any] | None:
    for key in ("name", "port"):
        for one in theirs:
            if port.get(key) is not None and one.get(key) == port.get(key):
                return one
    return theirs[0] if len(ports) == len(theirs) == 1 else None


def _leading(port: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """The port, with where the other leads in the pods. By default that is the number of the port."""
    target = other.get("targetPort", other.get("port"))
    if "targetPort" not in port and target == port.get("port"):
        return dict(port)
    return {**port, "targetPort": target}
