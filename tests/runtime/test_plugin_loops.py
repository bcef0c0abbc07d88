"""Async plugin code runs on threads of its own: it may block, or refuse to end, and costs nobody else anything."""

import asyncio
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest

from turnout.runtime import daemons, plugin_loops
from turnout.runtime.plugin_loops import CallFailed, PluginLoops

LIMIT = 0.4
BLOCKS = "plugin toy: a call blocks the event loop of its plugin; others are made on a new thread"
GOES_ON = "plugin toy: a call goes on after it was cancelled; nobody waits for it any more"

Fn = Callable[[], Awaitable[object]]


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plugin_loops, "GRACE", LIMIT)


def run(test: Callable[[PluginLoops], Coroutine[Any, Any, None]]) -> None:
    async def main() -> None:
        loops = PluginLoops()
        try:
            await test(loops)
        finally:
            loops.close()

    asyncio.run(main())


async def ask(loops: PluginLoops, fn: Fn, key: str = "a", plugin: str = "toy") -> object:
    """The answer, or what is said in its place."""
    try:
        return await loops.call(plugin, key, fn, LIMIT)
    except CallFailed as error:
        return f"failed: {error}"


LATE = f"failed: did not return within {LIMIT:g} s"


async def where() -> str:
    return threading.current_thread().name


@contextmanager
def blocked() -> Iterator[Fn]:
    """A call that blocks its thread until the test is over."""
    over = threading.Event()

    async def block() -> None:
        over.wait()

    try:
        yield block
    finally:
        over.set()


@contextmanager
def stubborn() -> Iterator[Fn]:
    """A call that does not let itself be cancelled until the test is over."""
    over = threading.Event()

    async def stay() -> None:
        while not over.is_set():
            with suppress(BaseException):
                await asyncio.sleep(0.01)

    try:
        yield stay
    finally:
        over.set()


def test_calls_of_a_plugin_share_a_loop_on_its_thread() -> None:
    async def loop() -> object:
        return asyncio.get_running_loop()

    async def test(loops: PluginLoops) -> None:
        assert await ask(loops, where) == "turnout-toy"
        assert await ask(loops, where, plugin="other") == "turnout-other"
        assert await ask(loops, loop) is await ask(loops, loop, "b")

    run(test)


@pytest.mark.parametrize(
    "error", [ValueError("bad"), SystemExit(3), KeyboardInterrupt(), asyncio.CancelledError()]
)
def test_what_is_raised_is_told(error: BaseException) -> None:
    async def fail() -> None:
        raise error

    async def test(loops: PluginLoops) -> None:
        assert str(await ask(loops, fail)).startswith(f"failed: raised {type(error).__name__}")
        assert await ask(loops, where) == "turnout-toy"

    run(test)


def test_one_that_takes_too_long_is_cancelled(caplog: pytest.LogCaptureFixture) -> None:
    ended: list[str] = []

    async def sleep() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            ended.append("cancelled")

    async def test(loops: PluginLoops) -> None:
        assert await ask(loops, sleep) == LATE
        assert ended == ["cancelled"]
        assert await ask(loops, where) == "turnout-toy"

    run(test)
    assert caplog.messages == []


def test_one_that_blocks_holds_up_neither_the_caller_nor_others(caplog: pytest.LogCaptureFixture) -> None:
    """Of its own plugin's calls those that wait with it; the next ones are made on a new thread."""

    async def test(loops: PluginLoops) -> None:
        with blocked() as block:
            late: list[float] = []

            async def beat() -> None:
                while True:
                    began = time.monotonic()
                    await asyncio.sleep(0.01)
                    late.append(time.monotonic() - began)

            beating = asyncio.create_task(beat())
            asked = [asyncio.create_task(ask(loops, *one)) for one in ((block,), (where, "b"))]
            assert await ask(loops, where, plugin="other") == "turnout-other"
            assert await asyncio.gather(*asked) == [LATE, LATE]
            beating.cancel()
            assert max(late) < LIMIT
            assert await ask(loops, where, "b") == "turnout-toy"

    run(test)
    assert caplog.messages == [BLOCKS]


def test_the_call_that_blocks_is_not_made_again_before_it_has_ended() -> None:
    async def test(loops: PluginLoops) -> None:
        with blocked() as block:
            await ask(loops, block)
            began = time.monotonic()
            assert await ask(loops, where) == LATE
            assert time.monotonic() - began < LIMIT
        await until(lambda: ask(loops, where), "turnout-toy")

    run(test)


async def until(answer: Callable[[], Coroutine[Any, Any, object]], expected: object) -> None:
    async with asyncio.timeout(5):
        while await answer() != expected:  # noqa: ASYNC110 - a thread ends
            await asyncio.sleep(0.01)


def test_a_thread_is_told_of_once_and_there_are_not_many(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plugin_loops, "MOST", 2)

    async def test(loops: PluginLoops) -> None:
        with blocked() as block:
            assert [await ask(loops, block, key) for key in "ab"] == [LATE, LATE]
            assert await ask(loops, where, "c") == "failed: blocks 2 threads"
        await until(lambda: ask(loops, where, "c"), "turnout-toy")

    run(test)
    assert caplog.messages == [BLOCKS]


def test_an_endless_loop_is_ended() -> None:
    """Or it would take processor time from the controller for ever."""
    threads: list[threading.Thread] = []

    async def spin() -> None:
        threads.append(threading.current_thread())
        while True:
            pass

    async def test(loops: PluginLoops) -> None:
        assert await ask(loops, spin) == LATE
        threads[0].join(5)
        assert not threads[0].is_alive()

    run(test)


def test_one_that_does_not_let_itself_be_cancelled_is_left(caplog: pytest.LogCaptureFixture) -> None:
    """It is not called again meanwhile for the same policy, and for others it is."""

    async def test(loops: PluginLoops) -> None:
        with stubborn() as stay:
            assert [await ask(loops, stay, key) for key in "ab"] == [LATE, LATE]
            assert await ask(loops, where) == LATE
            assert await ask(loops, where, "c") == "turnout-toy"
        await until(lambda: ask(loops, where), "turnout-toy")

    run(test)
    assert caplog.messages == [GOES_ON]


def test_a_caller_that_is_cancelled_cancels_the_call() -> None:
    began, ended = threading.Event(), threading.Event()

    async def sleep() -> None:
        began.set()
        try:
            await asyncio.sleep(60)
        finally:
            ended.set()

    async def test(loops: PluginLoops) -> None:
        asked = asyncio.create_task(ask(loops, sleep))
        await asyncio.to_thread(began.wait, 5)
        asked.cancel()
        assert await asyncio.to_thread(ended.wait, 5)

    run(test)


def test_calls_on_other_threads_take_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    """As those of `asyncio.to_thread` always do."""
    monkeypatch.setattr(daemons, "MOST", 2)
    most: list[int] = []

    async def call() -> None:
        free = threading.Semaphore(0)

        def work() -> None:
            most.append(sum(thread.name == "turnout-to-thread" for thread in threading.enumerate()))
            free.acquire(timeout=0.01)

        await asyncio.gather(*(asyncio.to_thread(work) for _ in range(6)))
        with pytest.raises(ValueError, match="bad"):
            await asyncio.to_thread(fail)

    def fail() -> None:
        raise ValueError("bad")

    async def test(loops: PluginLoops) -> None:
        assert await ask(loops, call) is None

    run(test)
    assert (len(most), max(most)) == (6, 2)


@pytest.mark.parametrize(
    "body",
    [
        "time.sleep(60)",
        "while True:\n            try: await asyncio.sleep(60)\n            except BaseException: pass",
        "await asyncio.to_thread(time.sleep, 60)",
    ],
    ids=["blocks", "stays", "blocks another thread"],
)
def test_the_process_ends_without_waiting(body: str) -> None:
    program = f"""
    import asyncio, time
    from turnout.runtime.plugin_loops import CallFailed, PluginLoops

    async def call():
        {body}

    async def main():
        loops = PluginLoops()
        try:
            await loops.call("toy", "a", call, 0.2)
        except CallFailed as error:
            print(error)
        loops.close()

    asyncio.run(main())
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)],
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )
    assert done.stdout == "did not return within 0.2 s\n"
