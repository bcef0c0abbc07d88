"""The chart's values: what its schema and its templates refuse, and what arrives of the settings."""

import json
from pathlib import Path

import pytest
import yaml

from deploy import generate
from tests.deploy.chart import CHART, helm, objects, only, refused
from tests.docs import pages
from turnout.settings import LeaseTiming, Settings

LEASE = LeaseTiming()


def test_schema_and_values_have_the_same_keys_and_all_are_described() -> None:
    """At every level: none is forgotten in the schema, none in the table."""
    said = (CHART / "values.yaml").read_text(encoding="utf-8")
    values, schema = (
        yaml.safe_load(said),
        json.loads((CHART / "values.schema.json").read_text(encoding="utf-8")),
    )
    assert set(schema["properties"]) == {*values, "global"}
    described = {path for path, _ in generate.described(said)}
    for name, value in values.items():
        if (name,) not in described:
            section = schema["properties"][name]
            assert set(section["properties"]) == set(value)
            assert set(section.get("required", ())) == {
                key for key, default in value.items() if counts(default)
            }
            assert {(name, key) for key in value} <= described


def counts(default: object) -> bool:
    """Whether templates need a value: `null` takes a default away, and is refused there."""
    return isinstance(default, int) or (isinstance(default, str) and default != "")


@pytest.mark.parametrize("name", ["settings", "image", "environments", "http", "release", "replicas"])
def test_a_value_that_is_taken_away_is_told(name: str) -> None:
    said = refused(f"--set={name}=null")
    assert f"missing property '{name}'" in said
    assert "nil pointer" not in said


@pytest.mark.parametrize(
    ("argument", "says"),
    [
        ("replica=3", "'replica' not allowed"),
        ("image.tagg=1", "'tagg' not allowed"),
        ("settings.drains.enabled=false", "'drains' not allowed"),
        ("settings.drain.enable=false", "'enable' not allowed"),
        ("settings.drain.enabled=no", "got string, want boolean"),
        ("settings.lease.durationSeconds=1", "minimum"),
        ("environments.deploymnet.enabled=true", "missing property 'kinds'"),
        ("routers.istio.kind={x}", "'kind' not allowed"),
        ("routers.mine.kinds={Things.example.com}", "does not match pattern"),
        ("namespaces={Team}", "does not match pattern"),
        ("logLevel=verbose", "value must be one of"),
        ("http.address=localhost", "does not match pattern"),
        ("http.address=999.999", "does not match pattern"),
        ("http.address=...", "does not match pattern"),
        ("http.address=256.0.0.1", "does not match pattern"),
        ("http.address=[...]", "does not match pattern"),
        ("http.port=0", "minimum"),
        ("image.repository=registry.example.com/turnout:v1", "does not match pattern"),
        ("image.repository=my turnout", "does not match pattern"),
        ("image.repository=null", "missing property 'repository'"),
        ("serviceAccount.name=Bad_Name", "does not match pattern"),
        ("resources.requests.cpus=1", "'cpus' not allowed"),
        ("resources.limits.memory=1 GB", "does not match pattern"),
        ("podSecurityContext.runAsUsr=1", "'runAsUsr' not allowed"),
        ("securityContext.privilegd=true", "'privilegd' not allowed"),
        ("tolerations[0].efect=NoSchedule", "'efect' not allowed"),
    ],
)
def test_schema_refuses(argument: str, says: str) -> None:
    """What is unknown, and what cannot be."""
    assert says in refused("--set", argument)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("clusterScoped=true", "namespaces={a}"), "namespaces: found some, expected none"),
        (("serviceAccount.create=false",), "serviceAccount.name: found nothing, expected"),
        (("serviceMonitor.create=true", "service.create=false"), "serviceMonitor.create: found true"),
        (("environments.toys.kinds={secrets}",), "environments.toys.kinds: found secrets, expected none"),
        (("routers.maps.kinds={configmaps,secrets}",), "routers.maps.kinds: found secrets, expected none"),
        (("routers.maps.kinds={roles.rbac.authorization.k8s.io}",), "routers.maps.kinds: found roles.rbac."),
        (
            (f"settings.lease.renewSeconds={LEASE.duration_seconds}",),
            f"settings.lease.renewSeconds: found {LEASE.duration_seconds}, expected less than durationSeconds",
        ),
        (
            ("settings.lease.durationSeconds=8",),
            f"renewSeconds: found {LEASE.renew_seconds:g}, expected less",
        ),
        (
            (f"settings.lease.retrySeconds={LEASE.renew_seconds:g}",),
            f"retrySeconds: found {LEASE.renew_seconds:g}, expected less than renewSeconds",
        ),
        (
            ("settings.lease.renewSeconds=1",),
            f"retrySeconds: found {LEASE.retry_seconds:g}, expected less than renewSeconds, which is 1",
        ),
        (("podLabels.app\\.kubernetes\\.io/name=x",), "podLabels: found app.kubernetes.io/name, expected"),
    ],
)
def test_values_that_cannot_work_together_are_refused(arguments: tuple[str, ...], says: str) -> None:
    assert says in refused(*(f"--set={one}" for one in arguments))


@pytest.mark.parametrize(
    "argument",
    [
        "http.address=10.255.0.1",
        "http.address=[::1]",
        "http.address=[fe80::1:2]",
        "http.address=[1:2:3:4:5:6:7:8]",
        "image.repository=localhost:5000/team_a/turn-out",
        "image.repository=Registry.example.com/a/b.c",
        "image.tag=null",
        "serviceAccount.name=rail.way-1",
        "resources.limits.ephemeral-storage=1.5Gi",
        "resources.requests=null",
        f"settings.lease.renewSeconds={LEASE.duration_seconds - 1}",
        "podLabels.app\\.kubernetes\\.io/part-of=x",
        "podSecurityContext.runAsUser=null",
    ],
)
def test_values_that_look_unusual_are_good(argument: str) -> None:
    assert helm("template", "turnout", CHART, "--set", argument).stdout


def test_settings_of_the_documentation_are_good_values(tmp_path: Path) -> None:
    """And arrive as the controller reads them. What the values do not enable is kept out as well."""
    block = next(block for block in pages.read("docs/operator.md") if block.file == "settings.yaml")
    file = tmp_path / "values.yaml"
    given = yaml.safe_load(block.text)
    file.write_text(yaml.safe_dump({"settings": given}), encoding="utf-8")
    settings = only(objects(f"--values={file}"), "ConfigMap", "turnout-settings")
    arrived = yaml.safe_load(settings["data"]["settings.yaml"])
    assert arrived["pluginNames"].pop("block") == ["deployment", "envoy", "gateway-api"]
    del given["pluginNames"]["block"]
    assert Settings.of(arrived) == Settings.of(given)


def test_what_is_not_enabled_is_kept_out_besides_what_the_settings_keep_out() -> None:
    arguments = ("--set=settings.pluginNames.block={canary}", "--set=environments.deployment.enabled=true")
    settings = only(objects(*arguments), "ConfigMap", "turnout-settings")["data"]["settings.yaml"]
    assert yaml.safe_load(settings) == {"pluginNames": {"block": ["canary", "envoy", "gateway-api"]}}
