"""Reads values files: YAML mappings, later ones over earlier ones, as Helm merges them."""

import re
import sys
from collections.abc import Hashable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from turnout.errors import Invalid, Problem
from turnout.validation import shown

STDIN = "-"
_SET = re.compile(r"(?P<path>[A-Za-z][\w-]*(?:\[\d+\]|\.[A-Za-z][\w-]*)*)=(?P<value>.*)", re.DOTALL)
_STEP = re.compile(r"\[(\d+)\]|([A-Za-z][\w-]*)")


def read(files: Iterable[str], assignments: Iterable[str] = ()) -> dict[str, Any]:
    """All files, `-` being standard input, merged in their order, then `key=value` assignments.

    Raises Invalid for whatever cannot be read.
    """
    merged: dict[str, Any] = {}
    try:
        for file in files:
            merged = _merged(merged, _mapping(_text(file), subject(file)))
        for assignment in assignments:
            merged = _assigned(merged, assignment)
    except RecursionError:
        raise Invalid("values", [Problem("", "nested too deeply, or contains itself")]) from None
    return merged


def subject(file: str) -> str:
    """What messages call a file."""
    return "standard input" if file == STDIN else file


def _text(file: str) -> str:
    try:
        data = sys.stdin.buffer.read() if file == STDIN else Path(file).read_bytes()
        return data.decode("utf-8-sig")
    except OSError as error:
        raise Invalid(subject(file), [Problem("", f"cannot be read: {error.strerror}")]) from None
    except UnicodeDecodeError as error:
        where = f"at byte {error.start + 1}"
        raise Invalid(subject(file), [Problem("", f"is not UTF-8 text: {error.reason} {where}")]) from None


def _mapping(text: str, source: str) -> dict[str, Any]:
    found = _yaml(text, source)
    if found is None:
        raise Invalid(source, [Problem("", "is empty, expected keys and values")])
    if not isinstance(found, dict):
        raise Invalid(source, [Problem("", found=shown(found), expected="keys and values")])
    return found


def _yaml(text: str, source: str) -> Any:
    try:
        return yaml.load(text, Loader=_Loader)  # noqa: S506 - a SafeLoader
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f" (line {mark.line + 1}, column {mark.column + 1})" if mark else ""
        problem = " ".join(str(error.problem or error.context).split())
        raise Invalid(source, [Problem("", f"is not YAML: {problem}{where}")]) from None
    except (yaml.YAMLError, ValueError) as error:  # such as a date on the 32nd
        raise Invalid(source, [Problem("", f"is not YAML: {' '.join(str(error).split())}")]) from None


class _Loader(yaml.SafeLoader):
    """Refuses a key that comes twice, of which YAML parsers keep either."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode) and key.tag != "tag:yaml.org,2002:merge":
                if key.value in seen:
                    raise yaml.MarkedYAMLError(
                        problem=f"key {shown(key.value)} comes twice", problem_mark=key.start_mark
                    )
                seen.add(key.value)
        return super().construct_mapping(node, deep)


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
