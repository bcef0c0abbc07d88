"""Runs plugins for commands as the controller does: not for ever, and none of them on stdout."""

import asyncio
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from typing import TypeVar

from turnout.calling import Calls
from turnout.offline import Run
from turnout.runtime.guard import Guard

T = TypeVar("T")


@contextmanager
def guarded(limit: float = 5.0) -> Iterator[Run]:
    """Runs decisions of at most `limit` seconds each. What plugins print meanwhile goes to stderr."""
    guard = Guard(limit=limit)

    with asyncio.Runner() as runner, redirect_stdout(sys.stderr):

        def run(fn: Callable[[Calls], T], /) -> T:
            return runner.run(guard.run(fn))

        try:
            yield run
        finally:
            guard.close()
