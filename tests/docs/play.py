"""Plays a page: saves its files and runs its commands, in their order."""

from collections.abc import Iterable
from pathlib import Path

from tests.docs.pages import Block
from tests.docs.shell import Shell, check, commands

CLUSTER, BACKGROUND, INSTALL = "cluster", "background", "install"
STATUS = "echo $?"
"""What a page asks after a command that fails, to show how it tells."""


def play(shell: Shell, blocks: Iterable[Block], *, cluster: bool) -> None:
    """Play blocks in `shell`; without `cluster` those that need none. Raises AssertionError."""
    for block in blocks:
        if INSTALL in block.marks or (CLUSTER in block.marks and not cluster):
            continue
        if block.language == "console":
            _run(shell, block)
        elif block.file:
            save(shell.folder / block.file, block)


def save(file: Path, block: Block) -> None:
    """Write the file that a page shows. One that is there already has to be the same."""
    if file.exists():
        assert file.read_text(encoding="utf-8") == block.text, f"{block}: {file} has other text"
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(block.text, encoding="utf-8")


def _run(shell: Shell, block: Block) -> None:
    failed = ""
    for command in commands(block.text):
        assert not failed or command.line == STATUS, f"{block}: `{failed}` failed"
        failed = ""
        if BACKGROUND in block.marks:
            shell.start(command.line, shell.folder / f"background-{block.line}.log")
        elif check(shell, command) and command.line != STATUS:
            failed = command.line
    assert not failed, f"{block}: `{failed}` failed"
