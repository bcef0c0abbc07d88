"""The program around the subcommands: what help costs, and how errors end."""

import os
import subprocess
import sys

import pytest
import yaml
from click.testing import CliRunner

from tests.cli.commands import program
from turnout import __version__
from turnout.cli import main

IMPORTS = """
import sys
sys.argv = ["turnout", {argument!r}]
from turnout.cli import main
try:
    main()
except SystemExit:
    print(*sorted(name.partition(".")[0] for name in sys.modules), file=sys.stderr)
"""

ENDINGS = {
    "fine": (0, "fine\n", ""),
    "unwell": (1, "", ""),
    "invalid": (2, "", "Error: RoutingPolicy default/wisdom: spec.router: unknown router\n"),
    "unreadable": (2, "", "Error: /nowhere/at/all: No such file or directory\n"),
    "cluster": (3, "", "Error: no answer from https://localhost:6443\n"),
    "interrupted": (130, "", "\n"),
}


def shell(command: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    return subprocess.run(
        ["bash", "-c", command], capture_output=True, text=True, check=False, env=environment
    )


@pytest.mark.parametrize("argument", ["--help", "--version", "no-such-command"])
def test_help_and_usage_errors_import_no_subcommand(argument: str) -> None:
    script = IMPORTS.format(argument=argument)
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    imported = set(done.stderr.splitlines()[-1].split())
    assert imported.isdisjoint({"pydantic", "asyncio", "kubernetes", "pluggy", "yaml", "aiohttp"})


def test_help_lists_every_command_under_its_section() -> None:
    text = CliRunner().invoke(main, ["--help"]).stdout

    assert [line for line in text.splitlines() if line[:1].isupper() and line.endswith(":")] == [
        "Options:",
        *(f"{section}:" for section in main.sections),
        "Exit codes:",
    ]
    for name, lazy in main.lazy.items():
        assert f"  {name.ljust(10)}  {lazy.summary}" in text


@pytest.mark.parametrize("name", main.lazy)
def test_every_command_shows_examples_as_they_are_typed(name: str) -> None:
    text = CliRunner().invoke(main, [name, "--help"]).stdout

    assert f"\nExamples:\n  turnout {name}" in text or f"\nExamples:\n  source <(turnout {name}" in text


@pytest.mark.parametrize("name", main.lazy)
def test_every_command_says_what_it_does(name: str) -> None:

    assert main.lazy[name].load().help


def test_examples_are_not_wrapped() -> None:
    text = CliRunner().invoke(program, ["fine", "--help"], terminal_width=60).stdout

    assert text.endswith("\nExamples:\n  turnout fine --with a-very-long-line " + "x" * 80 + "\n")


def test_the_version() -> None:
    assert CliRunner().invoke(main, ["--version"]).stdout == f"turnout {__version__}\n"


def test_under_kubectl_it_goes_by_kubectls_name() -> None:
    script = "import sys; sys.argv = {!r}; from turnout.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", script.format(["/usr/local/bin/kubectl-turnout", "plugins", "--help"])],
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout.startswith("Usage: kubectl turnout plugins ")
    assert "\n  kubectl turnout plugins\n" in done.stdout


def test_a_misspelt_command_gets_a_hint() -> None:
    result = CliRunner().invoke(main, ["plugns"])

    assert result.exit_code == 2
    assert 'There is no command "plugns". Did you mean "plugins"?' in result.stderr


@pytest.mark.parametrize(("name", "ending"), ENDINGS.items(), ids=ENDINGS.keys())
def test_exit_codes_and_what_is_said(name: str, ending: tuple[int, str, str]) -> None:
    result = CliRunner().invoke(program, [name])

    assert (result.exit_code, result.stdout, result.stderr) == ending


@pytest.mark.parametrize("name", ["bug", "missing"])
def test_an_error_of_turnout_itself_is_one_line_that_says_what_to_do(name: str) -> None:
    result = CliRunner().invoke(program, [name], env={"TURNOUT_DEBUG": None})

    assert result.exit_code == 70
    assert len(result.stderr.splitlines()) == 1
    assert "Traceback" not in result.stderr
    assert "Please report it with the output of TURNOUT_DEBUG=1 turnout" in result.stderr


def test_an_unforeseen_error_is_named() -> None:
    assert (
        "an error in turnout: ValueError: something unforeseen."
        in CliRunner().invoke(program, ["bug"]).stderr
    )


def test_the_traceback_is_there_for_those_who_ask() -> None:
    result = CliRunner().invoke(program, ["bug"], env={"TURNOUT_DEBUG": "1"})

    assert result.exit_code == 70
    assert "Traceback (most recent call last)" in result.stderr


def test_a_reader_that_stops_early_hears_no_complaint() -> None:
    done = shell(f"{sys.executable} -m tests.cli.commands talkative | head -1; echo ${{PIPESTATUS[0]}}")

    assert (done.stdout, done.stderr) == ("y\n141\n", "")


def test_the_definitions_are_valid_yaml_for_kubectl() -> None:
    documents = list(yaml.safe_load_all(CliRunner().invoke(main, ["crds"]).stdout))

    assert {document["kind"] for document in documents} == {"CustomResourceDefinition"}
    assert [document["spec"]["names"]["kind"] for document in documents] == [
        "RoutingPolicy",
        "TrafficWeights",
    ]
