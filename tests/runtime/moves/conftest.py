"""Policies with two versions, which move."""

from collections.abc import Callable

import pytest

from tests.runtime.harness import (
    Bed,
)
from tests.runtime.moves.moving import Refused, shared_by_two, start


@pytest.fixture
def halves(bed: Bed) -> Bed:
    """Two versions that share the calls by halves, by VirtualService."""
    for name in ("wisdom-0", "wisdom-1"):
        bed.version(name)
    bed.policy()
    start(bed)
    bed.until(lambda: bed.split() == "wisdom-0 50% / wisdom-1 50%")
    bed.settle()
    bed.forget_calls()
    return bed


@pytest.fixture
def awaited(make_bed: Callable[..., Bed]) -> Bed:
    """Two versions that share the calls, and a new router whose network has not said a word."""
    bed = shared_by_two(make_bed(Refused()))
    bed.policy(router="refused")
    bed.until(lambda: bed.condition("Routed") == ("Unknown", "Pending"))
    return bed
