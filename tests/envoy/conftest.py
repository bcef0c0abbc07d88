"""Envoy, and what each test has of it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.envoy.site import Site
from tests.support.assets import find_envoy


@pytest.fixture(scope="session")
def program() -> Path:
    return find_envoy()


@pytest.fixture
def site(program: Path) -> Iterator[Site]:
    made = Site(program)
    try:
        yield made
    finally:
        made.close()
