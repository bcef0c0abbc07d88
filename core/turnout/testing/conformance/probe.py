"""The suite of probes."""

import asyncio
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, ClassVar

from turnout.plugin import Options, Probe, Route
from turnout.testing.conformance.suite import Conformance

IN_FORCE = "turnout.plugin.Probe.in_force"
LIMIT = 2.0
"""Seconds for an answer."""
BLOCKED = 0.5
"""Seconds for which the loop may stand still: other machines are slower."""


class ProbeConformance(Conformance[Probe[Any]]):
    """What every probe does, as far as it can be told without proxies.

    A subclass gives `plugin`; `options`, with an address at which nobody answers, such as 127.0.0.1:9; and
    `routes`, as its router would write them.
    """

    axis: ClassVar[Any] = Probe

    routes: ClassVar[Sequence[Route]]
    """Routes that can be asked about."""

    def test_silence_is_no_consent(self) -> None:
        """Where nobody answers, routes are not in force: a deleted version would go too early."""
        for label, options in self.parsed():
            said = self._ask(options)[0]
            if said is not None:
                where = f"in_force with options {label}, whose addresses nobody answers at"
                raise self.fault(where, repr(said), "None, where that cannot be told", IN_FORCE)

    def test_it_answers_in_time(self) -> None:
        """An answer that takes over two seconds counts as None, whatever it would have been."""
        for label, options in self.parsed():
            _, seconds, _ = self._ask(options)
            if seconds > LIMIT:
                where = f"in_force with options {label}"
                raise self.fault(where, "no answer within 2 s", "a time limit of its own", IN_FORCE)

    def test_it_does_not_block(self) -> None:
        """It has one event loop, on which its calls for other policies wait while it does not await."""
        for label, options in self.parsed():
            _, _, blocked = self._ask(options)
            if blocked > BLOCKED:
                where = f"in_force with options {label}"
                found = f"an event loop that stood still for {blocked:.1f} s"
                raise self.fault(where, found, "calls that are awaited", IN_FORCE)

    def _ask(self, options: Options) -> tuple[object, float, float]:
        """What it says, after how many seconds, and how long the loop stood still at most.

        An exception counts as None, as it does for the controller.
        """

        async def asking() -> tuple[object, float, float]:
            late: list[float] = [0.0]
            ticking = asyncio.create_task(_tick(late))
            await asyncio.sleep(0)
            began = time.monotonic()
            said: object = None
            with suppress(Exception):
                async with asyncio.timeout(LIMIT + 1):
                    said = await self.plugin.in_force(self.routes, options)
            seconds = time.monotonic() - began
            await asyncio.sleep(0.05)
            ticking.cancel()
            return said, seconds, max(late)

        return asyncio.run(asking())


async def _tick(late: list[float]) -> None:
    """Note by how much each hundredth of a second is too long."""
    while True:
        began = time.monotonic()
        await asyncio.sleep(0.01)
        late.append(time.monotonic() - began - 0.01)
