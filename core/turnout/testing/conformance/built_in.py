"""What an API server asks of built-in kinds that routers write, of which no suite is given definitions."""

import base64
import binascii
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from turnout.plugin import Kind
from turnout.shapes import DNS_LABEL
from turnout.shown import shown

Found = Iterator[tuple[str, str, str]]
"""A path, what is there, and what is expected."""

MOST = 1024 * 1024
"""Bytes of a ConfigMap's or a Secret's values."""
_KEY = re.compile(r"(?!\.\.?\Z)(?!\.\.)[-._a-zA-Z0-9]{1,253}")
_SERVICE = re.compile(r"[a-z]([-a-z0-9]{0,61}[a-z0-9])?")
_PORT_NAME = re.compile(r"(?=.*[a-z])(?!.*--)[a-z0-9]([-a-z0-9]{0,13}[a-z0-9])?")
_PROTOCOLS = ("TCP", "UDP", "SCTP")


def faults(kind: Kind, document: Mapping[str, Any]) -> list[str]:
    """What is wrong with an object of a built-in kind, a line each; nothing for a kind that is not known."""
    check = _CHECKS.get((kind.group, kind.kind))
    found = check(document) if check else ()
    return [f"{path}: found {there}, expected {right}" for path, there, right in found]


def _config_map(document: Mapping[str, Any]) -> Found:
    yield from _fields(document, "data", "binaryData", "immutable")
    yield from _texts(document, "data")
    yield from _encoded(document, "binaryData")
    yield from _size(document, "data", "binaryData")


def _secret(document: Mapping[str, Any]) -> Found:
    yield from _fields(document, "data", "stringData", "immutable", "type")
    yield from _texts(document, "stringData")
    yield from _encoded(document, "data")
    yield from _size(document, "data", "stringData")


def _service(document: Mapping[str, Any]) -> Found:
    yield from _fields(document, "spec")
    name = document["metadata"]["name"]
    if not _SERVICE.fullmatch(name):
        expected = "a DNS label that begins with a letter, of at most 63 characters"
        yield "metadata.name", shown(name), expected
    spec = document.get("spec")
    if not isinstance(spec, Mapping):
        yield "spec", shown(spec), "a mapping"
        return
    ports = spec.get("ports", [])
    if not isinstance(ports, list | tuple):
        yield "spec.ports", shown(ports), "a list"
        return
    if not ports and spec.get("clusterIP") != "None" and spec.get("type") != "ExternalName":
        yield "spec.ports", "none", "one at least"
    for index, port in enumerate(ports):
        if isinstance(port, Mapping):
            yield from _port(f"spec.ports[{index}]", port, several=len(ports) > 1)
        else:
            yield f"spec.ports[{index}]", shown(port), "a mapping"


def _port(path: str, port: Mapping[str, Any], *, several: bool) -> Found:
    number = port.get("port")
    if not _is_port(number):
        yield f"{path}.port", shown(number), "an integer 1..65535"
    target = port.get("targetPort", number)
    if not _is_port(target) and not (isinstance(target, str) and _PORT_NAME.fullmatch(target)):
        yield f"{path}.targetPort", shown(target), "an integer 1..65535, or the name of a port"
    if port.get("protocol", "TCP") not in _PROTOCOLS:
        yield f"{path}.protocol", shown(port["protocol"]), f"one of {', '.join(_PROTOCOLS)}"
    name = port.get("name")
    if name is None and several:
        yield f"{path}.name", "none", "a name: there are several ports"
    if name is not None and not (isinstance(name, str) and DNS_LABEL.fullmatch(name)):
        yield f"{path}.name", shown(name), "a DNS label"


def _is_port(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= 65535


def _fields(document: Mapping[str, Any], *known: str) -> Found:
    for key in document:
        if key not in ("apiVersion", "kind", "metadata", *known):
            yield key, "a field", f"none but {', '.join(known)}"


def _items(document: Mapping[str, Any], field: str) -> Iterator[tuple[Any, Any]]:
    values = document.get(field)
    return iter(values.items()) if isinstance(values, Mapping) else iter(())


def _texts(document: Mapping[str, Any], field: str) -> Found:
    yield from _keys(document, field)
    for key, value in _items(document, field):
        if not isinstance(value, str):
            yield f"{field}.{key}", shown(value), "a str, such as its JSON"


def _encoded(document: Mapping[str, Any], field: str) -> Found:
    yield from _keys(document, field)
    for key, value in _items(document, field):
        try:
            base64.b64decode(value, validate=True)
        except (binascii.Error, TypeError, ValueError):
            yield f"{field}.{key}", shown(value), "base64"


def _keys(document: Mapping[str, Any], field: str) -> Found:
    if not isinstance(document.get(field), Mapping | None):
        yield field, shown(document[field]), "a mapping"
    for key, _ in _items(document, field):
        if not (isinstance(key, str) and _KEY.fullmatch(key)):
            yield field, f"the key {shown(key)}", 'a-z, A-Z, 0-9, "-", "_" and ".", up to 253 of them'


def _size(document: Mapping[str, Any], *fields: str) -> Found:
    texts = (value for field in fields for _, value in _items(document, field) if isinstance(value, str))
    if (size := sum(len(text.encode(errors="replace")) for text in texts)) > MOST:
        yield fields[0], f"{size} bytes in all", f"{MOST} at most"


_CHECKS: Mapping[tuple[str, str], Callable[[Mapping[str, Any]], Found]] = {
    ("", "ConfigMap"): _config_map,
    ("", "Secret"): _secret,
    ("", "Service"): _service,
}
