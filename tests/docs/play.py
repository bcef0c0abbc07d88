"""Plays a page: saves its files and runs its commands, in their order."""

import os
import shutil
import sys
from collections.abc import Iterable
from pathlib import Path

from tests.docs.pages import REPOSITORY, Block
from tests.docs.shell import Shell, agrees, check, commands

CLUSTER, BACKGROUND, STOP, INSTALL, NOTEBOOK = "cluster", "background", "stop", "install", "notebook"
STATUS = "echo $?"
"""What a page asks after a command that fails, to show how it tells."""


TUTORIAL = Path("core", "turnout", "demo", "tutorial")
DEPLOY = Path("deploy")
PROGRAMS, SITE = ".programs", ".site-packages"
CELL = Path(__file__).with_name("cell.py")


def environment(folder: Path, **more: str) -> dict[str, str]:
    """The variables of a reader's shell, in which the programs of `prepare` and of this Python come first."""
    path = [folder / PROGRAMS, Path(sys.executable).parent, os.environ.get("PATH", os.defpath)]
    passed = {name: value for name, value in os.environ.items() if name.startswith("PIP_")}
    return {
        **passed,
        "PATH": os.pathsep.join(map(str, path)),
        "HOME": str(folder),
        "LANG": "C.UTF-8",
        "COLUMNS": "100",
        "PYTHONPATH": str(folder / SITE),
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        **more,
    }


def prepare(folder: Path) -> None:
    """Give a folder as much of a clone as the pages speak of, and a pip that installs there.

    What it installs is a plugin, for which everything else is here: no index is asked.
    """
    for part in (TUTORIAL, DEPLOY):
        shutil.copytree(REPOSITORY / part, folder / part)
    pip = folder / PROGRAMS / "pip"
    pip.parent.mkdir()
    how = f"--no-index --no-deps --no-build-isolation --target '{folder / SITE}'"
    pip.write_text(f"#!/bin/sh\nexec '{sys.executable}' -m pip \"$@\" {how}\n", encoding="utf-8")
    pip.chmod(0o755)


def play(shell: Shell, blocks: Iterable[Block], *, cluster: bool) -> None:
    """Play blocks in `shell`; without `cluster` those that need none. Raises AssertionError."""
    for block in blocks:
        if INSTALL in block.marks or (CLUSTER in block.marks and not cluster):
            continue
        if STOP in block.marks:
            shell.stop()
        if NOTEBOOK in block.marks:
            _cell(shell, block)
        elif block.language == "console":
            _run(shell, block)
        elif block.file:
            save(Path(shell.run("pwd")[0].strip(), block.file), block)


def save(file: Path, block: Block) -> None:
    """Write the file that a page shows. One that is there already has to be the same."""
    if file.exists():
        assert file.read_text(encoding="utf-8") == block.text, f"{block}: {file} has other text"
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(block.text, encoding="utf-8")


def _cell(shell: Shell, block: Block) -> None:
    """Run a cell of a notebook, or compare what the one before printed."""
    printed = shell.folder / "cell.out"
    if block.language == "python":
        (shell.folder / "cell.in").write_text(block.text, encoding="utf-8")
        told, status = shell.run(f"python {CELL} {shell.folder}/cell.in > {printed}")
        assert status == 0, f"{block}: the cell failed: {told}"
    else:
        assert agrees(block.text, printed.read_text(encoding="utf-8")), (
            f"{block}: printed\n{printed.read_text()}"
        )


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
