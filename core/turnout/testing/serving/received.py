"""What the stand-in received: a counter, and the last calls one by one. Its memory is bounded."""

from collections import Counter, deque
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

CALLS = 100_000
KEYS = 10_000
LONGEST = 256
"""Characters that are kept of a name or of a header's value."""
OTHERS = "(others)"
"""Counted as one service: those that came when there were too many different ones."""


class Key(NamedTuple):
    """What calls are counted by.

    `service`: the one that was asked for. `model`: the id of the one that answered; empty for none.
    `code`: the gRPC status, such as OK. `headers`: the values of the headers of interest, in their
    order, None for one that was not there.
    """

    service: str
    model: str
    version: str
    code: str
    headers: tuple[str | None, ...]


class Call(NamedTuple):
    """One call. When it came and when it was over: seconds of `time.monotonic`, the same in all processes."""

    began: float
    ended: float
    key: Key


class Received:
    """`headers`: the names, in lower case, of the request headers whose values are told apart.

    Of the calls the last `calls` are kept; after `KEYS` different keys new ones lose their headers, and
    after twice as many their names too.
    """

    def __init__(self, headers: Sequence[str] = (), *, calls: int = CALLS) -> None:
        self.headers = tuple(name.lower() for name in headers)
        self._counts: Counter[Key] = Counter()
        self._calls: deque[Call] = deque(maxlen=calls)

    def note(self, began: float, ended: float, key: Key) -> None:
        service, model, version, code, headers = key
        key = Key(service[:LONGEST], model[:LONGEST], version[:LONGEST], code, _cut(headers))
        if len(self._counts) >= KEYS and key not in self._counts:
            key = key._replace(headers=())
        if len(self._counts) >= 2 * KEYS and key not in self._counts:
            key = Key(OTHERS, "", "", key.code, ())
        self._counts[key] += 1
        self._calls.append(Call(began, ended, key))

    def counts(self) -> Counter[Key]:
        return self._counts.copy()

    def answered(self) -> dict[str, int]:
        """How many calls each service answered well."""
        answered: Counter[str] = Counter()
        for key, count in self._counts.items():
            if key.code == "OK":
                answered[key.service] += count
        return dict(answered)

    def calls(self, since: float = 0.0) -> list[Call]:
        """The calls that were over after `since`, in the order of their ends, as far as they are kept."""
        return [call for call in self._calls if call.ended > since]

    def reset(self) -> None:
        self._counts.clear()
        self._calls.clear()

    def as_json(self, key: Key) -> dict[str, Any]:
        """A key, with its headers by name."""
        headers: Mapping[str, str | None] = dict(zip(self.headers, key.headers, strict=False))
        return {**key._asdict(), "headers": headers}


def _cut(values: tuple[str | None, ...]) -> tuple[str | None, ...]:
    return tuple(None if one is None else one[:LONGEST] for one in values)
