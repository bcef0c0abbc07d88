"""The probe toy-probe: says what a test tells it to, and remembers what it was asked."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from turnout.plugin import Options, Probe, Route


class ToyProbeOptions(Options):
    """Whom to ask."""

    address: str
    """Where the proxies answer."""


class ToyProbe(Probe[ToyProbeOptions]):
    """Knows of proxies only what it is told."""

    name = "toy-probe"
    options = ToyProbeOptions
    router = "istio"

    def __init__(self, says: Any = None) -> None:
        self.says = says
        """A word, or what finds it for routes."""
        self.asked: list[Sequence[Route]] = []

    async def in_force(self, routes: Sequence[Route], options: ToyProbeOptions) -> bool | None:
        self.asked.append(routes)
        if callable(self.says):
            found: Awaitable[bool | None] = self.says(routes)
            return await found
        return self.says  # type: ignore[no-any-return]  # anything: that is its point


def by_policy(**says: bool | None) -> Callable[[Sequence[Route]], Awaitable[bool | None]]:
    """A word for the routes of each name."""

    async def say(routes: Sequence[Route]) -> bool | None:
        return says[routes[0].name]

    return say


async def hang(routes: Sequence[Route]) -> None:
    """Does not answer, and lets itself be cancelled only when it has slept once more."""
    try:
        await asyncio.sleep(3600)
    except asyncio.CancelledError:
        await asyncio.sleep(3600)


async def block(routes: Sequence[Route]) -> None:
    """Keeps its event loop for longer than any answer may take, where seconds are those of the rollouts."""
    time.sleep(2)  # noqa: ASYNC251  that is its point


async def fail(routes: Sequence[Route]) -> None:
    """Raises."""
    raise OSError("no route to host")


async def leave(routes: Sequence[Route]) -> None:
    """Raises what would end a program."""
    raise SystemExit(3)
