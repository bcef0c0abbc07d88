"""Plugins that do what a plugin must not. The loader takes them all: what is wrong shows when they run."""

import threading
from collections.abc import Sequence
from typing import Any

from tests.toys.table import CONFIG_MAP, ToyTable, ToyTableOptions
from turnout.plugin import Decision, Inputs, Kind, Manifest, Options, RoutePlan, Strategy


class Raises(Strategy[Options]):
    """Raises, whatever it is asked: `error`, which may be SystemExit or KeyboardInterrupt."""

    name = "toy-raises"
    options = Options

    def __init__(self, error: BaseException | None = None) -> None:
        self._error = error or ValueError("this strategy always fails")

    def decide(self, inputs: Inputs, options: Options) -> Decision:
        raise self._error


class Recurses(Strategy[Options]):
    """Calls itself until Python gives up."""

    name = "toy-recurses"
    options = Options

    def decide(self, inputs: Inputs, options: Options) -> Decision:
        return self.decide(inputs, options)


class Hangs(Strategy[Options]):
    """Does not return until `release` is set; then raises."""

    name = "toy-hangs"
    options = Options

    def __init__(self) -> None:
        self.release = threading.Event()

    def decide(self, inputs: Inputs, options: Options) -> Decision:
        self.release.wait()
        raise RuntimeError("released")


class Nonsense(Strategy[Options]):
    """Returns something else than a decision."""

    name = "toy-nonsense"
    options = Options

    def __init__(self, answer: Any = "everything to the newest") -> None:
        self._answer = answer

    def decide(self, inputs: Inputs, options: Options) -> Decision:
        return self._answer  # type: ignore[no-any-return]  # that is its point


class OldSteps(Strategy[Options]):
    """Claims the name of another plugin."""

    name = "toy-steps"
    options = Options

    def decide(self, inputs: Inputs, options: Options) -> Decision:
        raise NotImplementedError


class Oversteps(ToyTable):
    """A router that writes a kind which it did not declare."""

    name = "toy-oversteps"

    def render(self, plan: RoutePlan, options: ToyTableOptions) -> Sequence[Manifest]:
        assert CONFIG_MAP in self.writes
        return (*super().render(plan, options), Manifest(Kind("", ("v1",), "Secret", "secrets"), "loot", {}))
