"""Runs the commands of a page as its reader would: in one shell, one after another, in one folder."""

import os
import re
import selectors
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

PROMPT, CONTINUED = "$ ", "> "
ANYTHING = "…"
"""In a shown output: any text within a line, or, where it is all of a line, any lines."""
READING = ("kubectl get ", "kubectl events ", "kubectl describe ", "kubectl logs ", "grep ")
"""Commands that are repeated until they print what is shown: the cluster may need a moment."""
COMMAND_SECONDS = 120.0
PATIENCE = 30.0


@dataclass(frozen=True)
class Command:
    """A command and the output that the page shows for it, which may be none."""

    line: str
    output: str = ""

    @property
    def reads(self) -> bool:
        return self.line.startswith(READING)


def commands(text: str) -> Iterator[Command]:
    """The commands of a console block. Raises ValueError for output without a command."""
    parts = re.split(rf"^{re.escape(PROMPT)}", text, flags=re.MULTILINE)
    if parts[0].strip():
        raise ValueError(f"no command before: {parts[0]}")
    for part in parts[1:]:
        lines = part.splitlines()
        command = [lines.pop(0)]
        while lines and lines[0].startswith(CONTINUED):
            command.append(lines.pop(0).removeprefix(CONTINUED))
        yield Command("\n".join(command), "\n".join(lines).strip("\n"))


def agrees(shown: str, printed: str) -> bool:
    """Whether a command printed what the page shows. Blanks at the ends of lines do not count."""
    wanted = [re.escape(line.rstrip()).replace(ANYTHING, ".*") for line in shown.splitlines()]
    # A line that is nothing but … stands for any number of lines, none included.
    pattern = "".join("(?:.*\n)*" if line == ".*" else f"{line}\n" for line in wanted)
    found = "".join(f"{line.rstrip()}\n" for line in printed.strip("\n").splitlines())
    return re.fullmatch(pattern, found) is not None


class Shell:
    """A bash whose commands keep their variables and their folder. All that it started ends with it."""

    def __init__(self, folder: Path, env: Mapping[str, str]) -> None:
        self.folder = folder
        self._mark = f"--{os.urandom(8).hex()}--"
        self._process = subprocess.Popen(
            ["bash", "--noprofile", "--norc"],
            cwd=folder,
            env=dict(env),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe:
                pipe.close()

    def run(self, line: str) -> tuple[str, int]:
        """What a command printed, on both streams, and its exit status, which `$?` keeps."""
        end = f"__status=$?; printf '\\n%s %s\\n' '{self._mark}' $__status; (exit $__status)"
        self._write(f"{{ {line}\n}} </dev/null 2>&1\n{end}\n")
        printed, _, status = self._read_to_mark(line).rpartition(f"\n{self._mark} ")
        return printed, int(status)

    def start(self, line: str, log: Path) -> None:
        """Start a program and leave it running; what it prints goes to a file."""
        self._write(f"{{ exec {line}\n}} </dev/null >{log} 2>&1 &\n__started=$!\n")

    def stop(self) -> None:
        """End the program that was started last, as Ctrl-C in its terminal would. Raises AssertionError."""
        printed, status = self.run("kill -TERM $__started && wait $__started")
        assert status == 0, f"what was started ended with {status}: {printed}"

    def _write(self, script: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(script.encode())
        self._process.stdin.flush()

    def _read_to_mark(self, line: str) -> str:
        assert self._process.stdout is not None
        pipe, read = self._process.stdout.fileno(), b""
        deadline = time.monotonic() + COMMAND_SECONDS
        with selectors.DefaultSelector() as selector:
            selector.register(pipe, selectors.EVENT_READ)
            while not re.search(rb"\n%s \d+\n$" % self._mark.encode(), read):
                if not selector.select(max(0.0, deadline - time.monotonic())):
                    raise AssertionError(f"`{line}` did not end; it printed:\n{read.decode()}")
                if not (chunk := os.read(pipe, 65536)):
                    raise AssertionError(f"`{line}` ended the shell; it printed:\n{read.decode()}")
                read += chunk
        return read.decode()


def check(shell: Shell, command: Command) -> int:
    """Run a command and compare what it prints with what is shown. Returns its exit status."""
    deadline = time.monotonic() + (PATIENCE if command.reads else 0.0)
    while True:
        printed, status = shell.run(command.line)
        if agrees(command.output, printed) and not (command.reads and status):
            return status
        if time.monotonic() > deadline:
            told = f"$ {command.line}\nprinted (exit status {status}):\n{printed}\nshown:\n{command.output}"
            raise AssertionError(told)
        time.sleep(0.3)
