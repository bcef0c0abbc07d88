"""Envoy itself says that what is written is right: the bootstrap, and all that the golden files hold."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.golden.cases import FOLDER
from tests.golden.test_golden import read
from turnout_envoy.deployment import bootstrap
from turnout_envoy.local import mount

FILES = sorted(file.relative_to(FOLDER).as_posix() for file in FOLDER.glob("*/envoy*.yaml"))


def validated(program: Path, configuration: dict[str, Any]) -> str:
    """Envoy's verdict; empty if nothing is wrong."""
    command = [str(program), "--mode", "validate", "--config-yaml", json.dumps(configuration)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    return "" if done.returncode == 0 else done.stderr


def with_routes(routes: dict[str, Any]) -> dict[str, Any]:
    """The bootstrap, with these routes in place of those it would read: Envoy validates no file of routes."""
    found: dict[str, Any] = yaml.safe_load(bootstrap())
    (listener,) = found["static_resources"]["listeners"]
    manager = listener["filter_chains"][0]["filters"][0]["typed_config"]
    del manager["rds"]
    manager["route_config"] = {key: value for key, value in routes.items() if key != "@type"}
    return found


def test_the_bootstrap_is_valid_and_says_nothing_that_is_going_away(program: Path, tmp_path: Path) -> None:
    mount(tmp_path, read("mirror/envoy.yaml")["ConfigMap"]["data"])
    configuration = yaml.safe_load(bootstrap().replace("/etc/turnout/routes", str(tmp_path)))
    strict = {"name": "strict", "static_layer": {"envoy.features.fail_on_any_deprecated_feature": True}}

    assert validated(program, {**configuration, "layered_runtime": {"layers": [strict]}}) == ""


@pytest.mark.parametrize("file", FILES)
def test_golden_routes_are_valid(file: str, program: Path) -> None:
    (routes,) = json.loads(read(file)["ConfigMap"]["data"]["routes.json"])["resources"]

    assert validated(program, with_routes(routes)) == ""


def test_there_are_golden_routes_of_every_strategy() -> None:
    assert {file.split("/")[0] for file in FILES} == {"blue-green", "canary", "mirror"}


def test_routes_that_are_wrong_would_be_told(program: Path) -> None:
    (routes,) = json.loads(read("canary/envoy-matches.yaml")["ConfigMap"]["data"]["routes.json"])["resources"]
    routes["virtual_hosts"][0]["routes"][0]["match"]["headers"] = [
        {"name": "a", "string_match": {"safe_regex": {"regex": "("}}}
    ]

    assert "missing )" in validated(program, with_routes(routes))
