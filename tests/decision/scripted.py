"""A strategy that decides what a test says."""

from collections.abc import Callable
from typing import Any

from tests.decision.world import World
from turnout.plugin import Decision, Inputs, Options, Rule, Share, Strategy, Uses
from turnout.testing.builders import policy

Decide = Callable[[Inputs], Any]


class Scripted(Strategy[Options]):
    """Decides what it is told to, right or wrong, and remembers what it was asked."""

    name = "scripted"
    options = Options
    uses = frozenset(Uses)

    def __init__(self, decide: Decide) -> None:
        self._decide = decide
        self.asked: list[Inputs] = []

    def decide(self, inputs: Inputs, options: Options) -> Decision:
        self.asked.append(inputs)
        return self._decide(inputs)  # type: ignore[no-any-return]  # that a test may say anything is the point


def everything(inputs: Inputs, **fields: Any) -> Decision:
    """Everything to the primary. `fields`: Decision's others."""
    shares = (Share(inputs.version(inputs.primary), 100),)
    return Decision((Rule("default", shares),), **{"reasons": {}, **fields})


def world(decide: Decide, *versions: Any, **kwargs: Any) -> World:
    """The world of a policy that this decides, with every version ready."""
    made = World(Scripted(decide), policy(*versions), **kwargs)
    return made.ready(*made.accepted.refs)
