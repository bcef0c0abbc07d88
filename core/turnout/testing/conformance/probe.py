"""The suite of probes."""

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any, ClassVar

from turnout.plugin import Probe, Route
from turnout.testing.conformance.asking import ask
from turnout.testing.conformance.asynchronous import AsyncConformance, Question
from turnout.testing.conformance.suite import needed


class ProbeConformance(AsyncConformance[Probe[Any]]):
    """What every probe does, as far as it can be told without proxies.

    A subclass gives `plugin`; `options`, with an address at which nobody answers, such as 127.0.0.1:9; and
    `routes`, as its router would write them.
    """

    axis: ClassVar[Any] = Probe
    method: ClassVar[str] = "in_force"
    limit: ClassVar[float] = 2.0

    routes: ClassVar[Sequence[Route]] = needed(
        "routes that can be asked about, as its router would write them",
        'routes = (Route(KIND, "models", "wisdom", {"spec": …}),)',
    )
    """Routes that can be asked about."""

    def questions(self) -> Iterator[Question]:
        if not self.routes:
            raise self.skip("the suite has no `routes`")
        for label, options in self.parsed():
            where = f"in_force with options {label}"
            yield Question(where, options, partial(self.plugin.in_force, self.routes, options))

    def test_silence_is_no_consent(self) -> None:
        """Where nobody answers, routes are not in force: a deleted version would go too early.

        An exception counts as None, as it does for the controller.
        """
        for one in self.questions():
            said = ask(one.ask, self.limit).said
            if said is not None:
                where = f"{one.where}, whose addresses nobody answers at"
                raise self.fault(where, repr(said), "None, where that cannot be told", self.rule)
