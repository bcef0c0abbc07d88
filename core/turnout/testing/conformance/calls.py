"""Calls of a plugin's methods, and their answers as plain data that can be compared and sent."""

from collections.abc import Iterable, Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from typing import Any, NamedTuple

from pydantic import BaseModel

from turnout.calling import describe
from turnout.plugin import Plugin

SHOWN = 120
"""Characters of a value that are shown."""
BEFORE = 40
"""Of these so many from before the place where it differs."""


class Call(NamedTuple):
    """One call. `where` says to people what it is about, such as `render of "weights 20/80"`."""

    where: str
    method: str
    args: tuple[Any, ...]


def answer(plugin: Plugin[Any], call: Call) -> Any:
    """What the plugin answers, as plain data; an exception is an answer too."""
    try:
        return plain(getattr(plugin, call.method)(*call.args))
    except Exception as error:  # noqa: BLE001  of any kind: it is plugin code
        return f"raised {describe(error)}"


def plain(value: object) -> Any:
    """Equal for equal answers: lists in their order, mappings whatever theirs is."""
    if value is None or isinstance(value, bool | int | float | bytes):
        return value
    if isinstance(value, Enum):
        return str(value)
    if isinstance(value, str):
        return value
    if isinstance(value, BaseModel):
        return {"": type(value).__name__, **plain(dict(value))}
    if is_dataclass(value) and not isinstance(value, type):
        return {
            "": type(value).__name__,
            **{field.name: plain(getattr(value, field.name)) for field in fields(value)},
        }
    if isinstance(value, Mapping):
        return {key if isinstance(key, str) else repr(key): plain(one) for key, one in value.items()}
    if isinstance(value, set | frozenset):
        return ["", *sorted((plain(one) for one in value), key=repr)]
    if isinstance(value, Iterable):
        return [plain(one) for one in value]
    return repr(value)


def difference(one: Any, other: Any, path: str = "") -> str | None:
    """The first place where two plain answers differ, with both values; None where they are equal."""
    if isinstance(one, dict) and isinstance(other, dict):
        for key in (*one, *(key for key in other if key not in one)):
            at = f"{path}.{key}" if path else key
            if key not in one or key not in other:
                return f"{at} is in one of them alone"
            if found := difference(one[key], other[key], at):
                return found
        return None
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        pairs = enumerate(zip(one, other, strict=True))
        return next((d for i, (a, b) in pairs if (d := difference(a, b, f"{path}[{i}]"))), None)
    if one == other:
        return None
    mine, theirs = _apart(repr(one), repr(other))
    return f"{path or 'it'} is {mine} and {theirs}"


def _apart(one: str, other: str) -> tuple[str, str]:
    """Two texts, cut so that the place where they differ is in sight."""
    shorter = min(len(one), len(other))
    same = next((at for at in range(shorter) if one[at] != other[at]), shorter)
    start = max(0, same - BEFORE) if max(len(one), len(other)) > SHOWN else 0
    return _cut(one, start), _cut(other, start)


def _cut(text: str, start: int) -> str:
    tail = text[start:]
    return f"{'…' if start else ''}{tail if len(tail) <= SHOWN else f'{tail[: SHOWN - 1]}…'}"
