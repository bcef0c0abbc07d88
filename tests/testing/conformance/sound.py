"""A plugin of each axis that does everything right, for others to break one rule each."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar

from pydantic import Field, SecretStr

from turnout.plugin import (
    Backend,
    Decision,
    Environment,
    Fault,
    Feature,
    Frontend,
    Inputs,
    Kind,
    Manifest,
    Observation,
    Options,
    Policy,
    Ref,
    Role,
    RoutePlan,
    Router,
    Rule,
    Share,
    Strategy,
    Uses,
    VersionSpec,
)
from turnout.plugin.reading import app_version, generation, mapping, text
from turnout.testing.conformance import EnvironmentConformance, RouterConformance, StrategyConformance

WIDGET = Kind("example.com", ("v1",), "Widget", "widgets")
TABLE = Kind("example.com", ("v1",), "Table", "tables")
ENTRANCE = Kind("example.com", ("v1",), "Entrance", "entrances")
WORDS = {"True": True, "False": False}


class WidgetOptions(Options):
    """Where widgets answer."""

    port: int = Field(default=8080, ge=1, le=65535)
    """The port of their Services."""


class Widgets(Environment[WidgetOptions]):
    """A widget for each version; it does not say whether it drains."""

    name = "sound-widgets"
    options = WidgetOptions
    watches = (WIDGET,)

    def check(self, policy: Policy, options: WidgetOptions) -> Iterable[Fault]:
        if policy.model_name == "owl":
            yield Fault("spec.modelName", "found owl, expected another bird")

    def refs(self, version: VersionSpec, options: WidgetOptions) -> Sequence[Ref]:
        return (Ref(WIDGET, version.namespace, version.name),)

    def observe(self, obj: Mapping[str, Any]) -> Observation:
        status = mapping(obj.get("status"))
        return Observation(
            ready=WORDS.get(text(status.get("ready"))),
            reason="Said",
            message=text(status.get("message")),
            revision=str(generation(obj)),
            app_version=app_version(obj),
        )

    def frontends(self, policy: Policy, options: WidgetOptions) -> Sequence[Frontend]:
        host = f"{policy.model_name}.{policy.namespace}"
        return (Frontend("main", policy.namespace, (host,), options.port, "http"),)

    def backends(
        self, version: VersionSpec, seen: Sequence[Observation | None], options: WidgetOptions
    ) -> Mapping[str, Backend]:
        return {"main": Backend(version.name, version.namespace, options.port)}


class SoundEnvironment(Widgets):
    """The same, and it drains."""

    drain = True


def widget(ready: str, *, generation: int = 1, name: str = "wisdom-0") -> dict[str, Any]:
    """A document of a widget."""
    return {
        "apiVersion": "example.com/v1",
        "kind": "Widget",
        "metadata": {"name": name, "generation": generation, "resourceVersion": "5"},
        "spec": {"model": {"image": "wisdom"}},
        "status": {"ready": ready, "message": "it said so", "lastUpdateTime": "2026-01-02T00:00:00Z"},
    }


class OfSoundEnvironment(EnvironmentConformance):
    plugin: Environment[Any] = SoundEnvironment()
    options = ({}, {"port": 9000})
    ready = widget("True")
    not_ready = widget("False")
    unknown = widget("Unknown")
    replaced = widget("True", generation=2)


class SoundStrategy(Strategy[Options]):
    """By weight among those that may carry traffic; it counts how often it was asked."""

    name = "sound-weights"
    options = Options
    uses = frozenset({Uses.WEIGHTS})

    def decide(self, inputs: Inputs, options: Options) -> Decision:
        able = [one for one in inputs.versions if one.available and not one.excluded]
        shares = tuple(Share(one, 50 if one.spec.weight is None else one.spec.weight) for one in able)
        before = inputs.state.get("asked")
        asked = 1 + (before if isinstance(before, int) and 0 <= before < 2**53 else 0)
        return Decision(
            (Rule("default", shares),), dict.fromkeys(names(inputs), "by weight"), {"asked": asked}
        )


def names(inputs: Inputs) -> list[str]:
    return [version.name for version in inputs.versions]


class OfSoundStrategy(StrategyConformance):
    plugin: Strategy[Any] = SoundStrategy()


class TableOptions(Options):
    """How proxies log in."""

    password: SecretStr = SecretStr("")
    """What they say."""


class SoundRouter(Router[TableOptions]):
    """A Table with all that a plan says, an Entrance for all policies, and the hosts beside it."""

    name = "sound-table"
    options = TableOptions
    writes: ClassVar[tuple[Kind, ...]] = (TABLE, ENTRANCE)
    carries = frozenset(Feature)

    def render(self, plan: RoutePlan, options: TableOptions) -> Sequence[Manifest]:
        name = plan.policy.model_name
        hosts = [host for frontend in plan.frontends for host in frontend.hosts]
        return (
            Manifest(ENTRANCE, "entrance", {"spec": {"port": 80}}, Role.SHARED),
            Manifest(ENTRANCE, f"{name}-hosts", {"spec": {"hosts": hosts}}, Role.SUPPORT),
            Manifest(TABLE, name, {"spec": {"rules": [self.rule(rule) for rule in plan.rules]}}),
        )

    def rule(self, rule: Rule) -> dict[str, Any]:
        """A rule of the table."""
        return {
            "matches": [json.dumps([m.headers, m.query, m.path, m.method]) for m in rule.matches],
            "rows": [
                {"to": str(dict(share.version.backends)), "name": service(share), "weight": share.weight}
                | ({"told": str(share.set_response_headers)} if share.set_response_headers else {})
                for share in rule.shares
            ],
            "copies": [f"{mirror.percentage} {dict(mirror.version.backends)}" for mirror in rule.mirrors],
        }

    def refusal(self, route: Mapping[str, Any]) -> str | None:
        return text(mapping(route.get("status")).get("refused")) or None


def service(share: Share) -> str:
    return next(iter(share.version.backends.values())).name


def definition(kind: Kind, spec: Mapping[str, Any]) -> dict[str, Any]:
    """A CustomResourceDefinition whose objects have such a spec."""
    schema = {"type": "object", "properties": {"spec": {"type": "object", **spec}}}
    version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
    return {
        "kind": "CustomResourceDefinition",
        "spec": {
            "group": kind.group,
            "scope": "Namespaced",
            "names": {"kind": kind.kind, "plural": kind.plural},
            "versions": [version],
        },
    }


ANYTHING = {"x-kubernetes-preserve-unknown-fields": True}


class OfSoundRouter(RouterConformance):
    plugin: Router[Any] = SoundRouter()
    options = ({}, {"password": "correct-horse"})
    crds = (definition(TABLE, ANYTHING), definition(ENTRANCE, ANYTHING))

    def read(self, manifests: Sequence[Manifest]) -> Mapping[str, float]:
        (table,) = (one for one in manifests if one.kind == TABLE)
        return {row["name"]: row["weight"] for row in table.body["spec"]["rules"][-1]["rows"]}
