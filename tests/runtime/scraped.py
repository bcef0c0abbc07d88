"""The metrics of a controller in memory, as Prometheus would read them."""

from collections.abc import Mapping
from typing import Any

from prometheus_client.parser import text_string_to_metric_families

from tests.runtime.harness import Bed
from turnout.runtime.metrics.counted import Metrics
from turnout.testing.rollout import Running

Labels = Mapping[str, str]


class Scraped:
    """Samples by name and labels."""

    def __init__(self, text: str) -> None:
        self.families = list(text_string_to_metric_families(text))
        self.samples = [sample for family in self.families for sample in family.samples]

    def value(self, name: str, **labels: str) -> float | None:
        """The only sample with these labels, among others; None if there is none."""
        found = [one.value for one in self._with(name, labels)]
        assert len(found) < 2, f"{name} {labels}: {found}"
        return found[0] if found else None

    def sum(self, name: str, **labels: str) -> float:
        return float(sum(one.value for one in self._with(name, labels)))

    def by(self, label: str, name: str, **labels: str) -> dict[str, float]:
        """The samples with these labels, by another one."""
        return {one.labels[label]: one.value for one in self._with(name, labels)}

    def _with(self, name: str, labels: Labels) -> list[Any]:
        return [one for one in self.samples if one.name == name and labels.items() <= one.labels.items()]


class Watched:
    """A cluster whose controllers one process runs, one after the other."""

    def __init__(self, bed: Bed) -> None:
        self.bed = bed
        self.metrics = Metrics()

    def start(self, **options: Any) -> Running:
        running = self.bed.start(observer=self.metrics, **options)
        self.metrics.controller = running.controller
        return running

    def scrape(self) -> Scraped:
        return Scraped(self.text())

    def text(self) -> str:
        return self.bed.run(self.metrics.text()).decode()
