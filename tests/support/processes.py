"""Child processes that cannot outlive the test run, however it ends."""

import os
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from tests.support.waiting import wait_until

START_SECONDS = 60.0
"""How long a process may take to become ready; on an idle machine the slowest takes a few."""


class ProcessGroup:
    """Starts processes, with a log file each, that all die together.

    They share a process group with a guard, a shell that waits on a pipe from this process. When
    the pipe closes, because `stop` was called or because this process was killed, the guard kills
    the group. A group of their own also keeps the terminal's Ctrl-C from them, so that the
    teardown of fixtures still finds them alive.
    """

    def __init__(self, logs: Path) -> None:
        """Begin with no process. `logs` is an existing directory; a log is named for its program."""
        self._logs = logs
        self._running: dict[subprocess.Popen[bytes], str] = {}
        self._guard = subprocess.Popen(
            ["/bin/sh", "-c", "cat >/dev/null; kill -KILL 0"],
            stdin=subprocess.PIPE,
            process_group=0,
        )

    def start(
        self, program: Path, arguments: Sequence[str], *, environment: Mapping[str, str] | None = None
    ) -> subprocess.Popen[bytes]:
        """Start `program`, and do not wait for it; what it prints is added to its log.

        It sees PATH and what `environment` adds, and nothing else of ours.
        """
        with self._log(program.name).open("ab") as log:
            process = subprocess.Popen(
                [program, *arguments],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                process_group=self._guard.pid,
                env={"PATH": os.environ.get("PATH", os.defpath), **(environment or {})},
            )
        self._running[process] = program.name
        return process

    def wait_ready(self, process: subprocess.Popen[bytes], ready: Callable[[], bool]) -> None:
        """Return when `ready` says so.

        Raises RuntimeError with the end of the log if the process ends before, and TimeoutError.
        """
        name = self._running[process]

        def ready_or_over() -> bool:
            if process.poll() is not None:
                log = self._log(name)
                end = "\n".join(log.read_text(errors="replace").splitlines()[-15:])
                raise RuntimeError(f"{name} ended with {process.returncode}; {log}:\n{end}")
            return ready()

        wait_until(ready_or_over, timeout=START_SECONDS, what=f"{name} ready")

    def end(self, process: subprocess.Popen[bytes], *, kill: bool = False) -> None:
        """End one process and return when it is gone, and its port with it.

        It may end in order for 10 s, and is killed then, or at once with `kill`.
        """
        if kill:
            process.kill()
        else:
            process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        del self._running[process]

    def stop(self) -> None:
        """Kill what still runs, and return when it is gone."""
        if self._guard.stdin is not None:
            self._guard.stdin.close()
        self._guard.wait()
        while self._running:
            self._running.popitem()[0].wait()

    def _log(self, name: str) -> Path:
        return self._logs / f"{name}.log"
