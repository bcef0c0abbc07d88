"""From the bytes of a watch to its events, one JSON object a line."""

from typing import Any, NamedTuple

import orjson


class Event(NamedTuple):
    """One event of a watch.

    `type` is ADDED, MODIFIED, DELETED, BOOKMARK (the object carries a resourceVersion alone), or
    ERROR (it is a Status).
    """

    type: str
    object: dict[str, Any]


class Garbled(ValueError):  # noqa: N818 - reads as what happened
    """A line is no event: something else answered, or the stream is damaged."""


class Lines:
    """Cuts chunks into lines. What follows the last newline waits for the next chunk."""

    def __init__(self) -> None:
        self._begun: list[bytes] = []  # a line of megabytes comes in many chunks: they are joined once

    def feed(self, chunk: bytes) -> list[bytes]:
        """Return the lines that a chunk completes, without empty ones."""
        head, newline, rest = chunk.rpartition(b"\n")
        if not newline:
            self._begun.append(chunk)
            return []
        lines = b"".join((*self._begun, head)).split(b"\n")
        self._begun = [rest] if rest else []
        return [line for line in lines if line]


def parse(line: bytes) -> Event:
    """Read one line. Raises Garbled."""
    try:
        found = orjson.loads(line)
        event = Event(found["type"], found["object"])
    except (orjson.JSONDecodeError, TypeError, KeyError):
        raise Garbled("it is not an event") from None
    if not isinstance(event.type, str) or not isinstance(event.object, dict):
        raise Garbled("its type or its object is not one")
    return event
