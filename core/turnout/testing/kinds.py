"""An in-memory cluster that serves turnout's own kinds, and those that plugins watch and write."""

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from importlib.resources import files
from typing import Any

import yaml

from turnout.plugin import Kind
from turnout.registry import Registry
from turnout.testing.memory import InMemoryCluster
from turnout.testing.memory.resources import BUILT_IN

Definition = Mapping[str, Any]
"""A CustomResourceDefinition."""


def cluster(
    kinds: Iterable[Kind] = (),
    crds: Iterable[Definition] = (),
    *,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> InMemoryCluster:
    """A cluster with RoutingPolicy and TrafficWeights; `crds` are checked, other `kinds` are not."""
    made = InMemoryCluster(now=now)
    for definition in sorted(files("turnout").joinpath("crds").iterdir(), key=lambda file: file.name):
        made.install_crd(yaml.safe_load(definition.read_text(encoding="utf-8")))
    defined = [made.install_crd(document) for document in crds]
    served = {(kind.group, kind.plural) for kind in (*defined, *(one.kind for one in BUILT_IN))}
    for kind in kinds:
        if (kind.group, kind.plural) not in served:
            made.install(kind)
    return made


def of_plugins(registry: Registry) -> list[Kind]:
    """The kinds that a registry's plugins watch and write."""
    watched = {kind for one in registry.environments.values() for kind in one.plugin.watches}
    written = {kind for one in registry.routers.values() for kind in one.plugin.writes}
    return sorted(watched | written, key=str)
