"""What holds for all plugins that are pure: they work with their arguments alone, and in little time."""

import sys
import sysconfig
import time
from collections.abc import Iterable, Iterator, Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any
from zoneinfo import TZPATH

from turnout.calling import describe
from turnout.plugin import Fault
from turnout.shown import shown
from turnout.testing.conformance import elsewhere
from turnout.testing.conformance.calls import Call, answer, difference, plain
from turnout.testing.conformance.suite import Conformance, PluginT
from turnout.testing.conformance.watching import watched

PURE = "turnout.plugin.interfaces: methods of the axes are pure"
FAULT = "turnout.plugin.Fault"
LIMIT = 5.0
"""Seconds for one call."""


class PureConformance(Conformance[PluginT]):
    """Checks of the calls that a suite makes."""

    def calls(self) -> Iterator[Call]:
        """Calls of all the methods that are pure, with arguments as core would give them."""
        raise NotImplementedError

    def test_arguments_are_left_as_they_were(self) -> None:
        """No method changes what it is given."""
        for call in self.calls():
            before = plain(deepcopy(call.args))
            answer(self.plugin, call)
            if changed := difference(before, plain(call.args), "arguments"):
                raise self.fault(call.where, f"changed {changed}", "arguments as they were", PURE)

    def test_answers_do_not_depend_on_earlier_calls(self) -> None:
        """The same call has the same answer, whatever was asked before."""
        calls = list(self.calls())
        first = [answer(self.plugin, call) for call in calls]
        later = [answer(self.plugin, call) for call in reversed(calls)]
        self._compare(calls, first, reversed(later), "the second time", PURE)

    def test_answers_are_the_same_in_another_process(self) -> None:
        """The same call has the same answer in another process, where strings have other hashes."""
        calls = list(self.calls())
        here = [answer(self.plugin, call) for call in calls]
        try:
            others = elsewhere.answers(self.plugin, calls)
        except elsewhere.CannotTravel as error:
            raise self.skip(f"it cannot be sent to another process: {error}") from error
        rule = f"{PURE}; a restart must find what it has written"
        for there in others:
            self._compare(calls, here, there, "in another process, asked in another order", rule)

    def test_calls_do_no_io(self) -> None:
        """No method reads or writes files, the network, the environment's variables, or tells the time.

        Files of installed packages and of its own may be read where they are needed first.
        """
        if sys.getprofile() is not None:
            raise self.skip("a profiler is at work, without which this cannot be seen")
        folders = [*_installed(), *self._own_folders()]
        for call in self.calls():
            with watched() as first:
                answer(self.plugin, call)
            with watched() as later:
                answer(self.plugin, call)
            if seen := dict.fromkeys([*first.beyond(folders), *later.all()]):
                expected = "that it works with its arguments alone"
                raise self.fault(call.where, f"use of {', '.join(seen)}", expected, PURE)

    def test_calls_take_little_time(self) -> None:
        """One that takes over five seconds is given up, and its plugin is not asked for a while."""
        for call in self.calls():
            began = time.monotonic()
            answer(self.plugin, call)
            if (seconds := time.monotonic() - began) > LIMIT:
                raise self.fault(call.where, f"{seconds:.1f} s", f"{LIMIT:g} s at most", PURE)

    def check_faults(self, call: Call, known: Iterable[str]) -> None:
        """Complain of what a call returns, unless it is Faults with paths under those that are known."""
        expected = 'Faults such as Fault("spec.modelVersions[1].weight", "found 200, expected 0..100")'
        fields = list(known)
        for fault in self.faults_of(call, expected, FAULT):
            if not isinstance(fault, Fault) or not (fault.path and fault.message):
                raise self.fault(call.where, shown(str(fault)), expected, FAULT)
            if not any(_under(fault.path, field) for field in fields):
                right = f"one that begins with one of {', '.join(fields)}"
                raise self.fault(call.where, f'the path "{fault.path}"', right, FAULT)

    def faults_of(self, call: Call, expected: str, rule: str) -> list[Any]:
        """What a call returns, as a list; it may not raise."""
        try:
            return list(getattr(self.plugin, call.method)(*call.args))
        except Exception as error:
            raise self.fault(call.where, describe(error), expected, rule) from error

    def _compare(
        self, calls: Sequence[Call], one: Iterable[Any], other: Iterable[Any], when: str, rule: str
    ) -> None:
        for call, mine, theirs in zip(calls, one, other, strict=True):
            if found := difference(mine, theirs):
                raise self.fault(call.where, f"another answer {when}: {found}", "the same answer", rule)

    def _own_folders(self) -> Iterator[Path]:
        """Where the plugin's code is, with its resources."""
        for base in type(self.plugin).__mro__:
            if file := getattr(sys.modules.get(base.__module__), "__file__", None):
                yield Path(file).absolute().parent


def _installed() -> Iterator[Path]:
    """Where packages are, Python's own and its time zones among them."""
    for key in ("stdlib", "platstdlib", "purelib", "platlib"):
        yield Path(sysconfig.get_path(key))
    yield from map(Path, TZPATH)


def _under(path: str, field: str) -> bool:
    """Whether a path is that of a field, or of a part of it."""
    return path == field or path.startswith((f"{field}.", f"{field}["))
