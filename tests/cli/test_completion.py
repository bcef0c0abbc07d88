"""Completion in shells, and under kubectl in kubectl's own protocol."""

import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from turnout.cli import main
from turnout.cli.completion import candidates

PROGRAM = f"#!{sys.executable}\nimport sys\nfrom turnout.cli{{module}} import {{function}}\n{{function}}()\n"


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """A folder with the console scripts, as an installer writes them."""
    for name, module, function in (
        ("turnout", "", "main"),
        ("kubectl-turnout", "", "main"),
        ("kubectl_complete-turnout", ".completion", "kubectl_complete"),
    ):
        script = tmp_path / name
        script.write_text(PROGRAM.format(module=module, function=function))
        script.chmod(script.stat().st_mode | stat.S_IXUSR)
    return tmp_path


def run(*command: str, path: Path) -> str:
    environment = {**os.environ, "PATH": f"{path}:{os.environ['PATH']}"}
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_has_a_script_that_asks_the_program(shell: str) -> None:
    text = CliRunner().invoke(main, ["completion", shell]).stdout

    assert f"_TURNOUT_COMPLETE={shell}_complete" in text


def test_bash_completes_a_command(installed: Path) -> None:
    script = """
        source <(turnout completion bash)
        COMP_WORDS=(turnout pl) COMP_CWORD=1
        _turnout_completion turnout
        echo "${COMPREPLY[@]}"
    """

    assert run("bash", "-c", script, path=installed) == "plan plugins\n"


def test_candidates_have_descriptions_and_end_with_the_directive() -> None:
    assert candidates([], "plu") == ["plugins\tList the plugins that are installed.", ":4"]


def test_values_of_an_option_are_candidates() -> None:
    assert candidates(["plugins", "-o"], "j") == ["json", ":4"]


def test_where_a_file_is_wanted_the_shell_completes_it() -> None:
    assert candidates(["plugins", "--settings"], "") == [":0"]


@pytest.mark.skipif(shutil.which("kubectl") is None, reason="needs kubectl")
def test_kubectl_asks_and_understands(installed: Path) -> None:
    answer = run("kubectl", "__complete", "turnout", "plu", path=installed)

    assert answer.splitlines() == ["plugins\tList the plugins that are installed.", ":4"]


def test_completing_a_commands_name_imports_no_command() -> None:
    script = """
import sys
from turnout.cli.completion import candidates
assert len(candidates([], "")) == len(set(candidates([], ""))) > 5
assert "pydantic" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", script], check=True)
