"""Tells what has moved: one log line, one event, and one call of each notifier for each shift."""

import logging
from collections.abc import Iterable

from turnout.decision.decide import Outcome
from turnout.decision.gain import gaining
from turnout.decision.shares import shares, split
from turnout.plugin import RoutePlan, Shift
from turnout.reasons import Reason
from turnout.runtime.events import Event, Recorder, about_policy
from turnout.runtime.keys import PolicyKey
from turnout.runtime.notifiers import Notifiers
from turnout.runtime.observer import Observer

log = logging.getLogger(__name__)


class Shifts:
    """Tells of shifts: the log, the policy's events, and notifiers."""

    def __init__(self, recorder: Recorder, notifiers: Notifiers, observer: Observer) -> None:
        self._recorder = recorder
        self._notifiers = notifiers
        self._observer = observer

    def tell(self, key: PolicyKey, uid: str, before: RoutePlan | None, outcome: Outcome) -> None:
        """Who, from what, to what, and why. A policy's first routes are no event: its status says them."""
        old, new = split(before), split(outcome.plan)
        if old == new or outcome.plan is None:
            return
        why = "; ".join(_why(before, outcome)) or "the policy changed"
        log.info(
            "shifted %s: %s -> %s (%s)",
            key,
            old or "nothing",
            new,
            why,
            extra={"policy": str(key), "from": old, "to": new, "why": why},
        )
        if before is None:
            return
        self._observer.shifted(key)
        about = about_policy(key.namespace, key.name)
        self._recorder.record(Event(about, uid, Reason.SHIFTED, f"{old} -> {new}: {why}"))
        gains = gaining(before, outcome.plan)
        shift = Shift(outcome.plan.policy, before, outcome.plan, gains, outcome.reasons)
        self._notifiers.tell(key, uid, shift)


def _why(before: RoutePlan | None, outcome: Outcome) -> Iterable[str]:
    """The reasons of the versions whose share has changed, or of all if only matches or mirrors have."""
    if outcome.held:
        yield str(outcome.held)
    old, new = shares(before), shares(outcome.plan)
    changed = [name for name in dict.fromkeys((*old, *new)) if old.get(name, 0) != new.get(name, 0)]
    for name in changed or outcome.reasons:
        if reason := outcome.reasons.get(name):
            yield f"{name}: {reason}"
