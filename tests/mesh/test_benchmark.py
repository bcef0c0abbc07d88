"""The benchmark of rollouts under load prints what docs/traffic.md shows."""

import re

import pytest
from benchmarks import traffic

from tests.docs import pages


def test_it_tells_what_a_rollout_costs_with_the_drain_and_without(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(traffic, "ROUNDS", 1)
    lines = [re.split(r"\s{2,}", line) for line in traffic.traffic().splitlines()]
    assert lines[0] == ["traffic", "without drain", "with drain"]
    table = {name: cells for name, *cells in lines[1:]}
    assert shown() <= table.keys()
    assert all(int(cell) > 500 for cell in table["requests sent"])
    without, with_it = table["requests failed"]
    assert with_it == "0"
    assert re.fullmatch(r"\d+(; \d+ (NOT_FOUND: )?vmodel not found)*", without)


def shown() -> set[str]:
    """The rows of the table on the page."""
    found = set(re.findall(r"^\| ([a-z ]+) \| [\d.]+", pages.text("docs/traffic.md"), flags=re.MULTILINE))
    assert len(found) == 4
    return found
