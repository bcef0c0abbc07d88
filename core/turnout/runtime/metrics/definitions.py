"""What a metric is, besides its samples. Names and units are by Prometheus' conventions."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Definition:
    """`name` as Prometheus shows it; `type`: counter, gauge or histogram."""

    name: str
    type: str
    labels: tuple[str, ...]
    help: str


Row = tuple[tuple[str, ...], float]
"""The values of the labels, and the sample's."""
Rows = Iterable[Row]
