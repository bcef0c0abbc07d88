"""Toys around the decision and the write: they say, or do, what a test tells them to."""

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from typing import Any

from turnout.plugin import AdmissionCheck, Fault, Gate, GateAnswer, Notifier, Options, Policy, Shift

BLOCKED = 2.0
"""Real seconds."""


class ToyCheckOptions(Options):
    """What policies have to say."""

    label: str = "team"
    """A label that every policy has to have."""


class ToyCheck(AdmissionCheck[ToyCheckOptions]):
    """Every policy says whose it is."""

    name = "toy-check"
    options = ToyCheckOptions

    def __init__(self, says: Any = None) -> None:
        self.says = says

    def admit(self, policy: Policy, document: Mapping[str, Any], options: ToyCheckOptions) -> Iterable[Fault]:
        if isinstance(self.says, Exception):
            raise self.says
        if self.says is not None:
            return self.says  # type: ignore[no-any-return]  # anything: that is its point
        if options.label in document["metadata"].get("labels", {}):
            return []
        return [Fault(f"metadata.labels.{options.label}", "is missing: whose model is it?")]


class ToyGate(Gate[Options]):
    """Answers `says`, raises it, or awaits what it makes of a shift; and remembers what it was asked."""

    name = "toy-gate"
    options = Options

    def __init__(self, says: Any = None) -> None:
        self.says = says or GateAnswer(True)
        self.asked: list[Shift] = []

    async def may_shift(self, shift: Shift, options: Options) -> GateAnswer:
        self.asked.append(shift)
        return await _say(self.says, shift)  # type: ignore[no-any-return]


class ToyNotifier(Notifier[Options]):
    """Remembers what it was told, and then does as it is told."""

    name = "toy-notifier"
    options = Options

    def __init__(self, says: Any = None) -> None:
        self.says = says
        self.told: list[Shift] = []

    async def shifted(self, shift: Shift, options: Options) -> None:
        self.told.append(shift)
        await _say(self.says, shift)


async def _say(says: Any, shift: Shift) -> Any:
    if isinstance(says, BaseException):
        raise says
    if isinstance(says, Callable):  # type: ignore[arg-type]
        return await says(shift)
    return says


async def hang(shift: Shift) -> None:
    """Does not answer."""
    await asyncio.sleep(3600)


async def stay(shift: Shift) -> None:
    """Does not answer, whatever is done to end it."""
    while True:
        with suppress(BaseException):
            await asyncio.sleep(3600)


async def block(shift: Shift) -> None:
    """Keeps its event loop for longer than any answer may take, where seconds are those of the rollouts."""
    time.sleep(BLOCKED)  # noqa: ASYNC251  that is its point
