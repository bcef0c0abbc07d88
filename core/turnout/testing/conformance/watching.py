"""Sees whether a call does I/O, tells the time, or throws dice.

It looks at the calls of C functions that Python's own modules are made of, as a profiler does (so none
may be at work), and on the thread of the call alone. So it sees them however they were imported, and
patches nothing. What an extension module does by itself it does not see.
"""

import ctypes
import gc
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from random import Random
from types import CodeType, FrameType
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
_METHODS = {"socket": "the network", "FileIO": "a file", "TextIOWrapper": "a file"}
"""By the name of the type, where its own module is not told."""
_HARMLESS = frozenset({"fspath", "text_encoding", "getpid", "strerror", "gmtime", "strftime", "strptime"})
_NOT_ITS_OWN = ("importlib", "logging", "threading", "warnings")
"""Modules that do so for other reasons than to answer: an import reads a file, a log line has a time."""
_ENVIRON = os.environ.__class__.__getitem__.__code__
_SUITES = __name__.rpartition(".")[0]


@contextmanager
def watched() -> Iterator[list[str]]:
    """What is done in the block, as `the clock (time.time)`, each thing once."""
    seen: dict[str, None] = {}
    listed: list[str] = []

    def look(frame: FrameType, event: str, arg: Any) -> None:
        found = _of_c(arg) if event == "c_call" else _of_python(frame.f_code) if event == "call" else None
        if found and not _for_others(frame):
            seen[found] = None

    _nothing_pending()
    collecting = gc.isenabled()
    gc.disable()  # what is collected meanwhile is not the call's affair
    sys.setprofile(look)
    try:
        yield listed
    finally:
        sys.setprofile(None)
        if collecting:
            gc.enable()
        listed += seen


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
        return f"{_MODULES[module]} ({module}.{name})"
    owner = getattr(function, "__self__", None)
    if isinstance(owner, type) and issubclass(owner, date) and name in ("now", "today", "utcnow"):
        return f"the clock ({owner.__name__}.{name})"
    if isinstance(owner, Random):
        return f"chance (random.{name})"
    if kind := _METHODS.get(type(owner).__name__):
        return f"{kind} ({type(owner).__name__}.{name})"
    return None


def _of_python(code: CodeType) -> str | None:
    return "a variable of the environment (os.environ)" if code is _ENVIRON else None


def _for_others(frame: FrameType | None) -> bool:
    while frame is not None:
        name = str(frame.f_globals.get("__name__", ""))
        if name.startswith(_SUITES):
            return False
        if name.partition(".")[0] in _NOT_ITS_OWN or "importlib" in frame.f_code.co_filename:
            return True
        frame = frame.f_back
    return False
