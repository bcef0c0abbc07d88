"""The plainest plugin of each axis: what a suite puts beside the one that it checks."""

from collections.abc import Mapping, Sequence
from typing import Any

from turnout.plugin import (
    Backend,
    Decision,
    Environment,
    Feature,
    Frontend,
    Inputs,
    Kind,
    Manifest,
    Observation,
    Options,
    Policy,
    Ref,
    RoutePlan,
    Router,
    Rule,
    Share,
    Strategy,
    VersionSpec,
)
from turnout.testing.builders import FRONTEND

CONFIG_MAP = Kind("", ("v1",), "ConfigMap", "configmaps")


class PlainEnvironment(Environment[Options]):
    """Versions are ConfigMaps, each with a Service of its own."""

    name = "conformance-environment"
    options = Options
    watches = (CONFIG_MAP,)

    def refs(self, version: VersionSpec, options: Options) -> Sequence[Ref]:
        return (Ref(CONFIG_MAP, version.namespace, version.name),)

    def observe(self, obj: Mapping[str, Any]) -> Observation:
        return Observation(True, "Ready")

    def frontends(self, policy: Policy, options: Options) -> Sequence[Frontend]:
        return (FRONTEND,)

    def backends(
        self, version: VersionSpec, seen: Sequence[Observation | None], options: Options
    ) -> Mapping[str, Backend]:
        return {FRONTEND.name: Backend(version.name, version.namespace, FRONTEND.port)}


class PlainStrategy(Strategy[Options]):
    """Everything to the primary."""

    name = "conformance-strategy"
    options = Options

    def decide(self, inputs: Inputs, options: Options) -> Decision:
        return Decision((Rule("default", (Share(inputs.version(inputs.primary), 100),)),), {})


class PlainRouter(Router[Options]):
    """Carries everything, to nobody."""

    name = "conformance-router"
    options = Options
    writes = (CONFIG_MAP,)
    carries = frozenset(Feature)

    def render(self, plan: RoutePlan, options: Options) -> Sequence[Manifest]:
        return (Manifest(CONFIG_MAP, plan.policy.name, {"data": {}}),)
