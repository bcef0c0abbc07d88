"""Two kinds made for these tests: widgets with every way to merge, and gadgets without a status."""

from typing import Any

from turnout.plugin import Kind

GROUP = "contract.turnout.dev"
WIDGET = Kind(GROUP, ("v1",), "Widget", "widgets")
GADGET = Kind(GROUP, ("v1",), "Gadget", "gadgets")

_STRING = {"type": "string"}
_PART = {
    "type": "object",
    "required": ["name"],
    "properties": {"name": _STRING, "count": {"type": "integer"}, "note": _STRING},
}
_SPEC = {
    "size": {"type": "integer", "minimum": 0},
    "color": {"type": "string", "enum": ["red", "green"]},
    "mode": {"type": "string", "default": "auto"},
    "steps": {"type": "array", "items": _STRING},
    "tags": {"type": "array", "x-kubernetes-list-type": "set", "items": _STRING},
    "parts": {
        "type": "array",
        "x-kubernetes-list-type": "map",
        "x-kubernetes-list-map-keys": ["name"],
        "items": _PART,
    },
    "options": {"type": "object", "additionalProperties": _STRING},
    "box": {
        "type": "object",
        "x-kubernetes-map-type": "atomic",
        "properties": {"width": {"type": "integer"}, "height": {"type": "integer"}},
    },
    "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
}


def crd(kind: Kind) -> dict[str, Any]:
    """Return the CustomResourceDefinition of one of the two."""
    properties = {
        "spec": {"type": "object", "properties": _SPEC},
        "status": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
    }
    version: dict[str, Any] = {
        "name": "v1",
        "served": True,
        "storage": True,
        "schema": {"openAPIV3Schema": {"type": "object", "properties": properties}},
    }
    if kind is WIDGET:
        version["subresources"] = {"status": {}}
    names = {"kind": kind.kind, "plural": kind.plural, "singular": kind.kind.lower()}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": str(kind)},
        "spec": {"group": GROUP, "scope": "Namespaced", "names": names, "versions": [version]},
    }


def manifest(name: str, *, kind: Kind = WIDGET, **fields: Any) -> dict[str, Any]:
    """Return a document; `spec` and `status` are fields of it, all others of its metadata."""
    body: dict[str, Any] = {field: fields.pop(field) for field in ("spec", "status") if field in fields}
    metadata = {"name": name, **fields}
    return {"apiVersion": f"{GROUP}/v1", "kind": kind.kind, "metadata": metadata, **body}
