"""What an OpenAPI schema says about the shape of an object: which fields, and what merges how.

Schemas are those of CustomResourceDefinitions (structural, `x-kubernetes-*` extensions). Values are
judged in `validation`; merging by shape is in `merge`.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import orjson

from turnout.testing.memory.errors import Object

Schema = Mapping[str, Any]

ANYTHING: Schema = {"x-kubernetes-preserve-unknown-fields": True}
"""No schema: maps merge field by field, and lists are atomic."""

_STRING: Schema = {"type": "string"}
_STRINGS: Schema = {"type": "object", "additionalProperties": _STRING}
_OWNER: Schema = {**ANYTHING, "type": "object", "x-kubernetes-map-type": "atomic"}
METADATA: Schema = {
    "type": "object",
    "properties": {
        "annotations": _STRINGS,
        "creationTimestamp": _STRING,
        "deletionGracePeriodSeconds": {"type": "integer"},
        "deletionTimestamp": _STRING,
        "finalizers": {"type": "array", "items": _STRING, "x-kubernetes-list-type": "set"},
        "generateName": _STRING,
        "generation": {"type": "integer"},
        "labels": _STRINGS,
        "managedFields": {"type": "array", "items": ANYTHING},
        "name": _STRING,
        "namespace": _STRING,
        "ownerReferences": {
            "type": "array",
            "items": _OWNER,
            "x-kubernetes-list-type": "map",
            "x-kubernetes-list-map-keys": ["uid"],
        },
        "resourceVersion": _STRING,
        "selfLink": _STRING,
        "uid": _STRING,
    },
}


def complete(schema: Schema | None) -> Schema:
    """Return the schema of a whole object: with type and metadata, and anything else if it is None."""
    own = schema or {"type": "object", "properties": {"spec": ANYTHING, "status": ANYTHING}, **ANYTHING}
    properties = {**own.get("properties", {}), "apiVersion": _STRING, "kind": _STRING, "metadata": METADATA}
    return {**own, "properties": properties}


def declares(schema: Schema, name: str) -> bool:
    """Whether a field has a schema of its own, as fields of free-form maps have not."""
    return name in schema.get("properties", ())


def field(schema: Schema, name: str) -> Schema | None:
    """Return the schema of a map's field, or None if there must be no such field."""
    if declares(schema, name):
        found: Schema = schema["properties"][name]
        return found
    others = schema.get("additionalProperties")
    if isinstance(others, Mapping):
        return others
    free = others is True or schema.get("x-kubernetes-preserve-unknown-fields")
    return ANYTHING if free or "type" not in schema else None


def items(schema: Schema) -> Schema:
    """Return the schema of a list's items."""
    found: Schema = schema.get("items", ANYTHING)
    return found


def is_granular(schema: Schema, value: object) -> bool:
    """Whether the parts of a map or list have managers of their own."""
    if isinstance(value, dict):
        return bool(schema.get("x-kubernetes-map-type", "granular") == "granular")
    return isinstance(value, list) and schema.get("x-kubernetes-list-type", "atomic") != "atomic"


def element(schema: Schema, item: Any) -> str:
    """Name an item of a granular list as managedFields does: by its keys, or by its value."""
    if schema["x-kubernetes-list-type"] == "set":
        return "v:" + orjson.dumps(item).decode()
    defaults = items(schema).get("properties", {})
    names = sorted(schema["x-kubernetes-list-map-keys"])
    keys = {name: item.get(name, defaults.get(name, {}).get("default")) for name in names}
    return "k:" + orjson.dumps({name: key for name, key in keys.items() if key is not None}).decode()


def undeclared(schema: Schema, value: object, at: str = "") -> Iterator[str]:
    """Yield the paths of all fields that a schema does not know, such as ".spec.extra"."""
    if isinstance(value, dict):
        for name, child in value.items():
            known = field(schema, name)
            if known is None:
                yield f"{at}.{name}"
            else:
                yield from undeclared(known, child, f"{at}.{name}")
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from undeclared(items(schema), item, f"{at}[{index}]")


def prune(schema: Schema, value: Any) -> Any:
    """Return a copy without the fields that a schema does not know, and without nulls it forbids."""
    if isinstance(value, dict):
        known = {name: (field(schema, name), child) for name, child in value.items()}
        return {
            name: prune(own, child)
            for name, (own, child) in known.items()
            if own is not None and not (child is None and _drops_null(own))
        }
    if isinstance(value, list):
        return [prune(items(schema), item) for item in value]
    return value


def _drops_null(schema: Schema) -> bool:
    return "default" in schema and not schema.get("nullable")


def fill_defaults(schema: Schema, value: Any) -> None:
    """Add the defaults of a schema to an object, in place, where the maps they belong to exist."""
    if isinstance(value, dict):
        properties: Mapping[str, Object] = schema.get("properties", {})
        for name, own in properties.items():
            if "default" in own and name not in value:
                value[name] = orjson.loads(orjson.dumps(own["default"]))
        for name, child in value.items():
            fill_defaults(field(schema, name) or ANYTHING, child)
    elif isinstance(value, list):
        for item in value:
            fill_defaults(items(schema), item)
