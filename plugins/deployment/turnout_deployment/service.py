"""Reads whether a Service leads to a version's pods, and by which ports."""

from collections.abc import Mapping, Sequence
from typing import Any

from turnout.plugin import Observation
from turnout.plugin.reading import integer, items, mapping

PORT = "port"


def observe_service(obj: Mapping[str, Any]) -> Observation:
    """What matters of a Service; its ports are the addresses of the name `port`.

    Ready says only that its shape leads to pods, not whether there are any: that is the workload's word.
    """
    spec = mapping(obj.get("spec"))
    if spec.get("type") == "ExternalName":
        return Observation(False, "ExternalName", "it is of the type ExternalName, which leads to no pods")
    if spec.get("clusterIP") == "None":
        told = "it has no cluster IP, and a sidecar sends calls only to addresses that clients have resolved"
        return Observation(False, "Headless", told)
    if not mapping(spec.get("selector")):
        return Observation(
            False, "NoSelector", "it has no selector, so it need not lead to the version's pods"
        )
    found = [port for one in items(spec.get("ports")) if (port := _tcp(one)) is not None]
    if not found:
        return Observation(False, "NoPort", "it has no TCP port")
    listed = ", ".join(map(str, found))
    told = f"its Service has the ports {listed}; the option servicePort says which"
    return Observation(True, "Ready", told, addresses=tuple((PORT, str(port)) for port in found))


def port_of(seen: Observation | None, chosen: int | None) -> int | None:
    """The port to send calls to: the chosen one if the Service has it, else its only one."""
    ports = _ports(seen.addresses if seen else ())
    if chosen is None:
        return ports[0] if len(ports) == 1 else None
    return chosen if chosen in ports else None


def _ports(addresses: Sequence[tuple[str, str]]) -> list[int]:
    return [int(value) for name, value in addresses if name == PORT]


def _tcp(port: Mapping[str, Any]) -> int | None:
    return integer(port.get("port")) if port.get("protocol", "TCP") == "TCP" else None
