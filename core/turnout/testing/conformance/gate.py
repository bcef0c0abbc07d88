"""The suite of gates."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any, ClassVar

from turnout.plugin import Gate, GateAnswer
from turnout.shapes import repr_of
from turnout.testing.conformance.asking import ask
from turnout.testing.conformance.asynchronous import ShiftConformance

ANSWER = "turnout.plugin.GateAnswer"
_KINDS: tuple[tuple[str, type], ...] = (("open", bool), ("reason", str), ("ask_again_after", timedelta))


class GateConformance(ShiftConformance[Gate[Any]]):
    """What every gate does. A subclass gives `plugin`, and `options` with which it answers."""

    axis: ClassVar[Any] = Gate
    method: ClassVar[str] = "may_shift"
    limit: ClassVar[float] = 5.0

    def test_it_answers_whether_a_shift_may_happen(self) -> None:
        """It returns a GateAnswer; a closed one has a reason on one line, and asks for a second at least."""
        answers = 0
        for one in self.questions():
            asked = ask(one.ask, self.limit)
            answers += asked.answered
            for found, expected in _faults(asked.said) if asked.answered else ():
                raise self.fault(one.where, found, expected, ANSWER)
        if not answers:
            raise self.skip("it answers to nothing; give the suite `options` with which it does")


def _faults(said: object) -> Iterator[tuple[str, str]]:
    if not isinstance(said, GateAnswer):
        yield repr_of(said), "a GateAnswer"
        return
    for name, kind in _KINDS:
        if not isinstance(value := getattr(said, name), kind):
            yield f"{name}={repr_of(value)}", f"{name} to be a {kind.__name__}"
            return
    if not said.open and (not said.reason.strip() or "\n" in said.reason):
        yield f"reason={said.reason!r}", "a sentence on one line: people see it while the gate is closed"
    if not said.open and said.ask_again_after < timedelta(seconds=1):
        yield f"ask_again_after={said.ask_again_after}", "a second at least"
