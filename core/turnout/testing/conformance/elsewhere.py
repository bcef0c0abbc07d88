"""Asks a plugin in other processes, where nothing was asked before and strings have other hashes."""

import importlib
import io
import os
import pickle
import subprocess
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib.util import module_from_spec, spec_from_file_location
from typing import Any

from turnout.plugin import Plugin
from turnout.testing.conformance.calls import Call, answer

SEEDS = ("1", "2")
"""Values of PYTHONHASHSEED, each for a process of its own."""
SECONDS = 60.0
_PROGRAM = f"from {__name__} import main; main()"


class CannotTravel(Exception):  # noqa: N818  named for what is the case
    """The plugin, or what it is called with, cannot be sent to another process."""


def answers(plugin: Plugin[Any], calls: Sequence[Call]) -> list[list[Any]]:
    """The answers to the calls, from each process, which has made the calls in an order of its own.

    Raises CannotTravel, and RuntimeError with what a process printed where it did not come to answer.
    """
    modules = {base.__module__ for base in (*type(plugin).__mro__, *plugin.options.__mro__)}
    files = {name: getattr(sys.modules.get(name), "__file__", None) for name in modules}
    middle = len(calls) // 2
    orders = [[*reversed(range(len(calls)))], [*range(middle, len(calls)), *range(middle)]]
    try:
        asked = [pickle.dumps((plugin, [calls[index] for index in order])) for order in orders]
    except Exception as error:
        raise CannotTravel(f"{type(error).__name__}: {error}") from error
    running = [_start(seed) for seed in SEEDS]
    told = [pickle.dumps((sys.path, files, one)) for one in asked]
    try:
        with ThreadPoolExecutor(len(running)) as pool:
            printed = list(pool.map(_converse, running, told))
    finally:
        for process in running:
            process.kill()
    for process, (_, errors) in zip(running, printed, strict=True):
        if process.returncode:
            raise RuntimeError(errors.decode(errors="replace"))
    said = [pickle.loads(output) for output, _ in printed]  # noqa: S301  our own
    return [
        [answer for _, answer in sorted(zip(order, one, strict=True), key=lambda pair: pair[0])]
        for order, one in zip(orders, said, strict=True)
    ]


def _start(seed: str) -> subprocess.Popen[bytes]:
    pipe = subprocess.PIPE
    environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", _PROGRAM]
    return subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, env=environment)  # noqa: S603  our own


def _converse(process: subprocess.Popen[bytes], told: bytes) -> tuple[bytes, bytes]:
    return process.communicate(told, timeout=SECONDS)


def main() -> None:
    """The other process: reads calls from standard input, and writes the answers to standard output."""
    output, sys.stdout = sys.stdout, sys.stderr  # what a plugin prints is no answer
    sys.path, files, asked = pickle.load(sys.stdin.buffer)  # noqa: S301  from `answers`
    plugin, calls = _Unpickler(asked, files).load()
    output.buffer.write(pickle.dumps([answer(plugin, call) for call in calls]))


class _Unpickler(pickle.Unpickler):
    """Also finds modules that are no part of a package on sys.path, such as a file of tests."""

    def __init__(self, data: bytes, files: Mapping[str, str | None]) -> None:
        super().__init__(io.BytesIO(data))
        self._files = files

    def find_class(self, module: str, name: str) -> Any:
        if module not in sys.modules:
            try:
                importlib.import_module(module)
            except ImportError:
                self._load(module)
        return super().find_class(module, name)

    def _load(self, module: str) -> None:
        spec = spec_from_file_location(module, self._files.get(module))
        if spec is None or spec.loader is None:
            raise ImportError(f"no file of the module {module} is known")
        sys.modules[module] = module_from_spec(spec)
        spec.loader.exec_module(sys.modules[module])
