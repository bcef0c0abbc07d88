"""Sends calls, so many at once and so many a second."""

import asyncio
from dataclasses import dataclass
from types import TracebackType
from typing import Protocol, Self

from turnout.verification.tally import Failed, Tally


class Asker(Protocol):
    """A connection on which a question is asked again and again."""

    async def __aenter__(self) -> Self: ...

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    async def ask(self) -> str:
        """Ask once, and return the version that answered; empty if it has no name. Raises Failed."""
        ...


@dataclass(frozen=True, slots=True)
class Pace:
    """`rate`: calls a second at most; 0 for as many as `concurrency` calls at once make."""

    requests: int
    concurrency: int = 10
    rate: float = 0.0


async def send(asker: Asker, pace: Pace, tally: Tally) -> None:
    """Make the calls, or stop where it is hopeless. `tally` is up to date at any moment."""
    clock = asyncio.get_running_loop().time
    numbers, began = iter(range(pace.requests)), clock()

    async def work() -> None:
        for number in numbers:
            if tally.hopeless:
                return
            if pace.rate:
                await asyncio.sleep(began + number / pace.rate - clock())
            try:
                tally.answers[await asker.ask()] += 1
            except Failed as failed:
                tally.fail(failed)

    async with asyncio.TaskGroup() as workers:
        for _ in range(min(pace.concurrency, pace.requests)):
            workers.create_task(work())
