"""The suites of gates and notifiers, which are asked about shifts and told of them."""

import asyncio
import socket
import time
from datetime import timedelta
from typing import Any

import pytest
from pydantic import SecretStr

from tests.testing.conformance.checking import Broken, checks, failures, skipped
from turnout.plugin import Gate, GateAnswer, Notifier, Options, Shift
from turnout.testing.conformance import GateConformance, NotifierConformance
from turnout.testing.conformance.suite import Conformance


class TokenOptions(Options):
    """Whom to ask, and how."""

    address: str = ""
    """A host and a port."""
    token: SecretStr = SecretStr("correct-horse")
    """What it says there."""


class SoundGate(Gate[TokenOptions]):
    """Opens for all that it can tell."""

    name = "sound-gate"
    options = TokenOptions

    async def may_shift(self, shift: Shift, options: TokenOptions) -> Any:
        await asyncio.sleep(0.001)
        return GateAnswer(False, f"{', '.join(shift.gaining)} would gain", timedelta(minutes=1))


class SoundNotifier(Notifier[TokenOptions]):
    """Tells nobody, who is at work elsewhere."""

    name = "sound-notifier"
    options = TokenOptions

    async def shifted(self, shift: Shift, options: TokenOptions) -> None:
        await asyncio.to_thread(time.sleep, 0.001)


class Sleeps(SoundNotifier):
    """For a very short time."""

    async def shifted(self, shift: Shift, options: TokenOptions) -> None:
        time.sleep(0.001)  # noqa: ASYNC251  its fault


class Looks(SoundNotifier):
    async def shifted(self, shift: Shift, options: TokenOptions) -> None:
        socket.getaddrinfo("127.0.0.1", 9)


class Connects(SoundNotifier):
    async def shifted(self, shift: Shift, options: TokenOptions) -> None:
        with socket.socket() as made:
            made.connect_ex(("127.0.0.1", 9))


class Computes(SoundNotifier):
    async def shifted(self, shift: Shift, options: TokenOptions) -> None:
        began = time.monotonic()
        while len(shift.after.rules[0].shares) == 2 and time.monotonic() - began < 0.8:
            pass


class Stubborn(SoundGate):
    async def may_shift(self, shift: Shift, options: TokenOptions) -> Any:
        try:
            await asyncio.sleep(0.3)
        except asyncio.CancelledError:
            await asyncio.sleep(2)
        return GateAnswer(True)


class Patient(SoundGate):
    async def may_shift(self, shift: Shift, options: TokenOptions) -> Any:
        await asyncio.sleep(100)


class SaysYes(SoundGate):
    async def may_shift(self, shift: Shift, options: TokenOptions) -> Any:
        return True


class Wordless(SoundGate):
    async def may_shift(self, shift: Shift, options: TokenOptions) -> Any:
        return GateAnswer(False)


class InSeconds(SoundGate):
    async def may_shift(self, shift: Shift, options: TokenOptions) -> Any:
        return GateAnswer(False, "closed", 30)  # type: ignore[arg-type]  # its fault


class Eager(SoundGate):
    async def may_shift(self, shift: Shift, options: TokenOptions) -> Any:
        return GateAnswer(False, "closed", timedelta(0))


class Presumes(SoundNotifier):
    """That every shift gives a reason."""

    async def shifted(self, shift: Shift, options: TokenOptions) -> None:
        assert shift.reasons[shift.gaining[0]]


class Spills(SoundNotifier):
    async def shifted(self, shift: Shift, options: TokenOptions) -> None:
        raise OSError(f"https://hooks/{options.token.get_secret_value()} does not answer")


class Whispers(SoundGate):
    async def may_shift(self, shift: Shift, options: TokenOptions) -> Any:
        return GateAnswer(False, f"ask with {options.token.get_secret_value()}")


class Unreachable(SoundGate):
    async def may_shift(self, shift: Shift, options: TokenOptions) -> Any:
        raise OSError("nobody answers")


def of(plugin: type[SoundGate] | type[SoundNotifier], **given: Any) -> type[Any]:
    """A suite of that plugin."""
    base: type[Any] = GateConformance if issubclass(plugin, Gate) else NotifierConformance
    return type(plugin.__name__, (base,), {"plugin": plugin(), **given})


BROKEN = (
    Broken(of(Sleeps), "test_it_does_not_block", "found time.sleep; expected calls that are awaited"),
    Broken(of(Looks), "test_it_does_not_block", "found socket.getaddrinfo"),
    Broken(of(Connects), "test_it_does_not_block", "found connect_ex of a blocking socket"),
    Broken(of(Computes), "test_it_does_not_block", "an event loop that stood still for 0."),
    Broken(of(Stubborn), "test_it_ends_when_it_is_cancelled", "goes on 1 s after it was cancelled"),
    Broken(of(Patient, limit=0.3), "test_it_answers_in_time", "found no answer within 0.3 s"),
    Broken(of(SaysYes), "test_it_answers_whether_a_shift_may_happen", "found True; expected a GateAnswer"),
    Broken(of(Wordless), "test_it_answers_whether_a_shift_may_happen", "expected a sentence on one line"),
    Broken(of(InSeconds), "test_it_answers_whether_a_shift_may_happen", "ask_again_after to be a timedelta"),
    Broken(of(Eager), "test_it_answers_whether_a_shift_may_happen", "expected a second at least"),
    Broken(of(Presumes), "test_every_shift_is_understood", "found KeyError: 'm"),
    Broken(of(Spills), "test_secret_options_are_not_told", "the value of a secret option"),
    Broken(of(Whispers), "test_secret_options_are_not_told", "the value of a secret option"),
)


@pytest.mark.parametrize("plugin", [SoundGate, SoundNotifier, Unreachable])
def test_a_sound_plugin_passes(plugin: type[Any]) -> None:
    """That others do not answer is no fault of its."""
    assert failures(of(plugin)) == {}


@pytest.mark.parametrize("broken", BROKEN, ids=lambda one: f"{one}-{one.suite.__name__}")
def test_a_broken_rule_fails_its_check_alone(broken: Broken) -> None:
    found = failures(broken.suite)

    assert list(found) == [broken.check]
    assert broken.says in found[broken.check]


def test_every_check_of_its_own_can_fail() -> None:
    own = (set(checks(GateConformance)) | set(checks(NotifierConformance))) - set(checks(Conformance))
    assert {broken.check for broken in BROKEN} == own


def test_a_gate_that_never_answers_says_so() -> None:
    why = skipped(of(Unreachable), "test_it_answers_whether_a_shift_may_happen")

    assert "give the suite `options` with which it does" in why
