"""`turnout template` at the prompt: what goes to stdout, what to stderr, and the exit code."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tests.template import golden
from turnout import loading
from turnout.cli.template import command

TUTORIAL = golden.values_file("tutorial-initialize")


def run(*arguments: str, stdin: str | bytes | None = None) -> Result:
    return CliRunner().invoke(command, arguments, input=stdin)


def test_values_come_from_standard_input() -> None:
    result = run("-f", "-", stdin=TUTORIAL.read_text())
    assert result.output == golden.manifests("tutorial-initialize")


def test_several_files_are_merged(tmp_path: Path) -> None:
    other = tmp_path / "other.yaml"
    other.write_text("trafficStrategy: mirror\nmirrorPercentage: 12.5\n")
    assert run("-f", str(TUTORIAL), "-f", str(other)).output == golden.manifests("mirror-percentage")


def test_values_come_from_arguments() -> None:
    result = run("-f", str(TUTORIAL), "--set", "trafficStrategy=mirror", "--set", "mirrorPercentage=12.5")
    assert result.output == golden.manifests("mirror-percentage")


@pytest.mark.parametrize("environment", ["kserve", "deployment"])
def test_values_may_name_any_environment_that_is_installed(environment: str) -> None:
    result = run("-f", str(TUTORIAL), "--set", f"targetEnv={environment}")
    expected = golden.manifests("tutorial-initialize")
    assert result.output == expected.replace("targetEnv: kserve-modelmesh", f"targetEnv: {environment}")


@pytest.mark.parametrize(
    ("stdin", "said"),
    [
        pytest.param("", "Error: standard input: is empty, expected keys and values", id="empty"),
        pytest.param("- a", 'Error: standard input: found ["a"], expected keys and values', id="list"),
        pytest.param("{", "Error: standard input: is not YAML", id="no YAML"),
        pytest.param(b"\xff\xfe", "Error: standard input: is not UTF-8 text", id="not UTF-8"),
        pytest.param(
            TUTORIAL.read_text() + "modelNames: a",
            'Error: standard input: unknown field "modelNames"; did you mean "modelName"?',
            id="unknown key",
        ),
    ],
)
def test_bad_values_are_one_line_on_stderr(stdin: str | bytes, said: str) -> None:
    result = run("-f", "-", stdin=stdin)
    assert result.stderr.startswith(said)
    assert (result.stdout, result.stderr.count("\n"), result.exit_code) == ("", 1, 2)


def test_an_unreadable_file_is_one_line_on_stderr(tmp_path: Path) -> None:
    file = tmp_path / "secret.yaml"
    file.write_text("a: 1")
    file.chmod(0)
    if _readable(file):
        pytest.skip("this user reads everything")
    result = run("-f", str(file))
    assert (result.stdout, result.stderr, result.exit_code) == (
        "",
        f"Error: {file}: cannot be read: Permission denied\n",
        2,
    )


def _readable(file: Path) -> bool:
    try:
        file.read_bytes()
    except PermissionError:
        return False
    return True


def test_a_missing_file_is_one_line_on_stderr(tmp_path: Path) -> None:
    result = run("-f", str(tmp_path / "values.yaml"))
    assert result.stderr == f"Error: {tmp_path / 'values.yaml'}: cannot be read: No such file or directory\n"
    assert (result.stdout, result.exit_code) == ("", 2)


def test_no_values_at_all_are_wrong_usage() -> None:
    result = run()
    assert (result.exit_code, result.stdout) == (2, "")
    assert "no values: give -f FILE, -f - or --set KEY=VALUE" in result.stderr


def test_the_names_of_plugins_are_looked_up_only_where_values_name_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Finding plugins takes longer than everything else that the command does."""
    monkeypatch.setattr(loading, "load", lambda: pytest.fail("looked up"))
    assert run("-f", str(TUTORIAL)).exit_code == 0


def test_an_unknown_strategy_is_compared_with_all_plugins() -> None:
    result = run("-f", str(TUTORIAL), "--set", "trafficStrategy=mirrors")
    assert (
        'trafficStrategy: found "mirrors", expected blue-green, canary or mirror; did you mean "mirror"?'
        in (result.stderr)
    )
