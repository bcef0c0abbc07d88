"""Notifiers are told of shifts once these have happened, and delay nothing."""

import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.runtime.harness import Bed
from tests.toys.around import BLOCKED, ToyNotifier, block, hang, stay
from turnout.decision.shares import split
from turnout.runtime import notifiers

ALONE, HALVES = "wisdom-0 100%", "wisdom-0 50% / wisdom-1 50%"


class Other(ToyNotifier):
    """A second notifier."""

    name = "other-notifier"


def started(make_bed: Callable[..., Bed], *plugins: ToyNotifier) -> Bed:
    """The primary alone, and a candidate that has just become ready."""
    bed = make_bed(*plugins)
    bed.version("wisdom-0")
    bed.policy()
    bed.start(settings={"plugins": {plugin.name: {} for plugin in plugins}})
    bed.until(lambda: bed.split() == ALONE)
    bed.version("wisdom-1")
    bed.until(lambda: bed.split() == HALVES)
    return bed


def test_a_shift_is_told_once(make_bed: Callable[..., Bed]) -> None:
    """A policy's first routes are no shift."""
    notifier = ToyNotifier()
    bed = started(make_bed, notifier)
    bed.settle()
    (shift,) = notifier.told
    assert (split(shift.before), split(shift.after), shift.gaining) == (ALONE, HALVES, ("wisdom-1",))
    assert shift.reasons["wisdom-1"] == "ready, weight 50 of 100"


BROKEN: dict[str, tuple[Any, str]] = {
    "raises": (OSError("no route to host"), "raised OSError: no route to host"),
    "exits": (SystemExit(3), "raised SystemExit: 3"),
    "hangs": (hang, "did not return within 10 s"),
    "stays": (stay, "did not return within 10 s"),
    "blocks": (block, "did not return within 10 s"),
}


@pytest.mark.parametrize(("says", "told"), BROKEN.values(), ids=BROKEN)
def test_one_that_fails_is_an_event_and_delays_nobody(
    make_bed: Callable[..., Bed], says: Any, told: str
) -> None:
    other = Other()
    bed = started(make_bed, ToyNotifier(says), other)
    bed.until(lambda: bed.events("NotifierFailed"))
    expected = f"notifier toy-notifier {told}; it has not been told of the shift"
    assert bed.events("NotifierFailed") == [expected]
    assert bed.condition("Ready") == ("True", "Ready")
    assert len(other.told) == 1


def test_shifts_that_wait_too_long_are_dropped(
    make_bed: Callable[..., Bed], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notifiers, "WAITING", 1)
    bed = started(make_bed, ToyNotifier(hang))
    for index in range(3):
        bed.weights(wisdom_0=10 + index, wisdom_1=80)
        bed.until(lambda index=index: bed.shares()["wisdom-0"] == 10 + index)  # type: ignore[misc]
    bed.until(lambda: any("has 1 shifts waiting" in told for told in bed.events("NotifierFailed")))


def test_one_that_blocks_delays_no_other_policy(make_bed: Callable[..., Bed]) -> None:
    notifier = ToyNotifier(block)
    bed = started(make_bed, notifier)
    bed.until(lambda: notifier.told)
    began = time.monotonic()
    bed.version("other-0")
    bed.policy("other")
    bed.until(lambda: bed.split("other") == "other-0 100%")
    assert time.monotonic() - began < BLOCKED / 2
