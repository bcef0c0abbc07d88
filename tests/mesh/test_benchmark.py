"""The benchmark of rollouts under load prints what docs/traffic.md shows."""

import re

import pytest
from benchmarks import traffic


def test_it_tells_what_a_rollout_costs_with_the_drain_and_without(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(traffic, "ROUNDS", 1)
    lines = [re.split(r"\s{2,}", line) for line in traffic.traffic().splitlines()]
    assert lines[0] == ["traffic", "without drain", "with drain"]
    table = {name: cells for name, *cells in lines[1:]}
    assert table.keys() == {
        "candidates that came and went",
        "the machine's load, on average",
        "requests sent",
        "requests failed",
        "longest from ready to the first request",
        "longest from deletion to the last request answered",
    }
    assert all(int(cell) > 500 for cell in table["requests sent"])
    assert table["requests failed"][1] == "0"
