"""Reads whether a Service leads to a version's pods, and by which ports."""

from collections.abc import Mapping
from typing import Any

from turnout.plugin import Observation
from turnout.plugin.reading import integer, items, mapping, text
from turnout_deployment.workload import LABEL, pairs

PORT, GRPC, SELECTOR = "port", "grpc", "selector"
HTTP2 = {"grpc", "http2", "kubernetes.io/h2c"}
"""What a port's appProtocol says, or its name up to the first hyphen, for Istio to send HTTP/2 to it."""
GIVEN = {
    "apps.kubernetes.io/pod-index",
    "controller-revision-hash",
    "pod-template-hash",
    "statefulset.kubernetes.io/pod-name",
}
"""Labels that pods have from the controllers of their workloads."""


def observe_service(obj: Mapping[str, Any]) -> Observation:
    """What matters of a Service, as addresses: `port`, `grpc` for one that says it takes gRPC, `selector`.

    Ready says only that its shape leads to pods, not whether there are any: that is the workload's word.
    """
    spec = mapping(obj.get("spec"))
    if spec.get("type") == "ExternalName":
        told = "it is of the type ExternalName, which leads to no pods"
        return Observation(False, "ExternalName", told, evidence="spec.type is ExternalName")
    if spec.get("clusterIP") == "None":
        told = "it has no cluster IP, and a sidecar sends calls only to addresses that clients have resolved"
        return Observation(False, "Headless", told, evidence="spec.clusterIP is None")
    selector = pairs(spec.get("selector"))
    if not selector:
        told = "it has no selector, so it need not lead to the version's pods"
        return Observation(False, "NoSelector", told, evidence="spec.selector is empty")
    ports = [one for one in items(spec.get("ports")) if _tcp(one)]
    if not ports:
        return Observation(False, "NoPort", "it has no TCP port", evidence="spec.ports has no TCP port")
    by_kind = {
        PORT: [str(one["port"]) for one in ports],
        GRPC: [str(one["port"]) for one in ports if _grpc(one)],
    }
    told = (
        f"its Service selects {', '.join(selector)}, and has the ports {', '.join(by_kind[PORT])}"
        f" (option servicePort; for gRPC by name or appProtocol: {', '.join(by_kind[GRPC]) or 'none'})"
    )
    addresses = [(kind, port) for kind, found in by_kind.items() for port in found]
    return Observation(
        ready=True,
        reason="Ready",
        message=told,
        addresses=(*addresses, *((SELECTOR, one) for one in selector)),
        evidence=f"spec.selector is {', '.join(selector)}",
    )


def selects(service: Observation, workload: Observation) -> bool:
    """Whether a Service leads to a workload's pods, as far as their template tells."""
    wanted = {value for name, value in service.addresses if name == SELECTOR}
    there = {value for name, value in workload.addresses if name == LABEL}
    return all(one in there or one.partition("=")[0] in GIVEN for one in wanted)


def port_of(service: Observation, chosen: int | None, protocol: str) -> int | None:
    """The port to send calls to: the chosen one if the Service has it, else its only one.

    None for gRPC where the Service does not say that the port takes it: Istio's gateways would send HTTP/1.1.
    """
    ports = _ports(service, PORT)
    if chosen is None and len(ports) == 1:
        (chosen,) = ports
    return chosen if chosen in (_ports(service, GRPC) if protocol == "grpc" else ports) else None


def _ports(service: Observation, kind: str) -> list[int]:
    return [int(value) for name, value in service.addresses if name == kind]


def _tcp(port: Mapping[str, Any]) -> bool:
    number = integer(port.get("port"))
    return number is not None and 0 < number < 65536 and port.get("protocol", "TCP") == "TCP"


def _grpc(port: Mapping[str, Any]) -> bool:
    name = text(port.get("name")).partition("-")[0]
    return not HTTP2.isdisjoint((text(port.get("appProtocol")), name))
