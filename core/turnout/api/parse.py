"""From a document, as YAML or JSON gives it, to a model of it or to all that is wrong with it."""

from collections.abc import Mapping
from typing import Any, TypeVar

from turnout import names
from turnout.api.models import RoutingPolicy, TrafficWeights
from turnout.validation import parse

DocumentT = TypeVar("DocumentT", RoutingPolicy, TrafficWeights)


def parse_policy(document: Mapping[str, Any], *, namespace: str = "default") -> RoutingPolicy:
    """A RoutingPolicy. `namespace` is that of a document that names none. Raises Invalid."""
    return _parse(RoutingPolicy, names.ROUTING_POLICY.kind, document, namespace)


def parse_weights(document: Mapping[str, Any], *, namespace: str = "default") -> TrafficWeights:
    """A TrafficWeights. `namespace` is that of a document that names none. Raises Invalid."""
    return _parse(TrafficWeights, names.TRAFFIC_WEIGHTS.kind, document, namespace)


def _parse(model: type[DocumentT], kind: str, document: Mapping[str, Any], namespace: str) -> DocumentT:
    """The document in its namespace. Typed as a mapping, though a file may hold anything."""
    found: Any = document
    metadata = found.get("metadata") if isinstance(found, Mapping) else None
    if isinstance(metadata, Mapping) and not metadata.get("namespace"):
        metadata = {**metadata, "namespace": namespace}
        found = {**found, "metadata": metadata}
    return parse(model, found, subject=_subject(kind, metadata))


def _subject(kind: str, metadata: object) -> str:
    """Kind, namespace and name, as far as the document names itself."""
    name = metadata.get("name") if isinstance(metadata, Mapping) else None
    if not isinstance(metadata, Mapping) or not isinstance(name, str):
        return kind
    return f"{kind} {metadata.get('namespace')}/{name}"
