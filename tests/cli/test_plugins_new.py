"""`turnout plugins new`: what it writes can be installed, is found, and passes its own tests."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tests.toys.distributions import SitePackages, site_packages
from turnout.cli import main

__all__ = ["site_packages"]

PIP = ("-m", "pip", "install", "--quiet", "--no-index", "--no-build-isolation", "--no-deps", "--target")
LIST = ("-c", "from turnout.cli import main; main(['plugins'])")


def new(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, ["plugins", "new", *map(str, arguments)])


def python(*arguments: str, folder: Path, site: Path) -> str:
    """What Python says, which has to end well. What is in `site` is installed, for it alone."""
    path = os.pathsep.join([str(site), *filter(None, [os.environ.get("PYTHONPATH")])])
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": path, "PIP_DISABLE_PIP_VERSION_CHECK": "1"},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("environment", "3d-models"),
        ("strategy", "none"),
        ("router", "options"),
        ("probe", "in-force"),
        ("admission-check", "owned"),
        ("gate", "week-days"),
        ("notifier", "post"),
    ],
)
def test_what_is_written_installs_is_found_and_passes_its_tests(kind: str, name: str, tmp_path: Path) -> None:
    folder, site = tmp_path / f"turnout-{name}", tmp_path / "site"

    result = new(name, "--kind", kind, "--to", tmp_path)

    assert result.exit_code == 0, result.output
    assert str(folder / "pyproject.toml") in result.stdout
    python(*PIP, str(site), str(folder), folder=tmp_path, site=site)
    assert f"\n  {name} (turnout-{name} 0.1)\n" in python(*LIST, folder=tmp_path, site=site)
    assert " passed in " in python("-m", "pytest", "-q", folder=folder, site=site)


def test_a_strategy_is_what_most_will_write(tmp_path: Path) -> None:
    assert new("shadow", "--to", tmp_path / "new" / "folder").exit_code == 0

    module = tmp_path / "new/folder/turnout-shadow/src/turnout_shadow/__init__.py"
    assert "class ShadowStrategy(Strategy[ShadowOptions]):" in module.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["Shadow", "my_shadow", "-shadow", "a.b", "../shadow", "s" * 64, ""])
def test_a_name_that_is_no_dns_label_is_refused(name: str, tmp_path: Path) -> None:
    result = new("--to", tmp_path, "--", name)

    assert result.exit_code == 2
    assert f'Error: NAME: found "{name[:20]}' in result.stderr
    assert "expected a DNS label" in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_the_name_of_an_installed_plugin_of_any_axis_is_refused(tmp_path: Path) -> None:
    result = new("istio", "--kind", "strategy", "--to", tmp_path)

    assert result.exit_code == 2
    assert 'Error: NAME: "istio" is taken by an installed plugin, istio (turnout ' in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_name_that_two_others_claim_is_refused(site_packages: SitePackages, tmp_path: Path) -> None:
    for distribution in ("turnout-toys", "turnout-more"):
        site_packages.install(distribution, "from tests.toys.plugin import *\n")

    result = new("toy-steps", "--to", tmp_path / "to")

    assert result.exit_code == 2
    assert '"toy-steps" is taken by an installed plugin' in result.stderr


def test_nothing_is_written_over_what_is_there(tmp_path: Path) -> None:
    mine = tmp_path / "turnout-shadow" / "mine.txt"
    mine.parent.mkdir()
    mine.write_text("mine")

    result = new("shadow", "--to", tmp_path)

    assert result.exit_code == 2
    assert f"Error: {mine.parent} exists" in result.stderr
    assert list(mine.parent.iterdir()) == [mine]


def test_options_of_the_list_are_not_for_a_new_plugin(tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["plugins", "-o", "json", "new", "shadow", "--to", str(tmp_path)])

    assert result.exit_code == 2
    assert "are for the list, not for new" in result.stderr
    assert list(tmp_path.iterdir()) == []
