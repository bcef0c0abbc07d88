"""A router that writes what a test says."""

from collections.abc import Sequence
from typing import Any

from turnout.plugin import Feature, Kind, Manifest, Options, RoutePlan, Router

CONFIG_MAP = Kind("", ("v1",), "ConfigMap", "configmaps")


class Writing(Router[Options]):
    """Writes these manifests, right or wrong, whatever the plan."""

    name = "writing"
    options = Options
    writes = (CONFIG_MAP,)
    carries = frozenset(Feature)

    def __init__(self, *manifests: Any) -> None:
        self._manifests = manifests

    def render(self, plan: RoutePlan, options: Options) -> Sequence[Manifest]:
        return self._manifests
