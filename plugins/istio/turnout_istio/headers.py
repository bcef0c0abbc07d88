"""Headers that are changed in every call, whichever version it is for."""

import re
from collections.abc import Iterator, Mapping
from typing import Annotated

from pydantic import AfterValidator, Field

from turnout.plugin import Options

Name = Annotated[str, Field(pattern=r"^[-A-Za-z0-9_.]+$", max_length=128)]
_TEXT = re.compile(r"([^%\x00-\x08\x0a-\x1f\x7f]|%%){1,1024}")


def _plain(value: str) -> str:
    """Text only. Of a command that it does not know Envoy refuses all routes of the gateway, everybody's."""
    if not _TEXT.fullmatch(value):
        raise ValueError(
            "expected 1 to 1024 characters, none of them control characters, and percent signs doubled: "
            "a single one begins a command of Envoy's"
        )
    return value


Value = Annotated[str, AfterValidator(_plain)]


class HeaderOperations(Options):
    """What is done to the headers of requests or of responses."""

    set: Mapping[Name, Value] = {}
    """Headers that have this value then, and no other."""

    add: Mapping[Name, Value] = {}
    """Values besides those that are there."""

    remove: tuple[Name, ...] = ()
    """Headers that are taken off."""

    def named(self) -> Iterator[tuple[str, str]]:
        """Where each header is named, and its name in lower case."""
        yield from ((f"set.{name}", name.lower()) for name in self.set)
        yield from ((f"add.{name}", name.lower()) for name in self.add)
        yield from ((f"remove[{index}]", name.lower()) for index, name in enumerate(self.remove))


class Headers(Options):
    """Istio's Headers, of a route."""

    request: HeaderOperations = HeaderOperations()
    """On the way to the version."""

    response: HeaderOperations = HeaderOperations()
    """On the way back."""
