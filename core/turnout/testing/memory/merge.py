"""Comparing, merging and cutting objects by the shape that their schema gives them.

This is what sigs.k8s.io/structured-merge-diff does for the real server, less what a field of another
type than its schema's would need.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import orjson

from turnout.testing.memory.fieldsets import Path, Paths, Tree, without
from turnout.testing.memory.schema import ANYTHING, Schema, declares, element, is_granular, items
from turnout.testing.memory.schema import field as field_of

_MISSING: Any = object()


@dataclass(slots=True)
class Changes:
    """What one object has that another has not. Maps and lists that come or go are in it as well."""

    added: set[Path] = field(default_factory=set)
    modified: set[Path] = field(default_factory=set)
    removed: set[Path] = field(default_factory=set)

    def outside(self, ignored: Paths) -> "Changes":
        """The changes that are not in or below some fields."""
        kept = [set(without(paths, ignored)) for paths in (self.added, self.modified, self.removed)]
        return Changes(*kept)


def paths_of(schema: Schema, value: Any, at: Path = ()) -> Iterator[Path]:
    """Yield the fields that are owned by who applies a value."""
    if not is_granular(schema, value):
        if at:
            yield at
    elif isinstance(value, dict):
        for name, child in value.items():
            here = (*at, f"f:{name}")
            if child is None or child == {} or not declares(schema, name):
                yield here
            yield from paths_of(field_of(schema, name) or ANYTHING, child, here)
    else:
        for item in value:
            here = (*at, element(schema, item))
            yield here
            yield from paths_of(items(schema), item, here)


def compare(schema: Schema, old: Any, new: Any) -> Changes:
    """Return what has to change in `old` to make it `new`."""
    changes = Changes()
    _compare(schema, old, new, (), changes)
    return changes


def _compare(schema: Schema, old: Any, new: Any, at: Path, changes: Changes) -> None:
    alike = _are_alike(schema, old, new)
    if not alike and old is not _MISSING and new is not _MISSING and not same(old, new):
        changes.modified.add(at)
    left, right = _by_step(schema, old), _by_step(schema, new)
    for step in left | right:
        own = _child_schema(schema, step)
        _compare(own, left.get(step, _MISSING), right.get(step, _MISSING), (*at, step), changes)
    if old is _MISSING:
        changes.added.add(at)
    elif new is _MISSING:
        changes.removed.add(at)


def same(one: Any, other: Any) -> bool:
    """Whether two values are equal as JSON, where true is not 1."""
    return one == other and _canonical(one) == _canonical(other)


def _canonical(value: Any) -> bytes:
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)


def _are_alike(schema: Schema, old: Any, new: Any) -> bool:
    """Whether two values differ only in what is in them: maps or lists, not both of them empty."""
    given = [value for value in (old, new) if value is not _MISSING and value is not None]
    granular = all(is_granular(schema, value) for value in given)
    return granular and any(given) and len({type(value) for value in given}) == 1


def _by_step(schema: Schema, value: Any) -> dict[str, Any]:
    """Return the parts that have managers of their own; none of what is compared as a whole."""
    if not is_granular(schema, value):
        return {}
    if isinstance(value, dict):
        return {f"f:{name}": child for name, child in value.items()}
    return {element(schema, item): item for item in value}


def _child_schema(schema: Schema, step: str) -> Schema:
    return (field_of(schema, step[2:]) if step.startswith("f:") else items(schema)) or ANYTHING


def merge(schema: Schema, live: Any, applied: Any) -> Any:
    """Return `live` with what is applied laid over it. Items of a list keep the order applied."""
    if not is_granular(schema, applied) or type(live) is not type(applied):
        return applied
    if isinstance(applied, dict):
        merged = dict(live)
        for name, child in applied.items():
            own = field_of(schema, name) or ANYTHING
            if not (child is None and is_granular(own, live.get(name))):  # null is no value for a map
                merged[name] = merge(own, live[name], child) if name in live else child
        return merged
    return _merge_lists(schema, live, applied)


def _merge_lists(schema: Schema, live: list[Any], applied: list[Any]) -> list[Any]:
    """Merge item by item: the applied order holds, and other items stay before what followed them."""
    left, right = _by_step(schema, live), _by_step(schema, applied)
    steps_left, steps_right = list(left), list(right)
    shared = [step for step in steps_right if step in left]
    done: dict[str, Any] = {}

    def take(step: str) -> None:
        if step not in right:
            done[step] = left[step]
        elif step in left:
            done[step] = merge(items(schema), left[step], right[step])
        else:
            done[step] = right[step]

    while steps_left or steps_right:
        if steps_left and steps_right and steps_left[0] in right and steps_left[0] != steps_right[0]:
            expected = next((step for step in shared if step not in done), None)
            if expected is not None and steps_left[0] != expected:
                steps_left.pop(0)  # shared, but its turn comes later in the applied order
                continue
        if steps_left and steps_left[0] not in right:
            take(steps_left.pop(0))
            continue
        if steps_left and (not steps_right or steps_left[0] == steps_right[0] or steps_left[0] in done):
            steps_left.pop(0)
        if steps_right:
            take(steps_right.pop(0))
    return list(done.values())


def cut(schema: Schema, value: Any, doomed: Tree) -> Any:
    """Return a copy without the members of a tree. Atomic maps and lists go whole or not at all.

    A map or list that loses all it has becomes None (null), as it does in the real server.
    """
    if not is_granular(schema, value):
        return value
    if isinstance(value, dict):
        kept = {}
        for name, child in value.items():
            below = doomed.get(f"f:{name}", {})
            if "." not in below:
                own = field_of(schema, name) or ANYTHING
                kept[name] = cut(own, child, below) if below else child
        return kept or None
    rest = []
    for item in value:
        below = doomed.get(element(schema, item), {})
        if "." not in below:
            rest.append(cut(items(schema), item, below) if below else item)
    return rest or None
