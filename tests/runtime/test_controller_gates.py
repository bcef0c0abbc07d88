"""Gates have a say before traffic shifts to a version, and in nothing else."""

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from tests.runtime.harness import Bed, isvc, vs
from tests.runtime.moves.moving import host
from tests.toys.around import BLOCKED, ToyGate, block, hang, stay
from turnout.decision.shares import split
from turnout.plugin import Gate, GateAnswer, Options, Shift

NOT_NOW = GateAnswer(False, "not before nine", timedelta(seconds=10))
SETTINGS: dict[str, Any] = {"plugins": {"toy-gate": {}}}
ALONE, HALVES = "wisdom-0 100%", "wisdom-0 50% / wisdom-1 50%"


@pytest.fixture
def gate() -> ToyGate:
    return ToyGate()


@pytest.fixture
def alone(make_bed: Callable[..., Bed], gate: ToyGate) -> Bed:
    """The primary carries everything; the gate has not been asked."""
    bed = make_bed(gate)
    bed.version("wisdom-0")
    bed.policy()
    bed.start(settings=SETTINGS)
    bed.until(lambda: bed.split() == ALONE)
    bed.settle()
    assert gate.asked == []
    return bed


def test_a_closed_gate_keeps_the_routes_as_they_are(alone: Bed, gate: ToyGate) -> None:
    gate.says = NOT_NOW
    alone.version("wisdom-1")
    alone.until(lambda: alone.message("Routed").startswith("toy-gate: not before nine"))
    assert alone.condition("Routed") == ("True", "Gated")
    assert alone.message("Routed") == f"toy-gate: not before nine; then: {HALVES}"
    assert alone.split() == ALONE
    assert alone.shares() == {"wisdom-0": 100}
    assert alone.events("Gated") == [f"{HALVES} waits: toy-gate: not before nine"]
    alone.sleep(35)
    assert 3 <= len(gate.asked) <= 5
    assert alone.shares() == {"wisdom-0": 100}
    assert len(alone.events("Gated")) == 1

    gate.says = GateAnswer(True)
    alone.until(lambda: alone.shares() == {"wisdom-0": 50, "wisdom-1": 50})
    alone.until(lambda: alone.condition("Routed") == ("True", "InForce"))


def test_an_open_gate_is_asked_once_for_each_shift(alone: Bed, gate: ToyGate) -> None:
    alone.version("wisdom-1")
    alone.until(lambda: alone.split() == HALVES)
    alone.settle()
    (shift,) = gate.asked
    assert (split(shift.before), split(shift.after), shift.gaining) == (ALONE, HALVES, ("wisdom-1",))
    assert alone.events("Gated") == []
    alone.weights(wisdom_0=20, wisdom_1=80)
    alone.until(lambda: alone.shares() == {"wisdom-0": 20, "wisdom-1": 80})
    assert len(gate.asked) == 2


@pytest.fixture
def halves(alone: Bed, gate: ToyGate) -> Bed:
    """Both carry calls, and the gate is closed from now on."""
    alone.version("wisdom-1")
    alone.until(lambda: alone.split() == HALVES)
    alone.settle()
    gate.says = NOT_NOW
    gate.asked.clear()
    return alone


@pytest.mark.parametrize("how", ["not ready", "deleted"])
def test_a_closed_gate_rescues_nobody_too_late(halves: Bed, gate: ToyGate, how: str) -> None:
    """The other version gains all of the calls."""
    if how == "deleted":
        halves.delete(isvc("wisdom-1"))
    else:
        halves.ready("wisdom-1", False)
    halves.until(lambda: halves.shares() == {"wisdom-0": 100})
    assert gate.asked == []


def test_drift_is_put_right_whatever_a_gate_says(halves: Bed, gate: ToyGate) -> None:
    halves.delete(vs())
    halves.until(lambda: halves.exists(vs()))
    halves.settle()
    assert gate.asked == []


def test_drift_is_put_right_while_a_gate_is_closed(halves: Bed, gate: ToyGate) -> None:
    halves.weights(wisdom_0=20, wisdom_1=80)
    halves.until(lambda: halves.condition("Routed") == ("True", "Gated"))
    halves.delete(vs())
    halves.until(lambda: halves.exists(vs()))
    assert halves.shares() == {"wisdom-0": 50, "wisdom-1": 50}


def test_a_version_that_is_lost_while_a_gate_is_closed_leaves_at_once(halves: Bed, gate: ToyGate) -> None:
    halves.weights(wisdom_0=20, wisdom_1=80)
    halves.until(lambda: halves.condition("Routed") == ("True", "Gated"))
    halves.ready("wisdom-1", False)
    halves.until(lambda: halves.shares() == {"wisdom-0": 100})


def test_a_former_version_that_is_lost_while_a_gate_is_closed_leaves_at_once(
    halves: Bed, gate: ToyGate
) -> None:
    """The new environment could take over, and may not yet; what serves until then is looked after."""
    for name in ("wisdom-0", "wisdom-1"):
        host(halves, name)
    halves.policy(targetEnv="toy-hosts")
    halves.until(lambda: halves.condition("Routed") == ("True", "Gated"))
    halves.ready("wisdom-1", False)
    halves.until(lambda: halves.shares() == {"wisdom-0": 100})
    halves.ready("wisdom-1", True)
    halves.until(lambda: halves.shares() == {"wisdom-0": 50, "wisdom-1": 50})


def test_a_restart_finds_the_gate_closed(halves: Bed, gate: ToyGate) -> None:
    halves.weights(wisdom_0=20, wisdom_1=80)
    halves.until(lambda: halves.message("Routed").startswith("toy-gate: not before nine"))
    halves.restart(settings=SETTINGS)
    halves.settle()
    assert halves.shares() == {"wisdom-0": 50, "wisdom-1": 50}


BROKEN: dict[str, tuple[Any, str]] = {
    "raises": (OSError("no route to host"), "toy-gate: it raised OSError: no route to host"),
    "exits": (SystemExit(3), "toy-gate: it raised SystemExit: 3"),
    "hangs": (hang, "toy-gate: it did not return within 5 s"),
    "stays": (stay, "toy-gate: it did not return within 5 s"),
    "blocks": (block, "toy-gate: it did not return within 5 s"),
    "nonsense": ("yes", "toy-gate: it returned 'yes', expected a GateAnswer"),
    "no timedelta": (
        GateAnswer(False, "", 3),  # type: ignore[arg-type]
        "toy-gate: it returned GateAnswer GateAnswer(open=False, reason='', ask_again_after=3), expected a GateAnswer",
    ),
}


@pytest.mark.parametrize(("says", "told"), BROKEN.values(), ids=BROKEN)
def test_a_gate_that_fails_is_closed(alone: Bed, gate: ToyGate, says: Any, told: str) -> None:
    gate.says = says
    alone.version("wisdom-1")
    alone.until(lambda: alone.message("Routed").startswith("toy-gate: it"))
    assert alone.message("Routed") == f"{told}; then: {HALVES}"
    assert alone.shares() == {"wisdom-0": 100}


def test_a_gate_that_blocks_delays_no_other_policy(alone: Bed, gate: ToyGate) -> None:
    gate.says = block
    alone.version("wisdom-1")
    alone.until(lambda: gate.asked)
    began = time.monotonic()
    alone.version("other-0")
    alone.policy("other")
    alone.until(lambda: alone.split("other") == "other-0 100%")
    assert time.monotonic() - began < BLOCKED / 2


@pytest.mark.parametrize("says", [stay, block])
def test_a_controller_ends_without_waiting_for_a_gate(alone: Bed, gate: ToyGate, says: Any) -> None:
    gate.says = says
    alone.version("wisdom-1")
    alone.until(lambda: gate.asked)
    began = time.monotonic()
    alone.stop()
    assert time.monotonic() - began < BLOCKED / 2


def test_the_reason_of_a_gate_is_one_line(alone: Bed, gate: ToyGate) -> None:
    gate.says = GateAnswer(False, "not\nbefore nine" + " \x1b[31m" * 1000)
    alone.version("wisdom-1")
    alone.until(lambda: alone.message("Routed").startswith("toy-gate: "))
    assert alone.condition("Routed") == ("True", "Gated")
    told = alone.message("Routed")
    assert told.startswith('toy-gate: "not before nine \\u001b[31m')
    assert told.isprintable()
    assert len(told) < 600


def test_a_gate_that_fails_is_open_where_the_administrator_says_so(
    make_bed: Callable[..., Bed], caplog: pytest.LogCaptureFixture
) -> None:
    bed = make_bed(ToyGate(OSError("no route to host")))
    bed.version("wisdom-0")
    bed.policy()
    bed.start(settings={**SETTINGS, "gates": {"failOpen": ["toy-gate"]}})
    bed.until(lambda: bed.split() == ALONE)
    bed.version("wisdom-1")
    bed.until(lambda: bed.split() == HALVES)
    assert "gate toy-gate raised OSError: no route to host; it counts as open" in caplog.text


def test_a_gate_without_an_entry_in_the_settings_is_not_asked(make_bed: Callable[..., Bed]) -> None:
    gate = ToyGate(NOT_NOW)
    bed = make_bed(gate)
    bed.version("wisdom-0")
    bed.policy()
    bed.start()
    bed.until(lambda: bed.split() == ALONE)
    bed.version("wisdom-1")
    bed.until(lambda: bed.split() == HALVES)
    assert gate.asked == []


class Other(ToyGate):
    """A second gate."""

    name = "other-gate"


def test_all_gates_have_to_be_open(make_bed: Callable[..., Bed]) -> None:
    one, other = ToyGate(), Other(NOT_NOW)
    bed = make_bed(one, other)
    bed.version("wisdom-0")
    bed.policy()
    bed.start(settings={"plugins": {"toy-gate": {}, "other-gate": {}}})
    bed.until(lambda: bed.split() == ALONE)
    bed.version("wisdom-1")
    bed.until(lambda: bed.message("Routed").startswith("other-gate: not before nine"))
    other.says, one.says = GateAnswer(True), GateAnswer(False, "now I mind", timedelta(seconds=1))
    bed.until(lambda: bed.message("Routed").startswith("toy-gate: now I mind"))
    assert bed.shares() == {"wisdom-0": 100}


class ByPolicy(Gate[Options]):
    """Fails for one policy."""

    name = "by-policy"
    options = Options

    async def may_shift(self, shift: Shift, options: Options) -> GateAnswer:
        if shift.policy.name == "wisdom":
            raise ValueError(shift.policy.name)
        return GateAnswer(True)


def test_a_gate_that_fails_for_one_policy_harms_no_other(make_bed: Callable[..., Bed]) -> None:
    bed = make_bed(ByPolicy())
    for name in ("wisdom", "other"):
        bed.version(f"{name}-0")
        bed.policy(name)
    bed.start(settings={"plugins": {"by-policy": {}}})
    bed.until(lambda: bed.split() == ALONE and bed.split("other") == "other-0 100%")
    for name in ("wisdom", "other"):
        bed.version(f"{name}-1")
    bed.until(lambda: bed.split("other") == "other-0 50% / other-1 50%")
    bed.until(lambda: bed.condition("Routed") == ("True", "Gated"))
