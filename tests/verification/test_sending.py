"""How many calls are made, how many at once, and how fast: in made-up time."""

import asyncio
from types import TracebackType
from typing import Self

from tests.support import faketime
from turnout.verification.sending import Pace, send
from turnout.verification.tally import HOPELESS, Failed, Tally


class Model:
    """Takes 0.1 s for an answer; every so manieth call fails."""

    def __init__(self, fails: int = 0) -> None:
        self.fails = fails
        self.began: list[float] = []
        self.at_once = self.most = 0

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    async def ask(self) -> str:
        self.began.append(faketime.now())
        self.at_once += 1
        self.most = max(self.most, self.at_once)
        await asyncio.sleep(0.1)
        self.at_once -= 1
        if self.fails and len(self.began) % self.fails == 0:
            raise Failed("UNAVAILABLE", str(len(self.began)))
        return "wisdom-0"


def sent(model: Model, pace: Pace) -> Tally:
    async def main() -> Tally:
        tally = Tally()
        await send(model, pace, tally)
        return tally

    return faketime.run(main())


def test_all_calls_are_made_so_many_at_once() -> None:
    model = Model()
    assert sent(model, Pace(1000, concurrency=7)).answers == {"wisdom-0": 1000}
    assert (len(model.began), model.most) == (1000, 7)


def test_a_rate_is_kept() -> None:
    model = Model()
    sent(model, Pace(101, concurrency=10, rate=20))
    assert 4.99 < model.began[-1] < 5.01
    assert model.most <= 3


def test_a_rate_that_answers_are_too_slow_for_is_not_reached() -> None:
    model = Model()
    sent(model, Pace(100, concurrency=2, rate=1000))
    assert model.most == 2


def test_failures_are_counted_and_end_nothing() -> None:
    tally = sent(Model(fails=4), Pace(100, concurrency=1))
    assert (tally.answered, tally.failed) == (75, 25)
    assert tally.messages == {"UNAVAILABLE": "4"}


def test_where_nothing_is_answered_the_rest_is_not_sent() -> None:
    model = Model(fails=1)
    tally = sent(model, Pace(10_000, concurrency=5))
    assert HOPELESS <= tally.failed < HOPELESS + 5
    assert len(model.began) == tally.failed


def test_what_was_counted_stands_when_it_is_cut_short() -> None:
    async def main() -> Tally:
        tally = Tally()
        sending = asyncio.ensure_future(send(Model(), Pace(1000, concurrency=1), tally))
        await asyncio.sleep(1.05)
        sending.cancel()
        await asyncio.wait([sending])
        return tally

    assert faketime.run(main()).answered == 10
