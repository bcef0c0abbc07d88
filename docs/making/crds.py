"""The reference of the two kinds, as lines of a page, from their CRDs."""

from collections.abc import Iterator, Mapping
from importlib.resources import files
from typing import Any

import yaml

Schema = Mapping[str, Any]

LABEL = "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"
COUNTED = {"Length": "characters", "Items": "items", "Properties": "entries", "imum": ""}
"""What a schema limits, by the ends of its words: maxLength, minItems, maximum."""


def page() -> Iterator[str]:
    yield from (
        "# RoutingPolicy and TrafficWeights, field by field",
        "",
        "What [owners of models](owner.md) write, and what the controller tells.",
        "`turnout crds` prints the CRDs.",
    )
    for name in ("routingpolicies", "trafficweights"):
        text = files("turnout").joinpath("crds", f"{name}.yaml").read_text(encoding="utf-8")
        yield ""
        yield from kind(yaml.safe_load(text))


def kind(crd: Mapping[str, Any]) -> Iterator[str]:
    """The section of one kind: its names, its fields, and the rules between them."""
    spec = crd["spec"]
    names = spec["names"]
    (version,) = spec["versions"]
    schema = version["schema"]["openAPIV3Schema"]
    short = ", ".join(f"`{one}`" for one in names["shortNames"])
    yield from (
        f"## {names['kind']}",
        "",
        f"`apiVersion: {spec['group']}/{version['name']}`, {spec['scope'].lower()}.",
        f"For kubectl `{names['plural']}`, or {short}.",
        "",
        _text(schema),
    )
    for part in ("spec", "status"):
        inner = schema["properties"][part]
        yield from ("", f"### {part} of {names['kind']}", "", _text(inner), "")
        yield from ("| Field | Type | Meaning |", "| --- | --- | --- |")
        for path, field, required in _fields(inner):
            yield f"| `{path}` | {_type(field)} | {_meaning(field, required)} |"
    if rules := list(_rules(schema, "")):
        yield from ("", f"### Rules of {names['kind']}", "", "The API server refuses what breaks one.", "")
        yield from rules


def _fields(schema: Schema, path: str = "") -> Iterator[tuple[str, Schema, bool]]:
    """Every field below a schema: its path, its schema, and whether it has to be there."""
    required = schema.get("required", ())
    for name, field in schema.get("properties", {}).items():
        here = f"{path}.{name}".removeprefix(".")
        yield here, field, name in required
        yield from _inside(field, here)


def _inside(field: Schema, path: str) -> Iterator[tuple[str, Schema, bool]]:
    match field:
        case {"items": {"properties": _} as items}:
            yield from _fields(items, f"{path}[]")
        case {"additionalProperties": {"properties": _} as values}:
            yield from _fields(values, f"{path}.NAME")
        case {"properties": _}:
            yield from _fields(field, path)


def _type(field: Schema) -> str:
    match field:
        case {"type": "array", "items": {"type": kind}}:
            return f"list of {kind}s"
        case {"type": "object", "additionalProperties": {"type": kind}}:
            return f"map of {kind}s"
    return str(field.get("type", "integer or string"))


def _meaning(field: Schema, required: bool) -> str:
    said = [_text(field)]
    if required:
        said.append("Required.")
    if "default" in field:
        said.append(f"Default `{field['default']}`.")
    if "enum" in field:
        said.append(f"One of {', '.join(f'`{one}`' for one in field['enum'])}.")
    limits = [*_limits(field)]
    if limits:
        said.append(f"{', '.join(limits).capitalize()}.")
    if (pattern := field.get("pattern")) == LABEL:
        said.append("" if "DNS label" in said[0] else "A DNS label.")
    elif pattern:
        said.append(f"Matches `{pattern}`.")
    return " ".join(filter(None, said)).replace("|", "\\|")


def _limits(field: Schema) -> Iterator[str]:
    """How small and how large a value may be; of a DNS label everybody knows."""
    for what, unit in () if field.get("pattern") == LABEL else COUNTED.items():
        match field.get(f"min{what}"), field.get(f"max{what}"):
            case None, None:
                pass
            case least, None:
                yield f"at least {least} {unit}".rstrip()
            case None, most:
                yield f"at most {most} {unit}".rstrip()
            case least, most:
                yield f"{least} to {most} {unit}".rstrip()


def _rules(schema: Schema, path: str) -> Iterator[str]:
    """What has to hold between fields, by the messages of the schema's rules; each once."""
    found: dict[str, list[str]] = {}
    for where, field in [(path, schema), *((where, field) for where, field, _ in _fields(schema))]:
        items = [field, *(field[key] for key in ("items", "additionalProperties") if key in field)]
        for one in items:
            for rule in one.get("x-kubernetes-validations", ()) if isinstance(one, Mapping) else ():
                found.setdefault(rule["message"], []).append(where)
    for message, places in found.items():
        paths = ", ".join(f"`{one}`" for one in dict.fromkeys(places) if one)
        yield f"- {paths}: {message}." if paths else f"- {message}."


def _text(schema: Schema) -> str:
    return " ".join(str(schema.get("description", "")).split())
