"""Sees whether a call does I/O, tells the time, or throws dice.

It looks at the calls of C functions that Python's own modules are made of, as a profiler does (so none
may be at work), and on the thread of the call alone. So it sees them however they were imported, and
patches nothing. What an extension module does by itself it does not see. A generator of numbers that was
given a seed is no dice: it says the same every time.
"""

import ctypes
import gc
import os
import random
import sys
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import date
from functools import cache
from pathlib import Path
from types import FrameType
from typing import Any

_MODULES = {
    "_io": "a file",
    "io": "a file",
    "posix": "the operating system",
    "nt": "the operating system",
    "time": "the clock",
    "_socket": "the network",
    "_ssl": "the network",
    "_posixsubprocess": "another process",
    "_winapi": "another process",
    "select": "the network",
    "_uuid": "the clock",
}
_FUNCTIONS = {"print": "a file", "input": "a file"}
"""Those of `builtins`."""
_CHANCE = frozenset({"urandom", "getrandom"})
"""Those of the operating system that throw dice: for secrets, for UUIDs, and for a seed."""
_METHODS = {"socket": "the network", "FileIO": "a file", "TextIOWrapper": "a file"}
"""By the name of the type, where its own module is not told."""
_HARMLESS = frozenset({"fspath", "text_encoding", "getpid", "strerror", "gmtime", "strftime", "strptime"})
_NOT_ITS_OWN = ("importlib", "logging", "threading", "warnings", "pydantic.plugin")
"""Modules that do so for other reasons than to answer: an import reads a file, a log line has a time."""
_OTHERS = tuple(f"{name}." for name in _NOT_ITS_OWN)
_ENVIRON = os.environ.__class__.__getitem__.__code__
_SEED = random.Random.seed.__code__
_GLOBAL = random.random.__self__  # type: ignore[attr-defined]
"""The generator behind the functions of `random`, which nobody has given a seed."""
_SUITES = __name__.rpartition(".")[0]


class Seen:
    """What was done, as `the clock (time.time)`, each thing once, and the files that were opened."""

    def __init__(self) -> None:
        self.done: dict[str, None] = {}
        self.opened: set[Path] = set()

    def all(self) -> list[str]:
        """Everything."""
        return list(self.done)

    def beyond(self, folders: Iterable[Path]) -> list[str]:
        """The same without what reads files of these folders, where no others were opened."""
        within = tuple(folders)
        known = all(any(one.is_relative_to(folder) for folder in within) for one in self.opened)
        return [one for one in self.done if not (known and one.startswith(_READING))]


_READING = ("a file (", "the operating system (")
_watching: dict[int, Seen] = {}
"""What is seen now, by thread."""


@contextmanager
def watched() -> Iterator[Seen]:
    """What is done in the block, by this thread."""
    seen = Seen()

    def look(frame: FrameType, event: str, arg: Any) -> None:
        found = _of_c(arg) if event == "c_call" else _of_python(frame) if event == "call" else None
        if found and not for_others(frame):
            seen.done[found] = None

    _note_opened_files()
    _nothing_pending()
    collecting = gc.isenabled()
    gc.disable()  # what is collected meanwhile is not the call's affair
    _watching[threading.get_ident()] = seen
    sys.setprofile(look)
    try:
        yield seen
    finally:
        sys.setprofile(None)
        del _watching[threading.get_ident()]
        if collecting:
            gc.enable()


@cache
def _note_opened_files() -> None:
    """From now on, for good: nobody can take such a hook off again."""

    def note(event: str, args: tuple[Any, ...]) -> None:
        if event == "open" and _watching and (seen := _watching.get(threading.get_ident())) is not None:
            path = args[0]
            if isinstance(path, str | bytes) and not for_others(sys._getframe(1)):
                seen.opened.add(Path(os.fsdecode(path)).absolute())

    sys.addaudithook(note)


class _Nothing(BaseException):
    """Raised and caught here."""


def _nothing_pending() -> None:
    """Python 3.11 runs a profiled call for ever while an exception waits for a thread that is blocked.

    The guard of plugins leaves one with a plugin that hangs. One that is delivered puts out the sign of all.
    """
    me = ctypes.c_ulong(threading.get_ident())
    try:
        ctypes.pythonapi.PyThreadState_SetAsyncExc(me, ctypes.py_object(_Nothing))
        while True:
            pass
    except _Nothing:
        return


def _of_c(function: Any) -> str | None:
    name, module = function.__name__, getattr(function, "__module__", None)
    if name in _HARMLESS or name.startswith("_path_"):
        return None
    if module == "builtins":
        return f"{_FUNCTIONS[name]} ({name})" if name in _FUNCTIONS else None
    if module in _MODULES:
        return f"{'chance' if name in _CHANCE else _MODULES[module]} ({module}.{name})"
    owner = getattr(function, "__self__", None)
    if isinstance(owner, type) and issubclass(owner, date) and name in ("now", "today", "utcnow"):
        return f"the clock ({owner.__name__}.{name})"
    if owner is _GLOBAL:
        return f"chance (random.{name})"
    if kind := _METHODS.get(type(owner).__name__):
        return f"{kind} ({type(owner).__name__}.{name})"
    return None


def _of_python(frame: FrameType) -> str | None:
    if frame.f_code is _ENVIRON:
        return "a variable of the environment (os.environ)"
    if frame.f_code is _SEED and frame.f_locals.get("a") is None:
        return "chance (random.Random without a seed)"
    return None


def for_others(frame: FrameType | None) -> bool:
    """Whether something happens on behalf of a module that does so for other reasons."""
    while frame is not None:
        name = str(frame.f_globals.get("__name__", ""))
        if name.startswith(_SUITES):
            return False
        if f"{name}.".startswith(_OTHERS) or "importlib" in frame.f_code.co_filename:
            return True
        frame = frame.f_back
    return False
