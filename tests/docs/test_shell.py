"""Commands run as a reader would run them, and what they print is compared with what is shown."""

from pathlib import Path

import pytest

from tests.docs.pages import blocks
from tests.docs.play import environment, play, prepare
from tests.docs.shell import Command, Shell, agrees, commands


@pytest.mark.parametrize(
    ("shown", "printed", "verdict"),
    [
        pytest.param("a\nb", "a\nb\n", True, id="equal"),
        pytest.param("a", "b\n", False, id="other"),
        pytest.param("a", "a\nb\n", False, id="more-than-shown"),
        pytest.param("took … s", "took 1.8 s\n", True, id="part-of-a-line"),
        pytest.param("took … s", "took\n1 s\n", False, id="never-over-a-line's-end"),
        pytest.param("a\n…\nz", "a\nb\nc\nz\n", True, id="lines"),
        pytest.param("a\n…\nz", "a\nz\n", True, id="no-lines"),
        pytest.param("a (b)", "a (b)   \n", True, id="blanks-at-the-end"),
        pytest.param("", "", True, id="nothing"),
        pytest.param("", "a\n", False, id="nothing-shown"),
    ],
)
def test_shown_output_has_to_be_what_is_printed(shown: str, printed: str, verdict: bool) -> None:
    assert agrees(shown, printed) is verdict


def test_block_is_commands_with_their_output() -> None:
    block = "$ cat <<E\n> a\n> E\na\n$ true\n"

    assert list(commands(block)) == [Command("cat <<E\na\nE", "a"), Command("true", "")]


def test_output_without_a_command_is_an_error() -> None:
    with pytest.raises(ValueError, match="no command before: a"):
        list(commands("a\n$ true\n"))


def played(page: str, folder: Path) -> None:
    prepare(folder)
    with Shell(folder, environment(folder)) as shell:
        play(shell, blocks("page.md", page), cluster=False)


@pytest.mark.parametrize(
    ("block", "complaint"),
    [
        pytest.param("$ echo a\nb\n", "printed .exit status 0.:\na\n", id="another-output"),
        pytest.param("$ false\n", "page.md:1: `false` failed", id="failure"),
        pytest.param("$ false\n$ true\n", "page.md:1: `false` failed", id="failure-before-another"),
        pytest.param("$ exit 3\n", "`exit 3` ended the shell", id="end-of-the-shell"),
    ],
)
def test_page_that_is_not_so_fails(block: str, complaint: str, tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match=complaint):
        played(f"```console\n{block}```\n", tmp_path)


def test_failure_may_be_shown(tmp_path: Path) -> None:
    played("```console\n$ (exit 3)\n$ echo $?\n3\n```\n", tmp_path)


def test_folder_variables_and_files_last_for_the_page(tmp_path: Path) -> None:
    page = "```console\n$ mkdir a && cd a && b=c\n```\n\n`f.yaml`:\n\n```yaml\nx: 1\n```\n\n```console\n$ cat f.yaml; echo $b\nx: 1\nc\n```\n"
    played(page, tmp_path)


def test_file_shown_has_to_be_the_one_that_is_there(tmp_path: Path) -> None:
    page = "```console\n$ cd core/turnout/demo/tutorial\n```\n\n`1-primary.yaml`:\n\n```yaml\nkind: x\n```\n"
    with pytest.raises(AssertionError, match=r"1-primary\.yaml has other text"):
        played(page, tmp_path)
