"""The settings file: what it may say, and what is said when it says something else."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import field_validator

from tests.toys import ToyHosts, ToyProbe, ToySteps, ToyTable
from turnout.errors import Invalid
from turnout.loading import Registry
from turnout.plugin import Options
from turnout.settings import Settings

FULL = """
allowNamespaces:
  team-a: [models, shared]
  "*": [public]
clusterDomain: example.internal
distributions: {allow: [turnout], block: [turnout-old]}
plugins:
  toy-hosts:
    defaults: {port: 8080}
    fixed: {gateway: internal}
drain: {enabled: false, inFlightSeconds: 1.5, limitSeconds: 30, propagationSeconds: {toy-table: 120}}
"""

WRONG: dict[str, tuple[Any, str]] = {
    "a list": ([], "settings: found [], expected an object"),
    "an unknown key": ({"alowNamespaces": {}}, 'unknown field "alowNamespaces"; did you mean "allowNamespaces"?'),
    "snake case": ({"cluster_domain": "x"}, 'unknown field "cluster_domain"; did you mean "clusterDomain"?'),
    "a namespace": ({"allowNamespaces": {"Team": []}}, 'allowNamespaces: found key "Team", expected the name of'),
    "any target": ({"allowNamespaces": {"a": ["*"]}}, 'allowNamespaces.a[0]: found "*", expected the name of a namespace'),
    "a domain": ({"clusterDomain": "a..b"}, 'clusterDomain: found "a..b", expected a domain name'),
    "negative": ({"drain": {"limitSeconds": -1}}, "drain.limitSeconds: found -1, expected a number of seconds"),
    "endless": ({"drain": {"limitSeconds": float("inf")}}, "drain.limitSeconds: found Infinity, expected a number"),
    "both": (
        {"plugins": {"toy": {"defaults": {"port": 1}, "fixed": {"port": 2}}}},
        "plugins.toy.defaults.port: found 1, expected nothing: the option is fixed",
    ),
}  # fmt: skip


@pytest.fixture
def full(tmp_path: Path) -> Settings:
    file = tmp_path / "settings.yaml"
    file.write_text(FULL)
    return Settings.read(file)


@pytest.fixture
def toys() -> Registry:
    return Registry.of(ToyHosts(), ToySteps(), ToyTable())


def test_everything_has_a_default() -> None:
    settings = Settings()

    assert settings.cluster_domain == "cluster.local"
    assert settings.distributions.allow is None
    assert settings.drain.enabled
    assert settings.drain.in_flight == timedelta(seconds=5)


def test_an_empty_file_is_all_defaults(tmp_path: Path) -> None:
    file = tmp_path / "settings.yaml"
    file.write_text("# nothing yet\n")

    assert Settings.read(file) == Settings()


def test_a_file_that_is_not_yaml_is_named(tmp_path: Path) -> None:
    file = tmp_path / "settings.yaml"
    file.write_text("a: [")

    with pytest.raises(Invalid, match=r"settings\.yaml: is not YAML: .* \(line 1, column 5\)"):
        Settings.read(file)


@pytest.mark.parametrize(("document", "message"), WRONG.values(), ids=WRONG.keys())
def test_what_is_wrong_is_named_with_its_place(document: Any, message: str) -> None:
    with pytest.raises(Invalid) as caught:
        Settings.of(document)

    assert message in str(caught.value)


def test_a_policy_reaches_its_own_namespace_and_what_is_allowed(full: Settings) -> None:
    assert full.allowed_namespaces("team-a") == {"team-a", "models", "shared", "public"}
    assert full.allowed_namespaces("team-b") == {"team-b", "public"}


def test_nothing_else_is_allowed_by_default() -> None:
    assert Settings().allowed_namespaces("team-a") == {"team-a"}


def test_a_routers_propagation_may_be_set(full: Settings) -> None:
    assert full.drain.propagation(ToyTable()) == timedelta(seconds=120)


def test_a_routers_own_propagation_holds_otherwise() -> None:
    assert Settings().drain.propagation(ToyTable()) == timedelta(seconds=90)


def test_settings_that_fit_the_installed_plugins_have_no_problems(full: Settings, toys: Registry) -> None:
    assert list(full.problems(toys)) == []


def test_settings_for_plugins_that_are_not_there_are_problems(toys: Registry) -> None:
    settings = Settings.of({"plugins": {"toy-host": {}}, "drain": {"propagationSeconds": {"toy-steps": 1}}})

    assert [str(problem).partition("; ")[0] for problem in settings.problems(toys)] == [
        'plugins.toy-host: unknown plugin "toy-host"',
        'drain.propagationSeconds.toy-steps: unknown router "toy-steps"',
    ]


def test_values_that_a_plugin_does_not_understand_are_problems(toys: Registry) -> None:
    settings = Settings.of(
        {"plugins": {"toy-hosts": {"defaults": {"port": "high"}, "fixed": {"gatway": "x"}}}}
    )

    assert [str(problem) for problem in settings.problems(toys)] == [
        'plugins.toy-hosts.defaults.port: found "high", expected an integer 1..65535',
        'plugins.toy-hosts.fixed: unknown field "gatway"; did you mean "gateway"?',
    ]


class Careless(Options):
    """Its validator expects a list, and says nothing of other values."""

    ports: Any = None

    @field_validator("ports")
    @classmethod
    def _first(cls, ports: Any) -> Any:
        return ports and ports[0]


@pytest.mark.parametrize("axis", [ToyHosts, ToyProbe])
def test_a_validator_that_fails_is_one_problem_of_its_plugin(axis: type[Any]) -> None:
    """And the others are told all the same."""
    plugin = type("Broken", (axis,), {"name": "broken", "options": Careless})()
    settings = Settings.of(
        {"plugins": {"broken": {"fixed": {"ports": 80}}, "toy-table": {"fixed": {"kee": "x"}}}}
    )
    registry = Registry.of(plugin, ToyTable())

    assert [str(problem) for problem in settings.problems(registry)] == [
        "plugins.broken: plugin broken: options raised TypeError: 'int' object is not subscriptable",
        'plugins.toy-table.fixed: unknown field "kee"; did you mean "key"?',
    ]
    assert list(settings.in_use(registry.probes)) == []


PROBES: dict[str, tuple[Any, list[str]]] = {
    "nothing": ({}, ["plugins.toy-probe.fixed.address: missing, expected a string"]),
    "a default": ({"defaults": {"address": "a:80"}}, []),
    "fixed": ({"fixed": {"address": "a:80"}}, []),
    "wrong": (
        {"defaults": {"address": 7}},
        ["plugins.toy-probe.defaults.address: found 7, expected a string"],
    ),
}


@pytest.mark.parametrize(("given", "told"), PROBES.values(), ids=PROBES.keys())
def test_a_probe_has_all_its_options_from_the_settings(given: Any, told: list[str]) -> None:
    """Nothing else can complete them; without all of them it is not in use."""
    settings, probe = Settings.of({"plugins": {"toy-probe": given}}), ToyProbe()
    istio = type("Istio", (ToyTable,), {"name": "istio"})()

    assert [str(problem) for problem in settings.problems(Registry.of(probe, istio))] == told
    assert (settings.options_of(probe)[0] is None) == bool(told)


def test_a_probe_without_an_entry_is_not_in_use() -> None:
    assert Settings().options_of(ToyProbe()) == (None, ())


def test_a_probe_whose_router_is_not_installed_is_a_problem() -> None:
    settings = Settings.of({"plugins": {"toy-probe": {"fixed": {"address": "a:80"}}}})

    assert [str(problem) for problem in settings.problems(Registry.of(ToyProbe()))] == [
        'plugins.toy-probe: has no routes to ask about: unknown router "istio"; installed: none'
    ]


@pytest.mark.parametrize(
    ("drain", "needed", "limit"),
    [({}, 30, 60), ({}, 135, 135), ({"limitSeconds": 20}, 135, 20), ({"limitSeconds": 90}, 30, 90)],
    ids=["by default", "as long as a slow router needs", "less if it is said", "more if it is said"],
)
def test_the_limit_of_a_drain(drain: dict[str, Any], needed: float, limit: float) -> None:
    assert Settings.of({"drain": drain}).drain.limit(needed) == limit
