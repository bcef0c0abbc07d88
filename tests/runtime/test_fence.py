"""Writes are sent only while the controller leads, and are not left behind when it stops."""

import asyncio

import pytest

from tests.support import faketime
from tests.support.faketime import now
from turnout.runtime.fence import Fence
from turnout.runtime.transport import ConnectionFailed, Request, Response

WRITE, READ = Request("PATCH", "/a", {"force": "true"}), Request("GET", "/a")


class Answer:
    def __init__(self) -> None:
        self.closed = False

    def close(self) -> None:
        self.closed = True


class Slow:
    """Answers after some seconds, and notes what it was sent."""

    def __init__(self, seconds: float = 0.0) -> None:
        self.seconds = seconds
        self.sent: list[Request] = []
        self.answers: list[Answer] = []

    async def send(self, request: Request) -> Response:
        self.sent.append(request)
        await asyncio.sleep(self.seconds)
        self.answers.append(Answer())
        return self.answers[-1]  # type: ignore[return-value]

    async def close(self) -> None:
        """Nothing is open."""


def test_a_write_ends_within_the_time_for_which_we_lead() -> None:
    """Here, and on the server, which may be slow to begin with it."""

    async def main() -> None:
        transport = Slow()
        await Fence(transport, lambda: 4.25).send(WRITE)
        await Fence(transport, lambda: 1000).send(WRITE)
        short, usual = transport.sent
        assert (short.timeout, short.query) == (4.25, {"force": "true", "timeout": "4.250s"})
        assert (usual.timeout, usual.query["timeout"]) == (30.0, "30.000s")

    faketime.run(main())


@pytest.mark.parametrize("remaining", [0.0, 0.0009, -1.0, -float("inf")])
def test_nothing_is_written_by_one_that_does_not_lead(remaining: float) -> None:
    """It goes on reading: so its caches are filled when it does."""

    async def main() -> None:
        transport = Slow()
        fence = Fence(transport, lambda: remaining)
        for method in ("PATCH", "POST", "PUT", "DELETE"):
            with pytest.raises(ConnectionFailed, match="does not lead"):
                await fence.send(Request(method, "/a"))
        await fence.send(READ)
        assert transport.sent == [READ]

    faketime.run(main())


def test_a_write_whose_asker_is_cancelled_is_waited_for() -> None:
    async def main() -> None:
        transport = Slow(2.0)
        fence = Fence(transport, lambda: 10.0 - now())
        asking = asyncio.ensure_future(fence.send(WRITE))
        await asyncio.sleep(0.5)
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
        assert await fence.quiet()
        assert now() == 2.0
        assert [answer.closed for answer in transport.answers] == [True]

    faketime.run(main())


def test_one_that_is_never_answered_is_waited_for_as_long_as_we_lead() -> None:
    async def main() -> None:
        fence = Fence(Slow(1000.0), lambda: 10.0 - now())
        asking = asyncio.ensure_future(fence.send(WRITE))
        await asyncio.sleep(0.5)
        asking.cancel()
        assert not await fence.quiet()
        assert now() == 10.0

    faketime.run(main())
