"""Commands that other distributions bring along."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tests.toys.distributions import SitePackages, site_packages
from turnout.cli import main

__all__ = ["site_packages"]

HELLO = """
import click

@click.command()
@click.option("--to", default="you")
def hello(to):
    "Say hello."
    click.echo(f"hello, {to}")
"""


@pytest.fixture(autouse=True)
def looked_anew() -> Iterator[None]:
    """What is installed is other than before each test, and than after it."""
    main.__dict__.pop("others", None)
    yield
    main.__dict__.pop("others", None)


def install(site: SitePackages, name: str, source: str = HELLO, command: str = "hello") -> None:
    module = name.replace("-", "_")
    site.install(name, source, entry_points={command: f"{module}:hello"}, group="turnout.commands")


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, list(arguments))


def test_it_runs_as_any_other(site_packages: SitePackages) -> None:
    install(site_packages, "turnout-hello")
    assert run("hello", "--to", "me").output == "hello, me\n"
    assert "Usage: turnout hello [OPTIONS]" in run("hello", "--help").output


def test_it_is_listed_and_completed(site_packages: SitePackages) -> None:
    install(site_packages, "turnout-hello")
    assert "Commands of plugins:\n  hello " in run("--help").output
    assert "From turnout-hello." in run("--help").output
    assert 'Did you mean "hello"?' in run("helo").output


def test_no_list_of_the_settings_keeps_it_out_and_no_other_command_imports_it(
    site_packages: SitePackages, tmp_path: Path
) -> None:
    """Such as the controller, which has no use for it."""
    install(site_packages, "turnout-hello")
    settings = tmp_path / "settings.yaml"
    settings.write_text("distributions: {allow: [turnout], block: [turnout-hello]}")

    listed = run("plugins", "--settings", str(settings))

    assert "\nCommands (turnout NAME):\n  hello (turnout-hello)\n" in listed.output
    assert "\nNot allowed by the settings:\n  turnout-hello: distributions\n" in listed.output
    assert run("plugins", "--settings", str(settings), "--strict").exit_code == 1
    assert "turnout_hello" not in sys.modules
    assert run("hello").output == "hello, you\n"


def test_without_any_nothing_is_listed() -> None:
    assert "Commands of plugins" not in run("--help").output


def test_it_cannot_take_the_name_of_turnouts_own(site_packages: SitePackages) -> None:
    install(site_packages, "turnout-hello", command="plan")
    assert "hello" not in run("plan", "--help").output
    listed = run("plugins")
    assert listed.exit_code == 1
    assert "turnout-hello (plan)\n    the command plan: turnout has one of that name" in listed.output


def test_of_two_of_one_name_there_is_none(site_packages: SitePackages) -> None:
    install(site_packages, "turnout-hello")
    install(site_packages, "turnout-howdy")
    told = "the command hello is claimed by turnout-hello and turnout-howdy: neither gets it; uninstall the other"
    assert f"There is no command: {told}." in run("hello").output
    assert told in " ".join(run("plugins").output.split())


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("import a_library_that_nobody_has", "cannot be imported: ModuleNotFoundError: No module named"),
        ("raise SystemExit(3)", "cannot be imported: SystemExit: 3"),
        ("", "cannot be imported: AttributeError: "),
        ("hello = print", "is turnout_hello:hello, which is no click command"),
    ],
    ids=["no library", "exits", "nothing there", "no command"],
)
def test_one_that_is_broken_harms_only_itself(site_packages: SitePackages, source: str, told: str) -> None:
    install(site_packages, "turnout-hello", source)
    result = run("hello")
    assert result.exit_code == 1
    assert result.output.startswith("Error: the command hello of turnout-hello ")
    assert told in result.output
    assert run("--help").exit_code == 0


def test_what_it_raises_is_its_own_fault(
    site_packages: SitePackages, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(site_packages, "turnout-hello", HELLO + "    raise ValueError(to)\n")
    result = run("hello")
    assert result.exit_code == 1
    assert result.output == "hello, you\nError: the command hello of turnout-hello raised ValueError: you\n"
    monkeypatch.setenv("TURNOUT_DEBUG", "1")
    assert "Traceback" in run("hello").output
