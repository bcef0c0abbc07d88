"""Of several controllers one leads: when another one takes over, and that there are never two."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.support import faketime
from tests.support.faketime import now
from turnout.plugin import Ref
from turnout.runtime.client import Client
from turnout.runtime.lease import LEASE, Deposed, Lease, Timing
from turnout.runtime.transport import ConnectionFailed, Request, Response
from turnout.testing.memory import InMemoryCluster

REF = Ref(LEASE, "turnout", "turnout")
TIMING = Timing()
SOON = 2.0
"""Seconds within which somebody leads after a leader that has stopped in order."""


class Link:
    """A candidate's connection. `cut`: it is refused at once; `stalled`: it never answers."""

    def __init__(self, cluster: InMemoryCluster) -> None:
        self._cluster = cluster
        self.cut = self.stalled = self.deaf = False

    async def send(self, request: Request) -> Response:
        if self.cut:
            raise ConnectionFailed("no connection")
        if self.stalled:
            await asyncio.Event().wait()
        response = await self._cluster.send(request)
        if self.deaf:
            raise ConnectionFailed("the answer was lost")
        return response

    async def close(self) -> None:
        """Nothing is open."""


class Candidate:
    """One that stands by and leads in turns, from `start` to `stop` or `kill`."""

    def __init__(self, cluster: InMemoryCluster, name: str) -> None:
        self.name = name
        self.link = Link(cluster)
        self.ahead = 0.0
        """Seconds that it has slept, while others did not."""
        self.lease = Lease(Client(self.link), REF, name, TIMING, clock=lambda: now() + self.ahead)
        self.acquired = False
        self.deposed: list[str] = []
        self._task: asyncio.Task[None] | None = None

    @property
    def leads(self) -> bool:
        return self.acquired and self.lease.remaining() > 0

    def start(self) -> "Candidate":
        self._task = asyncio.ensure_future(self._run())
        return self

    async def _run(self) -> None:
        while True:
            await self.lease.acquire()
            self.acquired = True
            try:
                await self.lease.keep()
            except Deposed as error:
                self.deposed.append(str(error))
            self.acquired = False

    async def kill(self) -> None:
        assert self._task
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        self.acquired = False

    async def stop(self) -> None:
        await self.kill()
        await self.lease.release()


class Room:
    """Candidates for one Lease, who are looked at all the time."""

    def __init__(self) -> None:
        self.cluster = InMemoryCluster()
        self.candidates: list[Candidate] = []

    def candidate(self, name: str) -> Candidate:
        made = Candidate(self.cluster, name).start()
        self.candidates.append(made)
        return made

    @property
    def leader(self) -> str:
        found = [one.name for one in self.candidates if one.leads]
        assert len(found) <= 1, found
        return found[0] if found else ""

    async def until(self, leader: str, within: float) -> float:
        """Wait until one leads (empty: nobody). Returns the seconds that it took."""
        began = now()
        while self.leader != leader:
            assert now() - began <= within, f"{self.leader or 'nobody'} leads after {within} s"
            await asyncio.sleep(0.05)
        return now() - began

    async def stays(self, leader: str, seconds: float) -> None:
        """One goes on leading for so long."""
        ends = now() + seconds
        while now() < ends:
            assert self.leader == leader
            await asyncio.sleep(0.05)

    def spec(self) -> dict[str, Any]:
        found = self.cluster.get(REF)
        assert found
        spec: dict[str, Any] = found["spec"]
        return spec


def play(scene: Callable[[Room], Awaitable[None]]) -> None:
    async def main() -> None:
        await scene(Room())

    faketime.run(main())


async def led(room: Room) -> tuple[Candidate, Candidate]:
    """The first leads, the second stands by."""
    first = room.candidate("a")
    await room.until("a", TIMING.renew + 1)
    second = room.candidate("b")
    await room.stays("a", 30)
    return first, second


def test_a_new_lease_is_kept_for_a_while_before_its_holder_leads() -> None:
    """It may have been deleted under a leader."""

    async def scene(room: Room) -> None:
        room.candidate("a")
        await room.stays("", TIMING.renew - 0.1)
        await room.until("a", 0.5)
        spec = room.spec()
        assert (spec["holderIdentity"], spec["leaseDurationSeconds"], spec["leaseTransitions"]) == (
            "a",
            15,
            0,
        )
        await room.stays("a", 60)
        assert room.spec()["acquireTime"] == spec["acquireTime"] < room.spec()["renewTime"]

    play(scene)


def test_after_a_crash_another_one_leads_once_the_lease_has_run_out() -> None:
    async def scene(room: Room) -> None:
        first, _ = await led(room)
        await first.kill()
        assert TIMING.lease - TIMING.retry <= await room.until("b", 20) <= TIMING.lease + 2 * TIMING.retry
        assert room.spec()["leaseTransitions"] == 1

    play(scene)


def test_after_a_stop_another_one_leads_at_once() -> None:
    async def scene(room: Room) -> None:
        first, _ = await led(room)
        await first.stop()
        assert "holderIdentity" not in room.spec()
        assert await room.until("b", SOON) <= TIMING.retry + 0.1
        await room.stays("b", 30)

    play(scene)


def test_a_stop_in_the_middle_of_a_renewal_lets_another_one_lead_at_once_too() -> None:
    """The API server has it by then, and nobody has waited for its answer."""

    async def scene(room: Room) -> None:
        first, _ = await led(room)
        first.link.deaf = True
        before = room.spec()
        await asyncio.sleep(1.5 * TIMING.retry)
        assert room.spec() != before
        first.link.deaf = False
        await first.stop()
        assert "holderIdentity" not in room.spec()
        assert await room.until("b", SOON) <= TIMING.retry + 0.1

    play(scene)


@pytest.mark.parametrize("fault", ["cut", "stalled"])
def test_a_leader_that_cannot_renew_stops_before_another_one_leads(fault: str) -> None:
    async def scene(room: Room) -> None:
        first, _ = await led(room)
        setattr(first.link, fault, True)
        assert TIMING.renew - TIMING.retry <= await room.until("", 20) <= TIMING.renew
        await room.until("b", TIMING.lease)
        (why,) = first.deposed
        told = "no connection" if fault == "cut" else "the API server does not answer"
        assert why == f"Lease turnout/turnout was not renewed for 10 s: {told}"
        setattr(first.link, fault, False)
        await room.stays("b", 60)

    play(scene)


def test_a_short_outage_changes_nothing() -> None:
    async def scene(room: Room) -> None:
        first, _ = await led(room)
        first.link.cut = True
        await room.stays("a", TIMING.renew - 2 * TIMING.retry)
        first.link.cut = False
        await room.stays("a", 60)
        assert first.deposed == []

    play(scene)


def test_one_that_slept_leads_no_longer_when_it_wakes() -> None:
    """Whatever it does first, it does not count as leading any more."""

    async def scene(room: Room) -> None:
        first, _ = await led(room)
        first.ahead = TIMING.lease
        assert not first.leads
        await asyncio.sleep(2 * TIMING.retry)
        assert first.deposed == ["Lease turnout/turnout was not renewed for 10 s: this process did not run"]

    play(scene)


def test_answers_that_are_lost_do_not_depose() -> None:
    """The next write is a conflict with one's own."""

    async def scene(room: Room) -> None:
        first, _ = await led(room)
        first.link.deaf = True
        await asyncio.sleep(3 * TIMING.retry)
        first.link.deaf = False
        await room.stays("a", 60)
        assert first.deposed == []

    play(scene)


@contextmanager
def unseen(one: Candidate) -> Iterator[None]:
    """Something happens of which a candidate hears only later."""
    one.link.cut = True
    yield
    one.link.cut = False


def test_a_lease_that_is_deleted_is_made_again_by_its_leader() -> None:
    async def scene(room: Room) -> None:
        _, second = await led(room)
        with unseen(second):
            room.cluster.delete(REF)
            await asyncio.sleep(2 * TIMING.retry)
        assert room.spec()["holderIdentity"] == "a"
        await room.stays("a", 60)

    play(scene)


def test_whoever_makes_a_deleted_lease_first_leads_after_the_leader_has_noticed() -> None:
    async def scene(room: Room) -> None:
        first, _ = await led(room)
        with unseen(first):
            room.cluster.delete(REF)
            await asyncio.sleep(2 * TIMING.retry)
        assert room.spec()["holderIdentity"] == "b"
        await asyncio.sleep(2 * TIMING.retry)
        assert first.deposed == ["b has the Lease turnout/turnout now"]
        await room.until("b", TIMING.renew)

    play(scene)


@pytest.mark.parametrize("holder", ["somebody", None])
def test_a_lease_that_someone_takes_by_hand_deposes_and_has_to_run_out(holder: str | None) -> None:
    async def scene(room: Room) -> None:
        first, _ = await led(room)
        room.cluster.patch(REF, {"spec": {"holderIdentity": holder}})
        await room.until("", 1.5 * TIMING.retry)
        assert first.deposed == [f"{holder or 'nobody'} has the Lease turnout/turnout now"]
        await room.stays("", TIMING.lease - 2 * TIMING.retry)
        await asyncio.sleep(4 * TIMING.retry)
        assert room.leader

    play(scene)


@pytest.mark.parametrize("renewed", ["1970-01-01T00:00:00.000000Z", "2999-01-01T00:00:00.000000Z"])
def test_no_clock_but_ones_own_counts(renewed: str) -> None:
    """Only that the Lease changes, not what time it says."""

    async def scene(room: Room) -> None:
        first, _ = await led(room)
        await first.kill()
        room.cluster.patch(REF, {"spec": {"renewTime": renewed}})
        await room.stays("", TIMING.lease - TIMING.retry)
        await room.until("b", 3 * TIMING.retry)

    play(scene)


def test_a_lease_that_says_little_is_waited_for_all_the_same() -> None:
    """A holder that says it needs a second would lose it between two of our looks."""

    async def scene(room: Room) -> None:
        spec = {"holderIdentity": "other", "leaseDurationSeconds": 1}
        head = {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"name": "turnout"}}
        room.cluster.apply_manifest({**head, "spec": spec}, namespace="turnout")
        room.candidate("a")
        await room.stays("", TIMING.lease - TIMING.retry)
        await room.until("a", 3 * TIMING.retry)

    play(scene)


@pytest.mark.parametrize("seed", range(20))
def test_there_are_never_two_whatever_happens(seed: int) -> None:
    """And soon after it has stopped to happen there is one."""

    async def scene(room: Room) -> None:
        rng = random.Random(seed)
        for name in "abc":
            room.candidate(name)

        async def trouble(one: Candidate) -> None:
            match rng.randrange(7):
                case 0:
                    one.link.cut = not one.link.cut
                case 1:
                    one.link.stalled = not one.link.stalled
                case 2:
                    one.link.deaf = not one.link.deaf
                case 3:
                    await one.kill()
                    one.start()
                case 4:
                    await one.stop()
                    one.start()
                case 5:
                    one.ahead += rng.choice([1, 11, 20])
                case 6 if room.cluster.get(REF):
                    room.cluster.delete(REF)

        for _ in range(200):
            await trouble(rng.choice(room.candidates))
            for _ in range(rng.randrange(1, 80)):
                assert room.leader in ("", "a", "b", "c")
                await asyncio.sleep(0.1)
        for one in room.candidates:
            one.link.cut = one.link.stalled = one.link.deaf = False
        for _ in range(400):
            await asyncio.sleep(0.1)
            assert room.leader in ("", "a", "b", "c")
        assert room.leader

    play(scene)
