"""The controller dies at every call of the tutorial in turn: it ends in the same routes each time.

In between, no route breaks a rule: each leads somewhere, and only to versions that exist, are ready and
are protected from being unloaded; and none is unloaded that a route still leads to.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.runtime.harness import Bed, Object, fail, gateway, isvc, rp, vs
from turnout.names import FINALIZER_DRAIN
from turnout.runtime.transport import Request

DRAIN = {"propagationSeconds": {"istio": 0.5}, "inFlightSeconds": 0.25}
PARTS = 6
"""The calls are dealt to so many tests, which may run beside each other."""

Step = tuple[Callable[[Bed], None], Callable[[Bed], bool]]


def _deploy(bed: Bed) -> None:
    bed.version("wisdom-0")
    bed.policy()


def _promote(bed: Bed) -> None:
    bed.replace("wisdom-0", "v1")
    bed.delete(isvc("wisdom-1"))


def _promoted(bed: Bed) -> bool:
    first = bed.status()["versions"][0]
    return bed.split() == "wisdom-0 100%" and not bed.exists(isvc("wisdom-1")) and first["appVersion"] == "v1"


def _clean_up(bed: Bed) -> None:
    bed.delete(isvc("wisdom-1"))
    bed.delete(rp())
    bed.delete(isvc("wisdom-0"))


TUTORIAL: tuple[Step, ...] = (
    (_deploy, lambda bed: bed.split() == "wisdom-0 100%"),
    (
        lambda bed: bed.version("wisdom-1", label="v1"),
        lambda bed: bed.split() == "wisdom-0 50% / wisdom-1 50%",
    ),
    (
        lambda bed: bed.weights(wisdom_0=20, wisdom_1=80),
        lambda bed: bed.split() == "wisdom-0 20% / wisdom-1 80%",
    ),
    (_promote, _promoted),
    (
        lambda bed: bed.version("wisdom-1", label="v2"),
        lambda bed: bed.split() == "wisdom-0 20% / wisdom-1 80%",
    ),
    (_clean_up, lambda bed: bed.snapshot() == {}),
)


@dataclass
class Rules:
    """Looks at the cluster at each write of a controller."""

    bed: Bed
    broken: list[str] = field(default_factory=list)

    def look(self, request: Request) -> None:
        if request.method == "PATCH" and "/virtualservices/" in request.path:
            self.broken += self._of_route()
        if request.method == "PATCH" and "/inferenceservices/" in request.path:
            self.broken += self._of_release(request)

    def _of_route(self) -> Iterator[str]:
        shares = self.bed.shares()
        if not shares or sum(shares.values()) == 0:
            yield "a route leads nowhere"
        for name in shares:
            found = self.bed.cluster.get(isvc(name))
            if found is None:
                yield f"a route leads to {name}, which does not exist"
            elif "deletionTimestamp" in found["metadata"]:
                yield f"a route leads to {name}, which is being deleted"
            elif found.get("status", {}).get("conditions", [{}])[0].get("status") != "True":
                yield f"a route leads to {name}, which is not ready"
            elif FINALIZER_DRAIN not in found["metadata"].get("finalizers", ()):
                yield f"a route leads to {name}, which is not protected"

    def _of_release(self, request: Request) -> Iterator[str]:
        name = request.path.rpartition("/")[2]
        if not self.bed.protected(name) and name in self.bed.shares():
            yield f"{name} is released while a route leads to it"


class Fault:
    """What happens at one call: `at` counts them from 0, and None stands for none."""

    def __init__(self, bed: Bed, at: int | None, *, answered: bool, deadly: bool) -> None:
        self._bed = bed
        self._at = at
        self._answered = answered
        self._deadly = deadly
        self.calls = 0
        self.died = False
        self.rules = Rules(bed)
        bed.cluster.on_request = self._request
        bed.cluster.on_response = self._response

    def _request(self, request: Request) -> None:
        self.calls += 1
        if not self._answered and self.calls - 1 == self._at:
            self._strike()

    def _response(self, request: Request, response: Any) -> None:
        if response.status < 300:
            self.rules.look(request)
        if self._answered and self.calls - 1 == self._at:
            self._strike()

    def _strike(self) -> None:
        self._at = None
        if self._deadly:
            self.died = True
            self._bed.connection.alive = False
        fail()


def play(bed: Bed, at: int | None = None, *, answered: bool = False, deadly: bool = True) -> tuple[int, Any]:
    """Play the tutorial with one fault. Returns the number of calls, and what there was after each step."""
    fault = Fault(bed, at, answered=answered, deadly=deadly)
    bed.start(drain=DRAIN)
    seen: list[dict[str, Object]] = []
    for do, done in TUTORIAL:
        do(bed)
        _finish(bed, fault, done)
        bed.settle(0.5)
        if fault.died:
            _finish(bed, fault, done)
            bed.settle(0.5)
        seen.append(bed.snapshot())
    bed.stop()
    assert fault.rules.broken == []
    return fault.calls, seen


def _finish(bed: Bed, fault: Fault, done: Callable[[Bed], bool]) -> None:
    """Let the controller do a step, or its successor where it dies."""
    bed.until(lambda: fault.died or (done(bed) and _in_place(bed)))
    if fault.died:
        fault.died = False
        bed.restart(drain=DRAIN)
        bed.until(lambda: done(bed) and _in_place(bed))


def _in_place(bed: Bed) -> bool:
    """Whether what follows the routes is there as well."""
    if not bed.exists(rp()):
        return True
    return bed.exists(vs()) and bed.exists(gateway()) and bed.condition("Routed") == ("True", "InForce")


def test_the_tutorial_without_a_fault(make_bed: Callable[[], Bed]) -> None:
    """It is the same each time, so that it can be compared."""
    calls, seen = play(make_bed())
    assert play(make_bed())[1] == seen
    assert calls > 30


@pytest.mark.parametrize("answered", [False, True], ids=["before it arrives", "before its answer"])
@pytest.mark.parametrize("part", range(PARTS))
def test_it_dies_at_any_call(make_bed: Callable[[], Bed], part: int, answered: bool) -> None:
    """A successor finds everything it needs in the cluster."""
    calls, expected = play(make_bed())
    for at in range(part, calls, PARTS):
        _, seen = play(make_bed(), at, answered=answered)
        assert seen == expected, f"after call {at}"


@pytest.mark.parametrize("part", range(PARTS))
def test_it_loses_any_answer(make_bed: Callable[[], Bed], part: int) -> None:
    """And lives: what the call has done is found out."""
    calls, expected = play(make_bed())
    for at in range(part, calls, PARTS):
        _, seen = play(make_bed(), at, answered=True, deadly=False)
        assert seen == expected, f"after call {at}"
