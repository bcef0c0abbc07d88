"""Asks gates whether traffic may shift. A decision never waits for them: it goes by what they said last."""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Collection, Coroutine, Iterable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from turnout.calling import MESSAGE_LIMIT
from turnout.plugin import Gate, GateAnswer, Options, Shift
from turnout.runtime.clock import Clock
from turnout.runtime.keys import PolicyKey
from turnout.runtime.observer import RAISED, Observer
from turnout.runtime.plugin_loops import CallFailed, PluginLoops
from turnout.shapes import repr_of
from turnout.shown import plain

log = logging.getLogger(__name__)

LIMIT = 5.0
"""Seconds for one answer."""
SOONEST = 1.0
"""Seconds until a gate is asked again, at the least."""


@dataclass(frozen=True, slots=True)
class Closed:
    """Why a shift may not happen, and the seconds until the gates are asked again; None while they are.

    `gates`: the names of those that are closed.
    """

    reason: str
    again: float | None = None
    gates: tuple[str, ...] = ()


@dataclass(slots=True)
class _Asked:
    """What gates have said of a shift."""

    mark: object
    closed: Closed | None = Closed("the gates are being asked")
    until: float = 0.0
    asking: bool = False


class Gates:
    """The gates that the administrator has set. All must be open at once.

    `fail_open`: those that count as open when they fail. `woken` is called when there is an answer.
    """

    def __init__(
        self,
        gates: Iterable[tuple[Gate[Any], Options]],
        fail_open: Collection[str],
        clock: Clock,
        loops: PluginLoops,
        *,
        spawn: Callable[[Coroutine[Any, Any, None]], object],
        woken: Callable[[PolicyKey], None],
        observer: Observer,
    ) -> None:
        self._gates = tuple(gates)
        self._fail_open = frozenset(fail_open)
        self._clock = clock
        self._loops = loops
        self._spawn = spawn
        self._woken = woken
        self._observer = observer
        self._asked: dict[PolicyKey, _Asked] = {}

    def __bool__(self) -> bool:
        return bool(self._gates)

    def closed(self, key: PolicyKey, shift: Shift, mark: object) -> Closed | None:
        """Why the shift may not happen yet; None if it may. `mark` is equal for equal shifts."""
        asked = self._asked.get(key)
        if asked is None or asked.mark != mark:
            asked = self._asked[key] = _Asked(mark)
        if asked.closed is None or asked.asking:
            return asked.closed
        left = asked.until - self._clock.monotonic()
        if left > 0:
            return replace(asked.closed, again=left)
        asked.asking = True
        self._spawn(self._ask(key, shift, asked))
        return asked.closed

    def forget(self, key: PolicyKey) -> None:
        """Nothing of the policy's is to shift any more."""
        self._asked.pop(key, None)

    def shut(self) -> Counter[str]:
        """How many shifts wait for each of the gates."""
        shut: Counter[str] = Counter(dict.fromkeys((gate.name for gate, _ in self._gates), 0))
        for asked in self._asked.values():
            shut.update(asked.closed.gates if asked.closed else ())
        return shut

    async def _ask(self, key: PolicyKey, shift: Shift, asked: _Asked) -> None:
        answers = await asyncio.gather(*(self._one(key, *gate, shift) for gate in self._gates))
        closed = [
            (gate.name, said) for (gate, _), said in zip(self._gates, answers, strict=True) if not said.open
        ]
        if closed:
            wait = max(SOONEST, *(said.ask_again_after.total_seconds() for _, said in closed))
            asked.until = self._clock.monotonic() + wait
            told = "; ".join(f"{name}: {_sentence(said)}" for name, said in closed)
            asked.closed = Closed(told, gates=tuple(name for name, _ in closed))
        else:
            asked.closed = None
        asked.asking = False
        self._woken(key)

    async def _one(self, key: PolicyKey, gate: Gate[Any], options: Options, shift: Shift) -> GateAnswer:
        """A gate's answer, or what counts for one that fails or takes too long."""
        try:
            said: object = await self._loops.call(
                gate.name, key, lambda: gate.may_shift(shift, options), LIMIT
            )
        except CallFailed as error:
            problem, how = str(error), error.how
        else:
            if isinstance(said, GateAnswer) and _sound(said):
                return said
            problem, how = f"returned {repr_of(said)}, expected a GateAnswer", RAISED
        self._observer.plugin_failed(gate.name, how)
        opened = gate.name in self._fail_open
        counts = "open" if opened else "closed"
        about = {"policy": str(key), "plugin": gate.name}
        log.warning("%s: gate %s %s; it counts as %s", key, gate.name, problem, counts, extra=about)
        return GateAnswer(opened, f"it {problem}")


def _sentence(answer: GateAnswer) -> str:
    """Why a gate is closed, on one line."""
    return plain(" ".join(answer.reason.split()), MESSAGE_LIMIT) or "closed"


def _sound(answer: GateAnswer) -> bool:
    """Whether a plugin has kept to the types."""
    kinds = {"open": bool, "reason": str, "ask_again_after": timedelta}
    return all(isinstance(getattr(answer, name), kind) for name, kind in kinds.items())
