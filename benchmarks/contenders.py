"""The two programs that are compared, each a process with a namespace and a service account of its own.

Their namespaces hold the same models, so both run side by side and are measured by turns: what else
the machine does meanwhile befalls both.
"""

import asyncio
import collections
import os
import shlex
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from tests.support import ControlPlane, Credentials
from tests.support.processes import ProcessGroup

FLOOR, TURNOUT = "floor", "turnout"
QUIET = 1.5
"""Seconds without a write after which a program is taken to have done what it had to do."""
WRITES = frozenset({"create", "update", "patch", "delete", "deletecollection"})


class Contender:
    """One program: how to start it, and what it has done."""

    def __init__(
        self,
        name: str,
        namespace: str,
        command: Sequence[str],
        credentials: Credentials,
        control_plane: ControlPlane,
        processes: ProcessGroup,
    ) -> None:
        self.name = name
        self.namespace = namespace
        self._command = [*command, namespace]
        self._credentials = credentials
        self._control_plane = control_plane
        self._processes = processes
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> float:
        """Start the process; when that was, by time.perf_counter."""
        path = os.pathsep.join(filter(None, [str(Path.cwd()), os.environ.get("PYTHONPATH")]))
        environment = [f"KUBECONFIG={self._credentials.kubeconfig}", f"PYTHONPATH={path}"]
        began = time.perf_counter()
        self._process = self._processes.start(Path("/usr/bin/env"), [*environment, *self._command])
        return began

    def stop(self) -> None:
        """End the process, if it runs."""
        if self._process:
            self._processes.end(self._process)
            self._process = None

    def mark(self) -> int:
        """Now, for `calls`."""
        return self._control_plane.audit_mark()

    def calls(self, since: int, *, only_writes: bool = False) -> collections.Counter[str]:
        """The calls made since a mark, watches aside, by what they did; refused ones by their code too."""
        found: collections.Counter[str] = collections.Counter()
        for entry in self._control_plane.audit(self._credentials, since=since):
            if entry.verb == "watch" or (only_writes and entry.verb not in WRITES):
                continue
            resource = f"{entry.resource}/{entry.subresource}" if entry.subresource else entry.resource
            refused = f" {entry.code}" if entry.code >= 400 else ""
            found[f"{entry.verb} {resource or entry.uri}{refused}"] += 1
        return found

    async def quiet(self, limit: float = 300.0) -> None:
        """Wait until it has not made a call for a while."""
        mark, since, began = self.mark(), time.perf_counter(), time.perf_counter()
        while time.perf_counter() - since < QUIET:
            await asyncio.sleep(QUIET / 5)
            now = self.mark()
            if now != mark:
                if self.calls(mark):
                    since = time.perf_counter()
                mark = now
            if time.perf_counter() - began > limit:
                raise TimeoutError(f"{self.name} has not fallen silent within {limit:g} s")

    async def listed(self, since: int, limit: float = 60.0) -> None:
        """Wait until it has begun to look at what there is."""
        began = time.perf_counter()
        while not any(call.startswith("list ") for call in self.calls(since)):
            await asyncio.sleep(QUIET / 5)
            if time.perf_counter() - began > limit:
                raise TimeoutError(f"{self.name} has listed nothing within {limit:g} s")

    def processor_time(self) -> float:
        """Seconds of processor time that the process has used: they depend little on what else runs."""
        assert self._process
        fields = (
            Path(f"/proc/{self._process.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        )
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def memory(self) -> tuple[float, float]:
        """MiB of memory that the process holds, and the most that it has held."""
        assert self._process
        text = Path(f"/proc/{self._process.pid}/status").read_text(encoding="ascii")
        sizes = {key: value for key, _, value in (line.partition(":") for line in text.splitlines())}
        return int(sizes["VmRSS"].split()[0]) / 1024, int(sizes["VmHWM"].split()[0]) / 1024


def floor_command() -> list[str]:
    """How to start the floor, but for its namespace."""
    return [sys.executable, "-m", "benchmarks.floor"]


def controller_command(given: str | None) -> list[str]:
    """How to start the controller, but for its namespace; `given` stands for `turnout run`."""
    program = shlex.split(given) if given else [str(Path(sys.executable).parent / "turnout"), "run"]
    return [*program, "--log-level", "warning", "--namespace"]
