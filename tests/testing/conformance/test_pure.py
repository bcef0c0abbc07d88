"""What the suites of all axes check: names, options, faults, and that calls are pure."""

import logging
import os
import random
import socket
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from pydantic import field_validator

from tests.testing.conformance.checking import ELSEWHERE, Broken, checks, failures, skipped
from tests.testing.conformance.sound import (
    WIDGET,
    OfSoundEnvironment,
    SoundEnvironment,
    WidgetOptions,
)
from turnout.calling import Abandoned
from turnout.plugin import Fault, Observation, Policy
from turnout.plugin.reading import text
from turnout.runtime.guard import interrupt
from turnout.testing.builders import policy
from turnout.testing.conformance import EnvironmentConformance
from turnout.testing.conformance.axis import AxisConformance
from turnout.testing.conformance.watching import watched

Options = WidgetOptions


def of(plugin: type[SoundEnvironment], **given: Any) -> type[EnvironmentConformance]:
    """A suite of that plugin."""
    return type(plugin.__name__, (OfSoundEnvironment,), {"plugin": plugin(), "examples": 0, **given})


class Listed(SoundEnvironment):
    watches = [WIDGET]  # type: ignore[assignment]  # noqa: RUF012  its fault


class Namesake(SoundEnvironment):
    name = "istio"


class Brittle(WidgetOptions):
    """Options that know one kind of wrong value."""

    words: str = "a b"

    @field_validator("words", mode="before")
    @classmethod
    def _two(cls, value: Any) -> Any:
        return value.split()[1]


class Unforgiving(SoundEnvironment):
    options = Brittle


class Vague(SoundEnvironment):
    def check(self, policy: Policy, options: Options) -> Iterable[Fault]:
        yield Fault("weights", "are too heavy")


class Wordy(SoundEnvironment):
    def check(self, policy: Policy, options: Options) -> Iterable[Fault]:
        return ["it is too heavy"] if policy.namespace == "others" else []  # type: ignore[list-item]


class Gullible(SoundEnvironment):
    def check(self, policy: Policy, options: Options) -> Iterable[Fault]:
        return ()


class Reaching(SoundEnvironment):
    def reaches(self, options: Options) -> Iterable[tuple[str, str]]:
        yield "spec.gateway", "others"


class Marks(SoundEnvironment):
    def observe(self, obj: Mapping[str, Any]) -> Observation:
        seen = super().observe(obj)
        obj["seen"] = True  # type: ignore[index]  # its fault
        return seen


class Counts(SoundEnvironment):
    def __init__(self) -> None:
        self.asked = 0

    def check(self, policy: Policy, options: Options) -> Iterable[Fault]:
        self.asked += 1
        yield Fault("spec.modelName", f"found {policy.model_name} {self.asked} times")


class TellsTheTime(SoundEnvironment):
    def check(self, policy: Policy, options: Options) -> Iterable[Fault]:
        return super().check(policy, options) if datetime.now(UTC).year > 2000 else ()


class Hashes(SoundEnvironment):
    """Strings have other hashes in every process."""

    def check(self, policy: Policy, options: Options) -> Iterable[Fault]:
        return [Fault("spec.modelName", " ".join({"a", "b", "c", "d", "e", policy.model_name}))]


REMEMBERED: dict[str, list[Fault]] = {}


class Remembers(SoundEnvironment):
    """Takes policies of one name for the same."""

    def check(self, policy: Policy, options: Options) -> Iterable[Fault]:
        said = [Fault("spec.modelName", f"found it in {policy.cluster_domain}")]
        return REMEMBERED.setdefault(policy.name, said)


class Broad(SoundEnvironment):
    """Takes whatever it is given for text."""

    def observe(self, obj: Mapping[str, Any]) -> Observation:
        seen = super().observe(obj)
        assert text(obj.get("data")) != "\N{SNOWMAN}"
        return seen


BROKEN = (
    Broken(of(Listed), "test_it_is_a_plugin", "expected a tuple of at least one Kind"),
    Broken(of(Namesake), "test_its_name_is_its_own", "istio (turnout "),
    Broken(of(Unforgiving), "test_wrong_options_are_refused_by_their_path", 'options {"words": null}'),
    Broken(of(Vague), "test_faults_name_a_field_of_the_policy", 'found the path "weights"'),
    Broken(of(Wordy), "test_faults_name_a_field_of_the_policy", "it is too heavy"),
    Broken(of(Gullible, refused=(policy(model_name="owl"),)), "test_policies_are_refused", "found no fault"),
    Broken(of(Reaching), "test_what_it_reaches_is_named_by_an_option", "spec.gateway"),
    Broken(of(Marks), "test_arguments_are_left_as_they_were", "arguments[0].seen is in one of them alone"),
    Broken(of(Counts), "test_answers_do_not_depend_on_earlier_calls", "another answer the second time"),
    Broken(of(TellsTheTime), "test_calls_do_no_io", "the clock (datetime.now)"),
    Broken(of(Hashes), ELSEWHERE, "found another answer in another process"),
    Broken(of(Remembers), ELSEWHERE, "asked in another order: [0][1] is 'found it in cluster.local' and"),
)


@pytest.mark.parametrize("broken", BROKEN, ids=str)
def test_a_broken_rule_fails_its_check_alone(broken: Broken) -> None:
    REMEMBERED.clear()
    found = failures(broken.suite, elsewhere=broken.check == ELSEWHERE)

    assert list(found) == [broken.check]
    assert broken.says in found[broken.check]
    assert broken.suite.plugin.name in found[broken.check] or broken.check == "test_it_is_a_plugin"


def test_every_check_can_fail() -> None:
    assert {broken.check for broken in BROKEN} == set(checks(AxisConformance))


def test_a_policy_that_has_to_be_refused_is() -> None:
    assert failures(of(SoundEnvironment, refused=(policy(model_name="owl"),))) == {}


def test_options_of_the_suite_have_to_be_right() -> None:
    """Else every check says why it cannot begin."""
    (said, *_) = set(failures(of(SoundEnvironment, options=({"port": 0},))).values())

    assert "spec.config.sound-widgets.port: found 0, expected an integer 1..65535" in said


def test_a_plugin_that_cannot_be_sent_is_not_asked_elsewhere() -> None:
    """Nobody forbids it: the check says so, and is skipped."""

    class Local(SoundEnvironment):
        """Has no place in its module, where another process would look for it."""

    assert "cannot be sent to another process" in skipped(of(Local), ELSEWHERE)


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
        (uuid.uuid4, "the operating system (posix.urandom)"),
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

    assert any(seen in one for one in found), found


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

    assert found == []
    assert caplog.messages == ["odd"]


def test_a_profiler_at_work_is_left_alone() -> None:
    sys.setprofile(lambda frame, event, arg: None)
    try:
        assert "a profiler is at work" in skipped(of(SoundEnvironment), "test_calls_do_no_io")
    finally:
        sys.setprofile(None)


def test_hypothesis_finds_what_fixed_samples_do_not() -> None:
    class Deep(SoundEnvironment):
        """Stumbles over what is in no sample."""

        def observe(self, obj: Mapping[str, Any]) -> Observation:
            seen = super().observe(obj)
            data = obj.get("data")
            if isinstance(data, dict) and any(isinstance(value, float) for value in data.values()):
                raise TypeError("a float")
            return seen

    assert failures(of(Deep)) == {}
    assert "found TypeError: a float" in failures(of(Deep, examples=300))["test_any_object_is_observed"]


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
    assert found == []
