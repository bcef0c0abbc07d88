"""Sets of fields, and the form (`fieldsV1`) in which managedFields writes them.

A path is a tuple of steps as fieldsV1 spells them: "f:spec", 'k:{"name":"a"}' (an item of a list by
its keys), 'v:"a"' (an item of a set). A set of paths holds those that are members; their parents are
members only if they are in it themselves.
"""

from collections.abc import Iterable, Iterator
from typing import Any

import orjson

from turnout.testing.memory.schema import ANYTHING, Schema, declares, field, items

Path = tuple[str, ...]
Paths = frozenset[Path]
Tree = dict[str, Any]
"""A set of paths as nested dicts by step; "." marks a node that is a member."""


def tree(paths: Iterable[Path]) -> Tree:
    """Return a set of paths as a tree, for walking it beside an object."""
    root: Tree = {}
    for path in paths:
        node = root
        for step in path:
            node = node.setdefault(step, {})
        node["."] = {}
    return root


def encode(paths: Iterable[Path]) -> Tree:
    """Return `fieldsV1`: the tree, in which a member without children is just {}."""

    def short(node: Tree) -> Tree:
        return {} if node.keys() == {"."} else {step: short(node[step]) for step in sorted(node)}

    return short(tree(paths))


def decode(fields: Tree) -> Paths:
    """Return the paths of a `fieldsV1`."""

    def members(node: Tree, at: Path) -> Iterator[Path]:
        if not node or "." in node:
            yield at
        for step, child in node.items():
            if step != ".":
                yield from members(child, (*at, step))

    return frozenset(path for path in members(fields, ()) if path)


def without(paths: Iterable[Path], prefixes: Iterable[Path]) -> Paths:
    """Return a set of paths without some fields and all that is below them."""
    starts = tuple(prefixes)
    return frozenset(path for path in paths if not any(path[: len(start)] == start for start in starts))


def with_declared_parents(schema: Schema, paths: Iterable[Path]) -> Paths:
    """Add every parent that the schema declares as a field, so that it goes with its last child."""
    given = frozenset(paths)
    found = set(given)
    for path in given:
        here = schema
        for end, step in enumerate(path[:-1], 1):
            if step.startswith("f:") and declares(here, step[2:]):
                found.add(path[:end])
            here = (field(here, step[2:]) if step.startswith("f:") else items(here)) or ANYTHING
    return frozenset(found)


def readable(path: Path) -> str:
    """Return a path as conflicts name it, such as '.spec.parts[name="a"].count'."""
    return "".join(_readable(step) for step in path)


def _readable(step: str) -> str:
    form, _, text = step.partition(":")
    if form == "f":
        return f".{text}"
    if form == "v":
        return f"[={text}]"
    keys = orjson.loads(text)
    return "[" + ",".join(f"{name}={orjson.dumps(keys[name]).decode()}" for name in sorted(keys)) + "]"
