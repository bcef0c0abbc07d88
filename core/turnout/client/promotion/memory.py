"""What a run of a promotion knows that nothing in the cluster tells. Another run finds it out anew."""

from dataclasses import dataclass, field
from typing import Any

from turnout.client.promotion.steps import Step
from turnout.client.promotion.terms import Progress, Terms

AGAIN = "promoting again goes on from there"


@dataclass(slots=True)
class Memory:
    """Times are those of `terms.clock`.

    `followed`: it was waited until nothing calls the primary any more. `replaced`: which of the primary's
    objects this run has written. `maybe`: since when objects say that they are ready, of which nothing tells
    since when that is. `settled`: those that have said so for long enough. `waiting`: for what, since when.
    `why`: why the primary is not ready.
    """

    terms: Terms
    followed: bool = False
    replaced: set[int] = field(default_factory=set)
    maybe: tuple[Any, float] | None = None
    settled: Any = None
    waiting: tuple[Step, float] | None = None
    why: str = ""
    said: str = ""

    def tell(self, number: int, told: str) -> None:
        """Say it, unless it was said just now."""
        if told != self.said:
            self.said = told
            self.terms.told(Progress(number, told))

    def since(self, step: Step) -> float:
        """For how many seconds this has been waited for, one step after the other."""
        now = self.terms.clock()
        if self.waiting is None or self.waiting[0] is not step:
            self.waiting = step, now
        return now - self.waiting[1]
