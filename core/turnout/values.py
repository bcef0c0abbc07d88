"""Reads values files: YAML mappings, later ones over earlier ones, as Helm merges them."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from turnout import yaml_input
from turnout.errors import Invalid, Problem
from turnout.validation import shown

_SET = re.compile(r"(?P<path>[A-Za-z][\w-]*(?:\[\d+\]|\.[A-Za-z][\w-]*)*)=(?P<value>.*)", re.DOTALL)
_STEP = re.compile(r"\[(\d+)\]|([A-Za-z][\w-]*)")


def read(files: Iterable[str], assignments: Iterable[str] = ()) -> dict[str, Any]:
    """All files, `-` being standard input, merged in their order, then `key=value` assignments.

    Raises Invalid for whatever cannot be read.
    """
    merged: dict[str, Any] = {}
    try:
        for file in files:
            merged = _merged(merged, _mapping(yaml_input.read(file), yaml_input.subject(file)))
        for assignment in assignments:
            merged = _assigned(merged, assignment)
    except RecursionError:
        raise Invalid("values", [Problem("", "nested too deeply, or contains itself")]) from None
    return merged


def _mapping(text: str, source: str) -> dict[str, Any]:
    found = _yaml(text, source)
    if found is None:
        raise Invalid(source, [Problem("", "is empty, expected keys and values")])
    if not isinstance(found, dict):
        raise Invalid(source, [Problem("", found=shown(found), expected="keys and values")])
    return found


def _yaml(text: str, source: str) -> Any:
    found = yaml_input.documents(text, source)
    if len(found) > 1:
        raise Invalid(source, [Problem("", f"holds {len(found)} YAML documents, expected one")])
    return found[0] if found else None


def _merged(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Mappings are merged; anything else, lists too, is replaced."""
    both = dict(base)
    for key, value in over.items():
        old = both.get(key)
        both[key] = _merged(old, value) if isinstance(old, dict) and isinstance(value, dict) else value
    return both


def _assigned(values: dict[str, Any], assignment: str) -> dict[str, Any]:
    """The values with one more: modelVersions[1].weight=80, of which the right side is YAML."""
    source = f"--set {shown(assignment)}"
    matched = _SET.fullmatch(assignment)
    if not matched:
        raise Invalid(source, [Problem("", "is no key=value, such as modelVersions[1].weight=80")])
    steps = [int(index) if index else name for index, name in _STEP.findall(matched["path"])]
    try:
        changed: dict[str, Any] = _replaced(values, steps, _yaml(matched["value"], source))
    except TypeError as error:
        raise Invalid(source, [Problem("", str(error))]) from None
    return changed


def _replaced(old: Any, steps: Sequence[str | int], new: Any) -> Any:
    """The old value with the new one at the end of the steps. Raises TypeError for a step into a scalar."""
    if not steps:
        return new
    step, *rest = steps
    if isinstance(step, str):
        if not isinstance(old, dict | None):
            raise TypeError(f"{step} is set in {shown(old)}, which has no keys")
        mapping = old or {}
        return {**mapping, step: _replaced(mapping.get(step), rest, new)}
    if not isinstance(old, list | None) or step > len(old or ()):
        raise TypeError(f"[{step}] is set in {shown(old)}, expected a list of at least {step} items")
    items = old or []
    return [*items[:step], _replaced(dict(enumerate(items)).get(step), rest, new), *items[step + 1 :]]
