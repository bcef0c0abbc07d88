"""What holds for the plugins that do I/O: they let others run, end in time, and tell no secrets."""

from collections.abc import Awaitable, Callable, Iterator
from typing import Any, ClassVar, NamedTuple

from turnout.calling import describe
from turnout.plugin import Shift
from turnout.testing.conformance.asking import GRACE, Asked, ask
from turnout.testing.conformance.secret_options import secrets_in
from turnout.testing.conformance.shifts import shifts
from turnout.testing.conformance.suite import Conformance, PluginT

BLOCKED = 0.5
"""Seconds for which the loop may stand still: other machines are slower."""
SOON = 0.2
"""Seconds after which a call is cancelled."""
MISTAKES = (
    TypeError,
    AttributeError,
    LookupError,
    NameError,
    ArithmeticError,
    AssertionError,
    NotImplementedError,
)
"""What no network raises."""


class Question(NamedTuple):
    """One call. `where` says to people what it is about."""

    where: str
    options: Any
    ask: Callable[[], Awaitable[Any]]


class AsyncConformance(Conformance[PluginT]):
    """Checks of the method that is awaited. `options` may name addresses at which nobody answers."""

    method: ClassVar[str]
    """Which one is awaited."""

    limit: ClassVar[float]
    """Seconds for an answer, as the controller gives them."""

    def questions(self) -> Iterator[Question]:
        """Calls of the method, one at least with each of the options."""
        raise NotImplementedError

    @property
    def rule(self) -> str:
        """Where it is written what the method does."""
        return f"turnout.plugin.{self.axis.__name__}.{self.method}"

    def test_it_answers_in_time(self) -> None:
        """It has a time limit of its own, and ends before the controller cancels it."""
        for one in self._each():
            if ask(one.ask, self.limit).seconds >= self.limit:
                found = f"no answer within {self.limit:g} s"
                raise self.fault(one.where, found, "a time limit of its own", self.rule)

    def test_it_does_not_block(self) -> None:
        """It has one event loop, on which its calls for other policies wait while it does not await.

        That is neither `time.sleep` nor a blocking socket, for however short a time.
        """
        for one in self._each():
            asked = ask(one.ask, self.limit)
            if not asked.blocking and asked.stood_still > BLOCKED:
                asked = ask(one.ask, self.limit)  # imports take long, and only once
            told = _blocked(asked)
            if told:
                expected = "calls that are awaited, or made with asyncio.to_thread"
                raise self.fault(one.where, told, expected, self.rule)

    def test_it_ends_when_it_is_cancelled(self) -> None:
        """A call that goes on after it was cancelled keeps the policy's next ones from being made."""
        for one in self._each():
            if not ask(one.ask, SOON).ended:
                found = f"a call that goes on {GRACE:g} s after it was cancelled"
                raise self.fault(one.where, found, "asyncio.CancelledError to be raised on", self.rule)

    def test_secret_options_are_not_told(self) -> None:
        """The value of an option of type SecretStr is in no answer and no error: others read events."""
        for one in self._each():
            secrets = list(secrets_in(one.options))
            asked = ask(one.ask, self.limit) if secrets else Asked()
            told = f"{asked.said!r} {asked.error and describe(asked.error)}"
            if any(secret in told for secret in secrets):
                expected = "no secret in what it answers or raises"
                raise self.fault(one.where, "the value of a secret option", expected, self.rule)

    def _each(self) -> Iterator[Question]:
        """One question for each of the options: all of them would take long."""
        known = []
        for one in self.questions():
            if one.options not in known:
                known.append(one.options)
                yield one


class ShiftConformance(AsyncConformance[PluginT]):
    """What holds for those that are asked about shifts, or told of them."""

    def questions(self) -> Iterator[Question]:
        for label, options in self.parsed():
            for about, shift in shifts():
                where = f'{self.method} of "{about}" with options {label}'
                yield Question(where, options, self._about(shift, options))

    def _about(self, shift: Shift, options: Any) -> Callable[[], Awaitable[Any]]:
        method: Callable[..., Awaitable[Any]] = getattr(self.plugin, self.method)
        return lambda: method(shift, options)

    def test_every_shift_is_understood(self) -> None:
        """Whatever shifts, it makes no mistake. Where nobody answers it may raise, but not a KeyError."""
        for one in self.questions():
            asked = ask(one.ask, self.limit)
            if isinstance(asked.error, MISTAKES):
                expected = "an answer, or an error of whom it calls"
                raise self.fault(one.where, describe(asked.error), expected, self.rule)


def _blocked(asked: Asked) -> str | None:
    if asked.blocking:
        return ", ".join(asked.blocking)
    if asked.stood_still > BLOCKED:
        return f"an event loop that stood still for {asked.stood_still:.1f} s"
    return None
