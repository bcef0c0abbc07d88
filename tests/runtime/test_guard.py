"""Pure plugin code runs on a thread that can be given up, in order, and a hang costs only its plugin."""

import asyncio
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any

import pytest

from tests.toys.naughty import Hangs, Raises
from turnout.calling import Calls, PluginFailed, Quarantined
from turnout.plugin import Options
from turnout.runtime.guard import DecisionStuck, Guard

INPUTS: Any = None
LIMIT = 0.2


class Clock:
    """A clock that goes only when it is told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def run(test: Callable[[Guard, Clock], Coroutine[Any, Any, None]], *, limit: float = LIMIT) -> None:
    async def main() -> None:
        clock = Clock()
        guard = Guard(limit=limit, clock=clock)
        try:
            await test(guard, clock)
        finally:
            guard.close()

    asyncio.run(main())


def hang(calls: Calls, toy: Hangs | None = None) -> None:
    calls.to("toy-hangs", (toy or Hangs()).decide, INPUTS, Options())


def answer(calls: Calls) -> str:
    return calls.to("toy-good", lambda: threading.current_thread().name)


async def quarantine(guard: Guard, fn: Callable[[Calls], object] = hang) -> Quarantined:
    with pytest.raises(Quarantined) as caught:
        await guard.run(fn)
    return caught.value


def test_a_decision_runs_on_a_thread_of_its_own() -> None:
    async def test(guard: Guard, clock: Clock) -> None:
        assert await guard.run(answer) == "turnout-plugins"

    run(test)


def test_decisions_run_in_the_order_they_were_asked_for() -> None:
    async def test(guard: Guard, clock: Clock) -> None:
        order: list[int] = []

        def note(number: int, calls: Calls) -> None:
            order.append(number)

        await asyncio.gather(*(guard.run(partial(note, number)) for number in range(50)))
        assert order == list(range(50))

    run(test)


@pytest.mark.parametrize("error", [ValueError("bad"), SystemExit(3), KeyboardInterrupt(), StopIteration()])
def test_what_a_plugin_raises_reaches_the_caller_as_its_failure(error: BaseException) -> None:
    async def test(guard: Guard, clock: Clock) -> None:
        with pytest.raises(PluginFailed, match=f"decide raised {type(error).__name__}"):
            await guard.run(lambda calls: calls.to("toy-raises", Raises(error).decide, INPUTS, Options()))

    run(test)


def test_what_core_raises_reaches_the_caller_as_it_is() -> None:
    async def test(guard: Guard, clock: Clock) -> None:
        with pytest.raises(ZeroDivisionError):
            await guard.run(lambda calls: 1 / 0)
        with pytest.raises(RuntimeError, match="StopIteration escaped"):
            await guard.run(lambda calls: next(iter(())))

    run(test)


def test_a_plugin_that_hangs_is_quarantined() -> None:
    async def test(guard: Guard, clock: Clock) -> None:
        error = await quarantine(guard)

        assert (error.plugin, error.until) == ("toy-hangs", 1060.0)
        assert str(error) == (
            "plugin toy-hangs: did not return within 0.2 s; it is not called for the next 60 s"
        )
        assert guard.quarantined() == {"toy-hangs": 1060.0}

    run(test)


def test_the_others_go_on_at_once_on_a_new_thread() -> None:
    async def test(guard: Guard, clock: Clock) -> None:
        stuck = asyncio.create_task(quarantine(guard))
        await asyncio.sleep(0)
        began = time.monotonic()
        assert await guard.run(answer) == "turnout-plugins"
        assert time.monotonic() - began < 3 * LIMIT
        await stuck

    run(test)


def test_a_plugin_in_quarantine_is_refused_without_waiting() -> None:
    async def test(guard: Guard, clock: Clock) -> None:
        first = await quarantine(guard)
        clock.now += 59
        began = time.monotonic()
        second = await quarantine(guard)
        assert time.monotonic() - began < LIMIT / 2
        assert str(second) == str(first)
        assert second is not first  # or its traceback would grow with every policy

    run(test)


def test_it_is_called_again_when_its_time_is_over() -> None:
    async def test(guard: Guard, clock: Clock) -> None:
        await quarantine(guard)
        clock.now += 60
        assert await guard.run(lambda calls: calls.to("toy-hangs", int, "7")) == 7
        assert guard.quarantined() == {}

    run(test)


def hang_for(policy: str) -> Callable[[Calls], object]:
    return lambda calls: calls.about(policy, "toy-hangs", lambda: Hangs().decide(INPUTS, Options()))


def answer_for(policy: str) -> Callable[[Calls], object]:
    return lambda calls: calls.about(policy, "toy-hangs", lambda: "an answer")


def test_one_that_hangs_for_a_policy_is_called_for_others() -> None:
    async def test(guard: Guard, clock: Clock) -> None:
        error = await quarantine(guard, hang_for("models/evil"))
        assert str(error) == (
            "plugin toy-hangs for models/evil: did not return within 0.2 s; it is not called for the next 60 s"
        )
        assert str(await quarantine(guard, answer_for("models/evil"))) == str(error)
        assert await guard.run(answer_for("models/owl")) == "an answer"
        assert await guard.run(lambda calls: calls.to("toy-hangs", int, "7")) == 7

    run(test)


def test_one_that_hangs_for_three_policies_at_a_time_is_called_for_none() -> None:
    """Each takes the limit from all of them."""

    async def test(guard: Guard, clock: Clock) -> None:
        for policy in ("a", "b"):
            await quarantine(guard, hang_for(policy))
        assert await guard.run(answer_for("owl")) == "an answer"
        assert (await quarantine(guard, hang_for("c"))).plugin == "toy-hangs"
        assert (await quarantine(guard, answer_for("owl"))).plugin == "toy-hangs"
        clock.now += 60
        assert await guard.run(answer_for("a")) == "an answer"

    run(test)


def test_what_is_raised_for_a_policy_is_the_failure_of_the_plugin() -> None:
    async def test(guard: Guard, clock: Clock) -> None:
        with pytest.raises(PluginFailed, match=r"^plugin toy: fail raised ValueError: bad$"):
            await guard.run(lambda calls: calls.about("models/evil", "toy", fail))

    def fail() -> None:
        raise ValueError("bad")

    run(test)


def test_hanging_again_doubles_its_time_up_to_an_hour() -> None:
    async def test(guard: Guard, clock: Clock) -> None:
        delays = []
        for _ in range(8):
            until = (await quarantine(guard)).until
            delays.append(until - clock.now)
            clock.now = until
        assert delays == [60, 120, 240, 480, 960, 1920, 3600, 3600]

    run(test, limit=0.05)


def test_a_plugin_that_behaved_for_long_begins_anew() -> None:
    async def test(guard: Guard, clock: Clock) -> None:
        first = await quarantine(guard)
        clock.now = first.until + 61
        again = await quarantine(guard)
        assert again.until - clock.now == 60

    run(test)


def test_the_plugin_that_used_the_time_is_blamed_not_the_one_that_runs_last() -> None:
    def decision(calls: Calls) -> None:
        calls.to("toy-slow", time.sleep, LIMIT * 0.8)
        hang(calls)

    async def test(guard: Guard, clock: Clock) -> None:
        assert (await quarantine(guard, decision)).plugin == "toy-slow"

    run(test)


def test_time_outside_of_any_plugin_blames_none() -> None:
    async def test(guard: Guard, clock: Clock) -> None:
        with pytest.raises(DecisionStuck, match="outside of any plugin"):
            await guard.run(lambda calls: time.sleep(2 * LIMIT))
        assert guard.quarantined() == {}

    run(test)


def test_an_endless_loop_is_ended() -> None:
    thread: list[threading.Thread] = []

    def loop() -> None:
        thread.append(threading.current_thread())
        while True:
            pass

    async def test(guard: Guard, clock: Clock) -> None:
        await quarantine(guard, lambda calls: calls.to("toy-loops", loop))
        await asyncio.to_thread(thread[0].join, 5)
        assert not thread[0].is_alive()

    run(test)


def test_a_thread_that_was_given_up_ends_with_its_call() -> None:
    toy, thread = Hangs(), []

    def decision(calls: Calls) -> None:
        thread.append(threading.current_thread())
        hang(calls, toy)

    async def test(guard: Guard, clock: Clock) -> None:
        await quarantine(guard, decision)
        toy.release.set()
        await asyncio.to_thread(thread[0].join, 5)
        assert not thread[0].is_alive()

    run(test)


def test_a_caller_that_is_cancelled_leaves_the_next_in_order() -> None:
    async def test(guard: Guard, clock: Clock) -> None:
        toy = Hangs()
        task = asyncio.create_task(guard.run(lambda calls: hang(calls, toy)))
        await asyncio.sleep(LIMIT / 4)
        task.cancel()
        following = asyncio.create_task(guard.run(answer))
        await asyncio.sleep(LIMIT / 4)
        assert not following.done()
        toy.release.set()
        assert await following == "turnout-plugins"
        assert guard.quarantined() == {}

    run(test)


def test_a_result_wins_over_a_deadline_that_has_passed() -> None:
    async def test(guard: Guard, clock: Clock) -> None:
        task = asyncio.create_task(guard.run(lambda calls: calls.to("toy", time.sleep, LIMIT / 4)))
        await asyncio.sleep(0)
        time.sleep(LIMIT * 3)  # noqa: ASYNC251  the loop is what is held up
        await task
        assert guard.quarantined() == {}

    run(test)


STOPPED = """
import asyncio, os, time
from turnout.runtime.guard import Guard

def work(calls):
    def steps():
        spent = 0
        while spent < 20:
            time.sleep(0.01)
            spent += 1
    calls.to("toy", steps)

async def main():
    guard = Guard(limit=1.0)
    print("ready", flush=True)
    await guard.run(work)
    print(guard.quarantined(), flush=True)

asyncio.run(main())
"""


def test_a_process_that_was_stopped_does_not_quarantine() -> None:
    with subprocess.Popen([sys.executable, "-c", STOPPED], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        time.sleep(0.05)
        os.kill(process.pid, signal.SIGSTOP)
        time.sleep(1.5)
        os.kill(process.pid, signal.SIGCONT)
        assert process.stdout.readline() == "{}\n"


def test_a_hanging_plugin_does_not_block_exit() -> None:
    script = """
        import asyncio, threading
        from turnout.runtime.guard import Guard
        guard = Guard()
        async def main():
            task = asyncio.create_task(guard.run(lambda calls: calls.to("toy", threading.Event().wait)))
            await asyncio.sleep(0.05)
            task.cancel()
        asyncio.run(main())
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(script)], timeout=10, check=False)

    assert done.returncode == 0


def test_closing_cancels_what_waits() -> None:
    async def test(guard: Guard, clock: Clock) -> None:
        tasks = [asyncio.create_task(guard.run(hang)), asyncio.create_task(guard.run(answer))]
        await asyncio.sleep(0)
        guard.close()
        with pytest.raises(RuntimeError, match="closed"):
            await guard.run(answer)
        results = await asyncio.gather(*tasks, return_exceptions=True)
        assert [type(result) for result in results] == [asyncio.CancelledError] * 2

    run(test)
