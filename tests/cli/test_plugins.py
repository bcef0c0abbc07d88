"""`turnout plugins`: what is installed, what is not and why."""

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal

import pytest
import yaml
from click.testing import CliRunner, Result
from pydantic import Field, SecretStr

from tests.toys.distributions import SitePackages, site_packages
from tests.toys.naughty import Raises
from turnout.catalogue import catalogue
from turnout.cli import main
from turnout.loading import Registry
from turnout.plugin import Options

__all__ = ["site_packages"]

TOYS = "from tests.toys.plugin import *\n"


@pytest.fixture
def only(tmp_path: Path) -> Path:
    """Settings that let nothing in but the toys."""
    file = tmp_path / "settings.yaml"
    file.write_text("distributions: {allow: [turnout-toys, turnout-bad]}")
    return file


def plugins(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, ["plugins", *map(str, arguments)])


@pytest.fixture
def toys(site_packages: SitePackages, only: Path) -> dict[str, Any]:
    site_packages.install("turnout-toys", TOYS, version="2.3")
    found: dict[str, Any] = json.loads(plugins("-o", "json", "--settings", only).stdout)
    return found


def test_the_built_in_plugins_are_listed() -> None:
    result = plugins()

    assert result.exit_code == 0
    assert "\n  kserve-modelmesh (turnout " in result.stdout


def test_an_environment_with_what_it_watches(toys: dict[str, Any]) -> None:
    (environment,) = toys["environments"]

    assert {key: environment[key] for key in environment if key != "options"} == {
        "name": "toy-hosts",
        "distribution": "turnout-toys",
        "version": "2.3",
        "summary": "Knative Services, one a version, each with a host of its own.",
        "watches": ["services.serving.knative.dev"],
        "drain": False,
    }


def test_the_options_with_their_types_and_defaults(toys: dict[str, Any]) -> None:
    options = {option["name"]: option for option in toys["environments"][0]["options"]}

    assert (options["port"]["type"], options["port"]["default"]) == ("integer 1..65535", 80)
    assert (options["gateway"]["type"], options["gateway"]["default"]) == ("string", "knative-local-gateway")


def test_a_router_with_what_it_writes_and_carries(toys: dict[str, Any]) -> None:
    (router,) = toys["routers"]

    assert router["writes"] == ["configmaps"]
    assert router["carries"] == ["authority", "authority-per-share", "request-headers", "weights"]
    assert router["propagationSeconds"] == 90


def test_a_probe_with_the_router_whose_routes_it_asks_about(toys: dict[str, Any], only: Path) -> None:
    (probe,) = toys["probes"]

    assert (probe["name"], probe["router"]) == ("toy-probe", "istio")
    text = plugins("--settings", only).stdout
    assert "\nProbes (settings: plugins):\n\n  toy-probe (turnout-toys 2.3)\n    Knows of proxies" in text
    assert "\n    asks about  istio\n    address:    string, required. Where the proxies answer." in text


def test_yaml_says_the_same_as_json(toys: dict[str, Any], only: Path) -> None:
    assert yaml.safe_load(plugins("-o", "yaml", "--settings", only).stdout) == toys


def test_the_table_has_a_row_for_each_option(toys: dict[str, Any], only: Path) -> None:
    text = plugins("--settings", only).stdout

    assert "  toy-steps (turnout-toys 2.3)\n    Moves the traffic to the first candidate" in text
    assert "    step:      integer 1..100, default 10." in text


def test_what_could_not_be_loaded_is_listed_and_not_well(site_packages: SitePackages, only: Path) -> None:
    site_packages.install("turnout-bad", "raise SystemExit(3)")

    result = plugins("--settings", only)

    assert result.exit_code == 1
    assert '  turnout-bad (plugin)\n    "turnout_bad" cannot be imported: SystemExit: 3' in result.stdout


def test_failures_are_data_as_well(site_packages: SitePackages, only: Path) -> None:
    site_packages.install("turnout-bad", "raise SystemExit(3)")

    (failure,) = json.loads(plugins("-o", "json", "--settings", only).stdout)["failures"]

    assert failure == {
        "distribution": "turnout-bad",
        "entryPoint": "plugin",
        "plugin": None,
        "message": '"turnout_bad" cannot be imported: SystemExit: 3',
    }


def test_what_the_settings_keep_out_is_listed(toys: dict[str, Any]) -> None:
    assert "turnout" in toys["skipped"]


LISTS = """
distributions: {allow: [turnout-toys]}
pluginNames: {allow: {routers: [table]}, block: [toy-steps]}
"""


@pytest.fixture
def lists(site_packages: SitePackages, tmp_path: Path) -> Path:
    """Settings that keep toys out by name, one of them by a misspelt name."""
    site_packages.install("turnout-toys", TOYS, version="2.3")
    file = tmp_path / "lists.yaml"
    file.write_text(LISTS)
    return file


def test_what_is_kept_out_by_name_is_listed_with_the_list(lists: Path) -> None:
    found = json.loads(plugins("-o", "json", "--settings", lists).stdout)

    assert found["strategies"] == found["routers"] == []
    toys = {"distribution": "turnout-toys", "version": "2.3"}
    assert found["keptOut"] == [
        {"name": "toy-steps", "axis": "strategies", **toys, "by": "pluginNames.block"},
        {"name": "toy-table", "axis": "routers", **toys, "by": "pluginNames.allow.routers"},
    ]
    said = plugins("--settings", lists).stdout
    assert "\nNot allowed by the settings:\n" in said
    assert "\n  turnout: distributions\n" in said
    assert "\n  toy-table (turnout-toys 2.3): pluginNames.allow.routers\n" in said


@pytest.mark.parametrize(
    ("lists", "code"),
    [
        ("distributions: {block: [Turnout.Toys]}", 1),
        ("pluginNames: {block: [toy-steps]}", 1),
        ("distributions: {block: [turnout-absent]}", 0),
    ],
)
def test_strictly_nothing_may_be_installed_that_is_kept_out(
    site_packages: SitePackages, tmp_path: Path, lists: str, code: int
) -> None:
    """So the build of an image fails, and not the policies that its controller meets."""
    site_packages.install("turnout-toys", TOYS)
    file = tmp_path / "settings.yaml"
    file.write_text(lists)

    assert plugins("--settings", file).exit_code == 0
    assert plugins("--settings", file, "--strict").exit_code == code


def test_strictness_needs_the_settings() -> None:
    result = plugins("--strict")

    assert (result.exit_code, result.stdout) == (2, "")
    assert "--strict holds what is installed against --settings" in result.stderr


def test_what_fits_no_plugin_is_listed_and_not_well(lists: Path) -> None:
    result = plugins("--settings", lists)

    told = (
        'pluginNames.allow.routers[0]: unknown router "table"; did you mean "toy-table"? installed: toy-table'
    )
    assert result.exit_code == 1
    assert "\nWrong in the settings:\n" in result.stdout
    assert told in " ".join(result.stdout.split())
    (problem,) = json.loads(plugins("-o", "json", "--settings", lists).stdout)["problems"]
    assert f"{problem['path']}: {problem['message']}".startswith(told)


def test_settings_that_cannot_be_used_are_bad_input(tmp_path: Path) -> None:
    file = tmp_path / "settings.yaml"
    file.write_text("distribution: {}")

    result = plugins("--settings", file)

    assert result.exit_code == 2
    assert 'unknown field "distribution"; did you mean "distributions"?' in result.stderr


def test_a_registry_without_plugins_has_a_catalogue() -> None:
    assert catalogue(Registry()) == {
        "environments": [],
        "strategies": [],
        "routers": [],
        "probes": [],
        "admissionChecks": [],
        "gates": [],
        "notifiers": [],
        "failures": [],
        "skipped": [],
        "keptOut": [],
        "problems": [],
    }


def test_types_are_in_words(registry_of_types: Registry) -> None:
    (strategy,) = catalogue(registry_of_types)["strategies"]
    assert {one["name"]: one["type"] for one in strategy["options"]} == {
        "choice": "a or b",
        "wait": "duration in seconds or as PT1M30S",
        "token": "string",
        "call": "function",
        "later": "string",
    }


def test_a_default_that_cannot_be_made_is_told(registry_of_types: Registry) -> None:
    (strategy,) = catalogue(registry_of_types)["strategies"]
    assert strategy["options"][-1]["default"] == "not known here: KeyError"


@pytest.fixture
def registry_of_types() -> Registry:
    class TypedOptions(Options):
        choice: Literal["a", "b"] = "a"
        wait: timedelta = timedelta(seconds=1)
        token: SecretStr = SecretStr("")
        call: Callable[[], int] = int
        later: str = Field(default_factory=lambda: dict[str, str]()["nothing"])

    class Typed(Raises):
        options = TypedOptions

    return Registry.of(Typed())
