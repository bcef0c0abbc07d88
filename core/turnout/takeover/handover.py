"""What it takes to give an object to turnout's field manager. Pure.

An object that others have applied has fields that are theirs by `metadata.managedFields`. Those of the spec,
and all that Iter8's controller has applied, become turnout's: the next server-side apply leaves nothing of
Iter8's behind, be it its owner reference or a field that turnout would not say. No value changes by that.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from turnout.names import FIELD_MANAGER
from turnout.plugin.reading import items, mapping

ITER8_MANAGER = "iter8-controller"
SPEC = "f:spec"

Object = Mapping[str, Any]


def managed_fields(document: Object) -> list[dict[str, Any]] | None:
    """The object's managers once turnout's has taken over; None if nothing is left to take over."""
    there = [dict(one) for one in items(mapping(document.get("metadata")).get("managedFields"))]
    ours: dict[str, Any] = {}
    left: list[dict[str, Any]] = []
    took = False
    for entry in there:
        fields = mapping(entry.get("fieldsV1"))
        if entry.get("subresource"):
            left.append(entry)
        elif _is_ours(entry):
            ours = _merged(ours, fields)
        elif entry.get("manager") == ITER8_MANAGER:
            ours, took = _merged(ours, fields), True
        elif SPEC in fields:
            ours, took = _merged(ours, {SPEC: fields[SPEC]}), True
            if rest := {name: value for name, value in fields.items() if name != SPEC}:
                left.append({**entry, "fieldsV1": rest})
        else:
            left.append(entry)
    if not took:
        return None
    applied = {
        "manager": FIELD_MANAGER,
        "operation": "Apply",
        "apiVersion": str(document.get("apiVersion", "")),
        "fieldsType": "FieldsV1",
        "fieldsV1": ours,
        "time": _latest(there),
    }
    return [*left, {name: value for name, value in applied.items() if value}]


def said_of_spec(document: Object) -> set[str]:
    """The fields of the spec that somebody has set, as `metadata.managedFields` tells."""
    entries = items(mapping(document.get("metadata")).get("managedFields"))
    specs = (mapping(mapping(one.get("fieldsV1")).get(SPEC)) for one in entries if not one.get("subresource"))
    return {name.removeprefix("f:") for spec in specs for name in spec}


def _is_ours(entry: Object) -> bool:
    return (entry.get("manager"), entry.get("operation")) == (FIELD_MANAGER, "Apply")


def _latest(entries: Iterable[Object]) -> str:
    return max((str(entry.get("time", "")) for entry in entries), default="")


def _merged(left: Object, right: Object) -> dict[str, Any]:
    both = dict(left)
    for name, value in right.items():
        both[name] = _merged(mapping(both.get(name)), mapping(value))
    return both
