"""What is seen of a call that reaches beyond its arguments, and what is none of its affair."""

import functools
import importlib.resources
import logging
import os
import random
import re
import secrets
import socket
import subprocess
import threading
import time
import uuid
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

import turnout
from turnout.calling import Abandoned
from turnout.runtime.guard import interrupt
from turnout.testing.builders import policy
from turnout.testing.conformance.watching import watched


def read_file() -> None:
    Path(__file__).read_bytes()


def connect() -> None:
    with socket.socket() as made:
        made.connect_ex(("127.0.0.1", 9))


@pytest.mark.parametrize(
    ("step", "seen"),
    [
        (time.time, "the clock (time.time)"),
        (lambda: time.sleep(0), "the clock (time.sleep)"),
        (date.today, "the clock (date.today)"),
        (lambda: datetime.now(UTC), "the clock (datetime.now)"),
        (random.random, "chance (random.random)"),
        (lambda: random.choice("ab"), "chance (random.getrandbits)"),
        (uuid.uuid4, "chance (posix.urandom)"),
        (lambda: secrets.token_hex(4), "chance (posix.urandom)"),
        (lambda: random.Random().random(), "chance (random.Random without a seed)"),
        (lambda: random.SystemRandom().random(), "chance (posix.urandom)"),
        (read_file, "open)"),
        (lambda: Path(__file__).exists(), "the operating system (posix.stat)"),
        (connect, "the network (socket.connect_ex)"),
        (lambda: socket.getaddrinfo("127.0.0.1", 9), "the network (_socket.getaddrinfo)"),
        (lambda: subprocess.run(["true"], check=True), "another process (_posixsubprocess.fork_exec)"),
        (lambda: os.environ.get("HOME"), "a variable of the environment (os.environ)"),
        (lambda: print(end=""), "a file (print)"),  # noqa: T201  what is to be seen
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_reaches_beyond_its_arguments_is_seen(step: Callable[[], object], seen: str) -> None:
    with watched() as found:
        step()

    assert any(seen in one for one in found.all()), found.all()


def work() -> None:
    """What a plugin may well do: a first import, a log line, paths as text, dates that it was given."""
    import this_is_no_module_but_a_search_for_one  # type: ignore[import-not-found]  # noqa: F401


def logs() -> None:
    logging.getLogger("plugin").warning("odd")
    assert os.path.join("a", "b") == "a/b"  # noqa: PTH118
    assert datetime(2026, 1, 1, tzinfo=UTC).isoformat().startswith("2026")


def test_what_others_do_on_the_way_is_not_the_plugins_affair(caplog: pytest.LogCaptureFixture) -> None:
    """An import reads files, a log line has a time."""
    with watched() as found:
        with pytest.raises(ImportError):
            work()
        logs()

    assert found.all() == []
    assert caplog.messages == ["odd"]


def test_numbers_that_follow_from_a_seed_are_no_chance() -> None:
    """They are the same every time."""
    with watched() as found:
        dice = random.Random(7)
        dice.choice("ab"), dice.random(), dice.sample(range(9), 3)

    assert found.all() == []


def test_the_seed_of_all_is_somebody_elses() -> None:
    with watched() as found:
        random.shuffle([1, 2, 3])

    assert found.all() == ["chance (random.getrandbits)"]


def test_files_of_packages_are_told_from_others(tmp_path: Path) -> None:
    """A resource beside a module is part of the program; a file of the machine is not."""
    other = tmp_path / "settings"
    other.write_text("x")
    with watched() as resource:
        importlib.resources.files("turnout").joinpath("py.typed").read_text("utf-8")
    with watched() as both:
        importlib.resources.files("turnout").joinpath("py.typed").read_text("utf-8")
        other.read_text("utf-8")
    library = [Path(turnout.__file__).parent]

    assert resource.all() != []
    assert resource.beyond(library) == []
    assert any("open" in one for one in both.beyond(library))


def test_what_a_program_does_once_is_seen_once() -> None:
    """A cache does no harm by itself."""

    @functools.cache
    def pattern(text: str) -> re.Pattern[str]:
        return re.compile(text)

    with watched() as found:
        pattern("a+")
        datetime.strptime("2026-01-01", "%Y-%m-%d")

    assert found.all() == []


def test_calls_are_watched_beside_a_plugin_that_was_interrupted_in_vain() -> None:
    """Python 3.11 would run the first of them for ever."""
    release = threading.Event()

    def wait() -> None:
        with suppress(Abandoned):
            release.wait()

    stuck = threading.Thread(target=wait, daemon=True)
    stuck.start()
    interrupt(stuck)
    with watched() as found:
        policy()
    release.set()
    stuck.join(10)
    assert found.all() == []
