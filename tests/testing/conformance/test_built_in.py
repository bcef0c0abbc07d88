"""What the suite of routers asks of ConfigMaps, Secrets and Services, as an API server would."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

import pytest

from tests.testing.conformance.checking import failures
from turnout.plugin import Kind, Manifest, Options, Role, RoutePlan, Router
from turnout.testing.conformance import RouterConformance

CONFIG_MAP = Kind("", ("v1",), "ConfigMap", "configmaps")
SECRET = Kind("", ("v1",), "Secret", "secrets")
SERVICE = Kind("", ("v1",), "Service", "services")
Body = Mapping[str, Any]

PORT = {"port": 80}


class Writes(Router[Options]):
    """A ConfigMap of the plan, a Secret, and a Service."""

    name = "sound-config-map"
    options = Options
    writes: ClassVar[tuple[Kind, ...]] = (CONFIG_MAP, SECRET, SERVICE)
    carries = frozenset()

    def __init__(self, kind: Kind = CONFIG_MAP, body: Body | None = None) -> None:
        self.bodies: dict[Kind, Body] = {
            SECRET: {"stringData": {"password": "x"}, "data": {"token": "eA=="}},
            SERVICE: {"spec": {"ports": [{"port": 80, "targetPort": "http"}], "selector": {"app": "x"}}},
        }
        self.changed = {kind: body} if body is not None else {}

    def render(self, plan: RoutePlan, options: Options) -> Sequence[Manifest]:
        table: Body = {"data": {"table": repr(plan.rules)}}
        bodies = {CONFIG_MAP: table} | self.bodies | self.changed
        roles = {CONFIG_MAP: Role.ROUTE}
        name = self.named(plan)
        return [Manifest(kind, name, body, roles.get(kind, Role.SUPPORT)) for kind, body in bodies.items()]

    def named(self, plan: RoutePlan) -> str:
        return plan.policy.model_name


class NamesByHost(Writes):
    """Has names that are too long for a Service, where a model's is as long as may be."""

    def named(self, plan: RoutePlan) -> str:
        return f"{plan.policy.model_name}-routes"


class NamesByPolicy(Writes):
    def named(self, plan: RoutePlan) -> str:
        return plan.policy.name


def of(plugin: Router[Any]) -> type[RouterConformance]:
    """A suite of that plugin."""
    return type("OfWrites", (RouterConformance,), {"plugin": plugin, "examples": 0})


def service(*ports: Any) -> Body:
    return {"spec": {"ports": list(ports)}}


def test_sound_objects_pass() -> None:
    assert failures(of(Writes())) == {}


@pytest.mark.parametrize(
    ("kind", "body", "says"),
    [
        (CONFIG_MAP, {"data": {"table": {"a": 1}}}, 'data.table: found {"a": 1}, expected a str'),
        (CONFIG_MAP, {"data": {"n": 1}}, "data.n: found 1, expected a str"),
        (CONFIG_MAP, {"data": ["x"]}, 'data: found ["x"], expected a mapping'),
        (CONFIG_MAP, {"data": {"a/b": "x"}}, 'data: found the key "a/b", expected a-z'),
        (CONFIG_MAP, {"data": {"a": "x" * 2**19, "b": "\N{SNOWMAN}" * 2**18}}, "data: found 1310720 bytes"),
        (CONFIG_MAP, {"binaryData": {"a": "?"}}, 'binaryData.a: found "?", expected base64'),
        (CONFIG_MAP, {"spec": {}}, "spec: found a field, expected none but data, binaryData, immutable"),
        (SECRET, {"data": {"a": "?"}}, "data.a: found"),
        (SECRET, {"stringData": {"a": None}}, "stringData.a: found null"),
        (SERVICE, service({"port": 0}), "spec.ports[0].port: found 0, expected an integer 1..65535"),
        (SERVICE, service({"port": "80"}), 'spec.ports[0].port: found "80"'),
        (SERVICE, service({"port": 80, "targetPort": 65536}), "spec.ports[0].targetPort: found 65536"),
        (SERVICE, service({"port": 80, "protocol": "HTTP"}), 'spec.ports[0].protocol: found "HTTP"'),
        (
            SERVICE,
            service(PORT, {"port": 81, "name": "b"}),
            "spec.ports[0].name: found none, expected a name",
        ),
        (
            SERVICE,
            service({"port": 80, "name": "a_b"}),
            'spec.ports[0].name: found "a_b", expected a DNS label',
        ),
        (SERVICE, service(), "spec.ports: found none, expected one at least"),
        (SERVICE, service("http"), 'spec.ports[0]: found "http", expected a mapping'),
        (SERVICE, {"spec": None}, "spec: found null, expected a mapping"),
    ],
)
def test_what_an_api_server_would_refuse_is_told(kind: Kind, body: Body, says: str) -> None:
    found = failures(of(Writes(kind, body)))

    assert says in found["test_manifests_fit_their_schema"]


@pytest.mark.parametrize(
    ("plugin", "says"),
    [
        (NamesByHost, f'render of "the longest names" with options {{}}: found Service models/{"m" * 62}0-'),
        (NamesByPolicy, 'render of "a policy with a dot in its name"'),
    ],
)
def test_names_are_tried_that_are_rare(plugin: Callable[[], Router[Any]], says: str) -> None:
    found = failures(of(plugin()))["test_manifests_fit_their_schema"]

    assert says in found
    assert "expected a DNS label that begins with a letter" in found


def test_a_service_without_ports_may_be_headless() -> None:
    headless = Writes(SERVICE, {"spec": {"clusterIP": "None", "selector": {"app": "x"}}})

    assert failures(of(headless)) == {}


def test_an_empty_uid_is_asked_of() -> None:
    """As `turnout plan` would."""

    class Marks(Writes):
        def named(self, plan: RoutePlan) -> str:
            return f"{plan.policy.model_name}-{plan.policy.uid}"

    found = failures(of(Marks()))["test_manifests_are_complete"]

    assert 'render of "a policy without a uid, as offline"' in found
