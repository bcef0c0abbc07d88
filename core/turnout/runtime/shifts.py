"""Tells people what has moved: one log line and one event for each shift."""

import logging
from collections.abc import Iterable

from turnout.decision.decide import Outcome
from turnout.decision.shares import shares, split
from turnout.plugin import RoutePlan
from turnout.reasons import Reason
from turnout.runtime.events import Event, Recorder, about_policy
from turnout.runtime.keys import PolicyKey

log = logging.getLogger(__name__)


def tell(recorder: Recorder, key: PolicyKey, uid: str, before: RoutePlan | None, outcome: Outcome) -> None:
    """Who, from what, to what, and why. The first routes of a policy are no event: its status says it."""
    old, new = split(before), split(outcome.plan)
    if old == new:
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
    if old:
        about = about_policy(key.namespace, key.name)
        recorder.record(Event(about, uid, Reason.SHIFTED, f"{old} -> {new}: {why}"))


def _why(before: RoutePlan | None, outcome: Outcome) -> Iterable[str]:
    """The reasons of the versions whose share has changed, or of all if only matches or mirrors have."""
    if outcome.held:
        yield str(outcome.held)
    old, new = shares(before), shares(outcome.plan)
    changed = [name for name in dict.fromkeys((*old, *new)) if old.get(name, 0) != new.get(name, 0)]
    for name in changed or outcome.reasons:
        if reason := outcome.reasons.get(name):
            yield f"{name}: {reason}"
