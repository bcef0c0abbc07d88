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


CELL = """<!-- notebook -->
```python
import asyncio
await asyncio.sleep(0)
print(CELL)
```

<!-- notebook -->
```text
1
```
"""


@pytest.mark.parametrize("awaits", ["await asyncio.sleep(0)", ""])
def test_cell_of_a_notebook_may_await(awaits: str, tmp_path: Path) -> None:
    played(CELL.replace("await asyncio.sleep(0)", awaits).replace("CELL", "1"), tmp_path)


@pytest.mark.parametrize(
    ("said", "complaint"),
    [("2", r"page\.md:9: printed\n2"), ("1 / 0", "the cell failed: .*ZeroDivisionError")],
)
def test_cell_that_is_not_so_fails(said: str, complaint: str, tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match=f"(?s){complaint}"):
        played(CELL.replace("CELL", said), tmp_path)


def test_failure_may_be_shown(tmp_path: Path) -> None:
    played("```console\n$ (exit 3)\n$ echo $?\n3\n```\n", tmp_path)


def test_folder_variables_and_files_last_for_the_page(tmp_path: Path) -> None:
    page = "```console\n$ mkdir a && cd a && b=c\n```\n\n`f.yaml`:\n\n```yaml\nx: 1\n```\n\n```console\n$ cat f.yaml; echo $b\nx: 1\nc\n```\n"
    played(page, tmp_path)


def test_file_shown_has_to_be_the_one_that_is_there(tmp_path: Path) -> None:
    page = "```console\n$ cd core/turnout/demo/tutorial\n```\n\n`1-primary.yaml`:\n\n```yaml\nkind: x\n```\n"
    with pytest.raises(AssertionError, match=r"1-primary\.yaml has other text"):
        played(page, tmp_path)


def test_what_runs_in_the_background_ends_where_the_page_says_so(tmp_path: Path) -> None:
    """By SIGTERM, and it has ended by then."""
    script = "trap 'exit 0' TERM; echo $$ > pid; while :; do sleep 0.05; done"
    with Shell(tmp_path, environment(tmp_path)) as shell:
        shell.start(f'bash -c "{script}"'.replace("$$", "\\$\\$"), tmp_path / "log")
        assert shell.run("until [ -s pid ]; do sleep 0.05; done; kill -0 $(cat pid)")[1] == 0
        shell.stop()
        assert shell.run("kill -0 $(cat pid) 2> /dev/null")[1] != 0


def test_what_ended_badly_in_the_background_is_told(tmp_path: Path) -> None:
    with Shell(tmp_path, environment(tmp_path)) as shell:
        shell.start("bash -c 'trap \"exit 3\" TERM; while :; do sleep 0.05; done'", tmp_path / "log")
        shell.run("sleep 0.3")
        with pytest.raises(AssertionError, match="ended with 3"):
            shell.stop()
