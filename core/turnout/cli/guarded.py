"""Runs plugins for commands as the controller does: not for ever, and none of them on stdout."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout

from turnout.client.limited import limited
from turnout.offline import Run


@contextmanager
def guarded(limit: float = 5.0) -> Iterator[Run]:
    """Runs decisions of at most `limit` seconds each. What plugins print meanwhile goes to stderr."""
    with limited(limit) as run, redirect_stdout(sys.stderr):
        yield run
