"""Reads whether a Service leads to a version's pods, and by which ports."""

from collections.abc import Mapping, Sequence
from typing import Any

from turnout.plugin import Observation
from turnout.plugin.reading import integer, items, mapping
from turnout_deployment.workload import LABEL, pairs

PORT, SELECTOR = "port", "selector"
GIVEN = {
    "apps.kubernetes.io/pod-index",
    "controller-revision-hash",
    "pod-template-hash",
    "statefulset.kubernetes.io/pod-name",
}
"""Labels that pods have from the controllers of their workloads."""


def observe_service(obj: Mapping[str, Any]) -> Observation:
    """What matters of a Service: its ports and its selector are addresses of the names `port` and `selector`.

    Ready says only that its shape leads to pods, not whether there are any: that is the workload's word.
    """
    spec = mapping(obj.get("spec"))
    if spec.get("type") == "ExternalName":
        return Observation(False, "ExternalName", "it is of the type ExternalName, which leads to no pods")
    if spec.get("clusterIP") == "None":
        told = "it has no cluster IP, and a sidecar sends calls only to addresses that clients have resolved"
        return Observation(False, "Headless", told)
    selector = pairs(spec.get("selector"))
    if not selector:
        return Observation(
            False, "NoSelector", "it has no selector, so it need not lead to the version's pods"
        )
    found = [port for one in items(spec.get("ports")) if (port := _tcp(one)) is not None]
    if not found:
        return Observation(False, "NoPort", "it has no TCP port")
    ports = ", ".join(map(str, found))
    told = f"its Service selects {', '.join(selector)}, and has the ports {ports} (option servicePort)"
    selects = tuple((SELECTOR, one) for one in selector)
    return Observation(True, "Ready", told, addresses=(*((PORT, str(port)) for port in found), *selects))


def selects(service: Observation, workload: Observation) -> bool:
    """Whether a Service leads to a workload's pods, as far as their template tells."""
    wanted = {value for name, value in service.addresses if name == SELECTOR}
    there = {value for name, value in workload.addresses if name == LABEL}
    return all(one in there or one.partition("=")[0] in GIVEN for one in wanted)


def port_of(service: Observation, chosen: int | None) -> int | None:
    """The port to send calls to: the chosen one if the Service has it, else its only one."""
    ports = _ports(service.addresses)
    if chosen is None:
        return ports[0] if len(ports) == 1 else None
    return chosen if chosen in ports else None


def _ports(addresses: Sequence[tuple[str, str]]) -> list[int]:
    return [int(value) for name, value in addresses if name == PORT]


def _tcp(port: Mapping[str, Any]) -> int | None:
    number = integer(port.get("port"))
    there = number is not None and 0 < number < 65536 and port.get("protocol", "TCP") == "TCP"
    return number if there else None
