"""The cluster that tests of the controller act on."""

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.runtime.harness import Bed
from turnout.plugin import Plugin
from turnout.testing.fastloop import FastLoop


@pytest.fixture
def make_bed() -> Iterator[Callable[..., Bed]]:
    """Makes a cluster for controllers that know more plugins than the usual ones."""
    beds: list[Bed] = []
    with asyncio.Runner(loop_factory=FastLoop) as runner:

        def make(*plugins: Plugin[Any]) -> Bed:
            beds.append(Bed(runner, *plugins))
            return beds[-1]

        yield make
        for bed in beds:
            bed.close()


@pytest.fixture
def bed(make_bed: Callable[..., Bed]) -> Bed:
    """An empty cluster with all CRDs."""
    return make_bed()


@pytest.fixture
def halves(bed: Bed) -> Bed:
    """Two ready versions that share the calls by halves."""
    for name in ("wisdom-0", "wisdom-1"):
        bed.version(name)
    bed.policy()
    bed.start()
    bed.until(lambda: bed.split() == "wisdom-0 50% / wisdom-1 50%")
    bed.settle()
    bed.forget_calls()
    return bed
