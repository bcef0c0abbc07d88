"""Fixtures for tests of plugins: `pytest_plugins = ["turnout.testing.fixtures"]` in a module of tests."""

import asyncio
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest

from turnout.loading import load
from turnout.plugin import Plugin
from turnout.registry import Loaded, Registry
from turnout.testing.fastloop import FastLoop
from turnout.testing.kinds import Definition, cluster
from turnout.testing.memory import InMemoryCluster
from turnout.testing.rollout import Rollout


@pytest.fixture
def turnout_cluster() -> InMemoryCluster:
    """An API server in memory, which serves turnout's own kinds besides the built-in ones."""
    return cluster()


@pytest.fixture
def turnout_rollout() -> Iterator[Callable[..., Rollout]]:
    """Makes rollouts, of which a test may need several: `turnout_rollout(MyRouter(), crds=(…))`.

    Their controllers know the plugins that are given, and all that are installed under other names.
    """
    made: list[Rollout] = []
    with asyncio.Runner(loop_factory=FastLoop) as runner:

        def make(*plugins: Plugin[Any], crds: Iterable[Definition] = ()) -> Rollout:
            made.append(Rollout(runner, _with_installed(plugins), crds=crds))
            return made[-1]

        yield make
        for rollout in made:
            rollout.close()


def _with_installed(plugins: Iterable[Plugin[Any]]) -> Registry:
    given: list[Loaded[Plugin[Any]]] = list(Registry.of(*plugins))
    names = {one.name for one in given}
    return Registry.by_axis([*given, *(one for one in load() if one.name not in names)])
