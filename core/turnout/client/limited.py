"""Runs decisions as the controller does: a plugin that hangs is given up."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from turnout.calling import Calls
from turnout.offline import Run
from turnout.runtime.guard import Guard

T = TypeVar("T")


@contextmanager
def limited(limit: float = 5.0) -> Iterator[Run]:
    """Runs decisions of at most `limit` seconds each, where no event loop runs."""
    guard = Guard(limit=limit)

    with asyncio.Runner() as runner:

        def run(fn: Callable[[Calls], T], /) -> T:
            return runner.run(guard.run(fn))

        try:
            yield run
        finally:
            guard.close()
