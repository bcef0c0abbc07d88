"""The work queue: what is handed out, when, and how often."""

import asyncio
import random
from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support import faketime
from turnout.runtime.queue import PATIENCE, QueueClosed, WorkQueue


def test_hands_out_keys_in_the_order_in_which_they_came() -> None:
    async def main() -> list[str]:
        queue: WorkQueue[str] = WorkQueue()
        for key in "bca":
            queue.add(key)
        return [await queue.get() for _ in range(3)]

    assert faketime.run(main()) == ["b", "c", "a"]


def test_a_key_added_twice_before_it_is_taken_runs_once() -> None:
    async def main() -> None:
        queue: WorkQueue[str] = WorkQueue()
        queue.add("a")
        queue.add("a")
        await queue.get()
        queue.done("a")
        assert len(queue) == 0

    faketime.run(main())


def test_a_key_added_while_it_is_processed_is_held_back_and_runs_again_afterwards() -> None:
    async def main() -> None:
        queue: WorkQueue[str] = WorkQueue()
        queue.add("a")
        await queue.get()
        queue.add("a")
        assert len(queue) == 0
        queue.done("a")
        assert await queue.get() == "a"
        queue.done("a")
        assert len(queue) == 0

    faketime.run(main())


def test_what_can_wait_comes_after_what_cannot() -> None:
    async def main() -> list[str]:
        queue: WorkQueue[str] = WorkQueue()
        for key in "ab":
            queue.add_last(key)
        queue.add("c")
        queue.add("b")
        return [await queue.get() for _ in range(3)]

    assert faketime.run(main()) == ["c", "b", "a"]


def test_what_can_wait_takes_turns_with_others_in_the_end() -> None:
    """It is not passed over for ever, and does not hold up what cannot wait."""

    async def main() -> str:
        queue: WorkQueue[str] = WorkQueue()
        for key in "abc":
            queue.add_last(key)
        await asyncio.sleep(PATIENCE)
        for key in "xyz":
            queue.add(key)
        return "".join([await queue.get() for _ in range(6)])

    assert faketime.run(main()) == "axbycz"


@pytest.mark.parametrize(
    ("also_added", "order"), [(False, ["b", "a"]), (True, ["a", "b"])], ids=["only", "added"]
)
def test_what_can_wait_runs_again_after_it_was_processed(also_added: bool, order: list[str]) -> None:
    """Last, unless somebody has added it meanwhile."""

    async def main() -> list[str]:
        queue: WorkQueue[str] = WorkQueue()
        queue.add("a")
        await queue.get()
        queue.add_last("a")
        if also_added:
            queue.add("a")
        queue.done("a")
        queue.add("b")
        return [await queue.get() for _ in range(2)]

    assert faketime.run(main()) == order


def test_get_waits_for_a_key() -> None:
    async def main() -> tuple[str, float]:
        queue: WorkQueue[str] = WorkQueue()
        asyncio.get_running_loop().call_later(7, queue.add, "a")
        return await queue.get(), faketime.now()

    assert faketime.run(main()) == ("a", 7)


def test_a_worker_cancelled_at_its_turn_passes_it_on() -> None:
    async def main() -> str:
        queue: WorkQueue[str] = WorkQueue()
        first, second = (asyncio.create_task(queue.get()) for _ in range(2))
        await asyncio.sleep(0)
        queue.add("a")
        first.cancel()
        async with asyncio.timeout(1):
            return await second

    assert faketime.run(main()) == "a"


@pytest.mark.parametrize(
    ("delays", "runs"),
    [
        pytest.param([5], [5], id="one"),
        pytest.param([5, 2], [2], id="an-earlier-one-replaces"),
        pytest.param([2, 5], [2], id="a-later-one-is-covered"),
        pytest.param([0], [0], id="none-is-now"),
        pytest.param([-3], [0], id="past-is-now"),
    ],
)
def test_of_several_delays_of_a_key_the_earliest_holds(delays: list[float], runs: list[float]) -> None:
    async def main() -> list[float]:
        queue: WorkQueue[str] = WorkQueue()
        for delay in delays:
            queue.add_after("a", delay)
        times: list[float] = []
        try:
            async with asyncio.timeout(100):
                while True:
                    queue.done(await queue.get())
                    times.append(faketime.now())
        except TimeoutError:
            return times

    assert faketime.run(main()) == runs


def test_a_delay_outlives_a_run_that_comes_before_it() -> None:
    async def main() -> float:
        queue: WorkQueue[str] = WorkQueue()
        queue.add_after("a", 30)
        queue.add("a")
        queue.done(await queue.get())
        await queue.get()
        return faketime.now()

    assert faketime.run(main()) == 30


def test_keys_whose_time_comes_while_they_are_processed_run_afterwards() -> None:
    async def main() -> str:
        queue: WorkQueue[str] = WorkQueue()
        queue.add("a")
        await queue.get()
        queue.add_after("a", 1)
        await asyncio.sleep(2)
        queue.done("a")
        async with asyncio.timeout(1):
            return await queue.get()

    assert faketime.run(main()) == "a"


def test_retries_of_a_key_are_ever_further_apart_up_to_a_minute() -> None:
    async def main() -> list[float]:
        queue: WorkQueue[str] = WorkQueue(rng=random.Random(1))
        return [queue.retry("a") for _ in range(2000)]

    delays = faketime.run(main())
    assert 0.05 <= delays[0] <= 0.1
    assert all(later >= earlier for earlier, later in pairwise(delays[:10]))
    assert all(30 <= delay <= 60 for delay in delays[12:])
    assert len(set(delays)) > 1900  # jittered


def test_forget_ends_the_backoff_of_one_key() -> None:
    async def main() -> tuple[float, float]:
        queue: WorkQueue[str] = WorkQueue()
        for _ in range(10):
            queue.retry("a")
            queue.retry("b")
        queue.forget("a")
        return queue.retry("a"), queue.retry("b")

    forgotten, remembered = faketime.run(main())
    assert forgotten <= 0.1
    assert remembered >= 20


def test_close_ends_every_waiting_worker_and_all_later_ones() -> None:
    async def main() -> list[object]:
        queue: WorkQueue[str] = WorkQueue()
        workers = [asyncio.create_task(queue.get()) for _ in range(3)]
        queue.add_after("a", 1)
        await asyncio.sleep(0)
        queue.close()
        queue.add("b")
        queue.add_after("c", 1)
        assert queue.delayed == 0
        return await asyncio.gather(*workers, queue.get(), return_exceptions=True)

    assert [type(outcome) for outcome in faketime.run(main())] == [QueueClosed] * 4


def test_tells_how_many_keys_wait_and_how_long_the_first_has() -> None:
    async def main() -> None:
        queue: WorkQueue[str] = WorkQueue()
        assert queue.oldest_age() == 0
        queue.add("a")
        await asyncio.sleep(3)
        queue.add("b")
        queue.add_after("c", 10)
        assert (len(queue), queue.delayed, queue.oldest_age()) == (2, 1, 3)
        await queue.get()
        assert (len(queue), queue.oldest_age()) == (1, 0)

    faketime.run(main())


def test_a_key_called_forward_again_and_again_does_not_pile_up() -> None:
    async def main() -> int:
        queue: WorkQueue[str] = WorkQueue()
        for seconds in range(10_000, 0, -1):
            queue.add_after("a", seconds)
        return len(queue._heap)

    assert faketime.run(main()) < 50


def test_a_hundred_thousand_keys_pass_in_a_moment() -> None:
    """Guards against anything quadratic: that would take minutes."""

    async def main() -> None:
        queue: WorkQueue[int] = WorkQueue()
        for key in range(100_000):
            queue.add(key)
        for key in range(100_000):
            queue.done(await queue.get())
            queue.add_after(key, 1 + key % 7)
        for _ in range(100_000):
            queue.done(await queue.get())

    faketime.run(main())


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from("abc"), st.sampled_from([0.0, 0.5, 1.0, 3.0]), st.sampled_from([0.0, 0.7, 2.0])
        ),
        max_size=25,
    )
)
def test_whatever_is_added_runs_after_it_was_added_and_never_twice_at_a_time(
    steps: list[tuple[str, float, float]],
) -> None:
    async def main() -> None:
        queue: WorkQueue[str] = WorkQueue()
        busy: Counter[str] = Counter()
        begun: dict[str, float] = {}

        async def work() -> None:
            while True:
                key = await queue.get()
                busy[key] += 1
                assert busy[key] == 1
                begun[key] = faketime.now()
                await asyncio.sleep(1.5)
                busy[key] -= 1
                queue.done(key)

        workers = [asyncio.create_task(work()) for _ in range(2)]
        wanted: dict[str, float] = {}
        for key, delay, pause in steps:
            queue.add_after(key, delay)
            wanted[key] = faketime.now()
            await asyncio.sleep(pause)
        await asyncio.sleep(100)
        assert all(begun.get(key, -1.0) >= time for key, time in wanted.items())
        assert (len(queue), queue.delayed) == (0, 0)
        queue.close()
        await asyncio.gather(*workers, return_exceptions=True)
        assert all(isinstance(worker.exception(), QueueClosed) for worker in workers)

    faketime.run(main())
