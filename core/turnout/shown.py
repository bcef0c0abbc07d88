"""A value in a message: its JSON on one line, cut where it gets long."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

LIMIT = 60
"""Characters of a value that are shown."""

_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")


def shown(value: object, limit: int = LIMIT) -> str:
    """The value's JSON, of at most `limit` characters and an ellipsis.

    Stops reading where it stops writing, so that a value may be huge or contain itself.
    """
    text = ""
    for piece in _pieces(value, limit):
        text += piece
        if len(text) > limit:
            return f"{text[: limit - 1]}…"
    return text


def sentence(text: str, limit: int = 512) -> str:
    """The text on one line, of at most `limit` characters that a terminal prints as such."""
    if len(text) <= limit and text.isprintable():
        return text
    line = _printable(" ".join(text[: limit + 1].split()))
    return line if len(text) <= limit and len(line) <= limit else f"{line[: limit - 1]}…"


def escaped(text: str) -> str:
    """The text with everything escaped that a terminal would not print as a character, line ends too."""
    return text if text.isprintable() else _printable(text)


def truth(value: bool | None) -> str:
    """True, False or Unknown, as a condition's status says it."""
    return "Unknown" if value is None else str(value)


def plain(text: str, limit: int = 253) -> str:
    """The text as it is, if it is short and a terminal prints all of it as characters; else its JSON."""
    return text if text.isprintable() and len(text) <= limit else shown(text, limit)


def _pieces(value: Any, limit: int) -> Iterator[str]:
    if isinstance(value, str):
        yield _quoted(value[: limit + 1])
    elif isinstance(value, Mapping):
        yield from _joined("{}", (_entry(key, item, limit) for key, item in value.items()))
    elif isinstance(value, list | tuple | set | frozenset):
        yield from _joined("[]", (_pieces(item, limit) for item in value))
    elif value is None or isinstance(value, bool | float):
        yield json.dumps(value)
    else:
        yield _other(value)


def _other(value: object) -> str:
    """A number, a date of YAML's, or what a plugin made: without its address, which is never the same."""
    try:
        text = _ADDRESS.sub("", str(value))
    except ValueError:
        return "an integer of thousands of digits"
    except Exception:  # noqa: BLE001  a plugin's own
        return f"an instance of {type(value).__name__}"
    return "".join(char if char.isprintable() else " " for char in text)


def _entry(key: object, item: object, limit: int) -> Iterator[str]:
    yield from _pieces(key, limit)
    yield ": "
    yield from _pieces(item, limit)


def _joined(brackets: str, items: Iterator[Iterator[str]]) -> Iterator[str]:
    yield brackets[0]
    for index, item in enumerate(items):
        if index:
            yield ", "
        yield from item
    yield brackets[1]


def _quoted(text: str) -> str:
    """JSON, with everything escaped that a terminal would not print as a character."""
    return _printable(json.dumps(text, ensure_ascii=False))


def _printable(text: str) -> str:
    return "".join(char if char.isprintable() else json.dumps(char)[1:-1] for char in text)
