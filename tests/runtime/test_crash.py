"""The controller dies at every call of the tutorial in turn: it ends in the same routes each time.

In between, no route breaks a rule: each leads somewhere, and only to versions that exist, are ready and
are protected from being unloaded; and none is unloaded that a route still leads to.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.runtime.harness import NAMESPACE, Bed, Object, fail, isvc, rp, vs
from tests.runtime.test_controller_moves import host, in_table
from tests.toys.hosts import KNATIVE_SERVICE
from tests.toys.table import CONFIG_MAP
from turnout.names import FINALIZER_DRAIN
from turnout.plugin import Kind, Ref
from turnout.runtime.transport import Request
from turnout_kserve_modelmesh.environment import INFERENCE_SERVICE

DRAIN = {"propagationSeconds": {"istio": 0.5, "toy-table": 0.5}, "inFlightSeconds": 0.25}
TABLE = Ref(CONFIG_MAP, NAMESPACE, "wisdom-table")
PARTS = 2
"""The calls are dealt to so many tests, which may run beside each other."""

Snapshot = dict[str, Object]
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


def _versions(bed: Bed) -> None:
    for name in ("wisdom-0", "wisdom-1"):
        bed.version(name)
    bed.policy()


def _hosts(bed: Bed) -> None:
    for name in ("wisdom-0", "wisdom-1"):
        host(bed, name)


def _routed_by(bed: Bed, *kinds: str) -> bool:
    return [one["kind"] for one in bed.status().get("routes", ())] == [*kinds]


MOVES: tuple[Step, ...] = (
    (_deploy, lambda bed: bed.split() == "wisdom-0 100%"),
    (lambda bed: bed.policy(router="toy-table"), lambda bed: _routed_by(bed, "ConfigMap")),
    (lambda bed: bed.policy(), lambda bed: _routed_by(bed, "ServiceEntry", "VirtualService")),
)


def _leads_to(bed: Bed, kind: Kind) -> bool:
    """Whether the calls go to two versions of a kind, and of the InferenceServices those are held."""
    routed = _routed(bed) or {_host(authority) for authority in in_table(bed)}
    held = {name for name in ("wisdom-0", "wisdom-1") if bed.protected(name)}
    return (
        routed == {Ref(kind, NAMESPACE, name) for name in ("wisdom-0", "wisdom-1")}
        and held == {ref.name for ref in routed if ref.kind == INFERENCE_SERVICE}
        and bed.condition("Routed") == ("True", "InForce")
    )


def _routed(bed: Bed) -> set[Ref]:
    """The versions to which the VirtualService leads, by header or by host."""
    found = bed.cluster.get(vs())
    routes = found["spec"]["http"][-1]["route"] if found else ()
    headers = [route["headers"]["request"]["set"] for route in routes if route.get("weight", 100)]
    return {isvc(one["mm-vmodel-id"]) if "mm-vmodel-id" in one else _host(one["Host"]) for one in headers}


def _host(authority: str) -> Ref:
    return Ref(KNATIVE_SERVICE, NAMESPACE, authority.partition(".")[0])


ENVIRONMENTS: tuple[Step, ...] = (
    (_versions, lambda bed: _leads_to(bed, INFERENCE_SERVICE)),
    (
        lambda bed: bed.policy(targetEnv="toy-hosts"),
        lambda bed: bed.condition("Routed") == ("False", "Moving"),
    ),
    (lambda bed: bed.ready("wisdom-0", False), lambda bed: _routed(bed) == {isvc("wisdom-1")}),
    (
        lambda bed: bed.ready("wisdom-0"),
        lambda bed: _routed(bed) == {isvc("wisdom-0"), isvc("wisdom-1")},
    ),
    (_hosts, lambda bed: _leads_to(bed, KNATIVE_SERVICE)),
    (lambda bed: bed.policy(), lambda bed: _leads_to(bed, INFERENCE_SERVICE)),
)
BOTH: tuple[Step, ...] = (
    (_versions, lambda bed: _leads_to(bed, INFERENCE_SERVICE)),
    (_hosts, lambda bed: True),
    (
        lambda bed: bed.policy(targetEnv="toy-hosts", router="toy-table"),
        lambda bed: _routed_by(bed, "ConfigMap") and _leads_to(bed, KNATIVE_SERVICE),
    ),
    (lambda bed: bed.policy(), lambda bed: not bed.exists(TABLE) and _leads_to(bed, INFERENCE_SERVICE)),
)


@dataclass
class Rules:
    """Looks at the cluster at each write of a controller."""

    bed: Bed
    broken: list[str] = field(default_factory=list)

    def look(self, request: Request) -> None:
        if request.method == "PATCH" and "/virtualservices/" in request.path:
            self.broken += self._of_route()
        if request.method == "DELETE" and "/virtualservices/" in request.path and not self.bed.exists(TABLE):
            self.broken.append("the only route is deleted")
        if request.method == "PATCH" and "/inferenceservices/" in request.path:
            self.broken += self._of_release(request)

    def _of_route(self) -> Iterator[str]:
        if not self.bed.exists(vs()):
            return  # the policy has been deleted meanwhile, and the garbage collector was there
        routed = _routed(self.bed)
        if not routed:
            yield "a route leads nowhere"
        for name in routed:
            found = self.bed.cluster.get(name)
            if found is None:
                yield f"a route leads to {name}, which does not exist"
            elif "deletionTimestamp" in found["metadata"]:
                yield f"a route leads to {name}, which is being deleted"
            elif found.get("status", {}).get("conditions", [{}])[0].get("status") != "True":
                yield f"a route leads to {name}, which is not ready"
            elif name.kind == INFERENCE_SERVICE and FINALIZER_DRAIN not in found["metadata"].get(
                "finalizers", ()
            ):
                yield f"a route leads to {name}, which is not protected"

    def _of_release(self, request: Request) -> Iterator[str]:
        name = request.path.rpartition("/")[2]
        if not self.bed.protected(name) and isvc(name) in _routed(self.bed):
            yield f"{name} is released while a route leads to it"


class Fault:
    """What happens at one call: `at` counts them from 0, and None stands for none.

    `answered`: only writes count, and the call takes effect before. `deadly`: the controller dies of it.
    """

    def __init__(self, bed: Bed, at: int | None, *, answered: bool = False, deadly: bool = True) -> None:
        self._bed = bed
        self._at = at
        self._answered = answered
        self._deadly = deadly
        self.counted = 0
        self.died = False
        self.rules = Rules(bed)
        bed.cluster.on_request = self._request
        bed.cluster.on_response = self._response

    def _request(self, request: Request) -> None:
        if not self._answered:
            self._count()

    def _response(self, request: Request, response: Any) -> None:
        if response.status < 300:
            self.rules.look(request)
        if self._answered and request.method != "GET":
            self._count()

    def _count(self) -> None:
        self.counted += 1
        if self.counted - 1 != self._at:
            return
        if self._deadly:
            self.died = True
            self._bed.connection.alive = False
        fail()


def observe(bed: Bed, steps: Sequence[Step] = TUTORIAL) -> list[Snapshot]:
    """What there is after each step, where nothing goes wrong."""
    bed.start(drain=DRAIN)
    seen: list[Snapshot] = []
    for do, done in steps:
        do(bed)
        bed.until(lambda done=done: done(bed))  # type: ignore[misc]
        bed.settle()
        seen.append(bed.snapshot())
    bed.stop()
    return seen


def play(bed: Bed, expected: list[Snapshot], fault: Fault, steps: Sequence[Step] = TUTORIAL) -> None:
    """Play the steps with one fault; each must come to what it comes to without."""
    bed.start(drain=DRAIN)
    for (do, done), snapshot in zip(steps, expected, strict=True):
        do(bed)
        reached = lambda done=done, snapshot=snapshot: done(bed) and bed.snapshot() == snapshot  # noqa: E731
        bed.until(lambda reached=reached: fault.died or reached())  # type: ignore[misc]
        if fault.died:
            fault.died = False
            bed.restart(drain=DRAIN)
            bed.until(reached)
    bed.stop()
    assert fault.rules.broken == []


def test_the_tutorial_without_a_fault(make_bed: Callable[[], Bed]) -> None:
    """It is the same each time, so that it can be compared."""
    expected, bed = observe(make_bed()), make_bed()
    fault = Fault(bed, None)
    play(bed, expected, fault)
    assert fault.counted > 30


@pytest.mark.parametrize("part", range(PARTS))
def test_it_dies_before_any_call_arrives(make_bed: Callable[[], Bed], part: int) -> None:
    """A successor finds everything it needs in the cluster."""
    _play_all(make_bed, part)


@pytest.mark.parametrize("part", range(PARTS))
def test_it_dies_before_any_write_is_answered(make_bed: Callable[[], Bed], part: int) -> None:
    """What was written is found, and not written again."""
    _play_all(make_bed, part, answered=True)


@pytest.mark.parametrize("part", range(PARTS))
def test_it_lives_without_the_answer_to_any_write(make_bed: Callable[[], Bed], part: int) -> None:
    """What the call has done is found out."""
    _play_all(make_bed, part, answered=True, deadly=False)


HOW = {
    "before a call": {},
    "before an answer": {"answered": True},
    "no answer": {"answered": True, "deadly": False},
}


@pytest.mark.parametrize("how", HOW.values(), ids=HOW)
def test_it_dies_while_a_policy_moves_to_another_router_and_back(
    make_bed: Callable[[], Bed], how: dict[str, bool]
) -> None:
    """Nothing of either stays behind, the shared Gateway included."""
    _play_all(make_bed, 0, MOVES, parts=1, **how)


@pytest.mark.parametrize("how", HOW.values(), ids=HOW)
@pytest.mark.parametrize("steps", [ENVIRONMENTS, BOTH], ids=["environment", "with the router"])
def test_it_dies_while_a_policy_moves_to_another_environment_and_back(
    make_bed: Callable[[], Bed], steps: Sequence[Step], how: dict[str, bool]
) -> None:
    """The former versions serve until the others can, come and go with their readiness, and are then let go."""
    _play_all(make_bed, 0, steps, parts=1, **how)


def _play_all(
    make_bed: Callable[[], Bed],
    part: int,
    steps: Sequence[Step] = TUTORIAL,
    parts: int = PARTS,
    **how: bool,
) -> None:
    expected, bed = observe(make_bed(), steps), make_bed()
    fault = Fault(bed, None, **how)
    play(bed, expected, fault, steps)
    for at in range(part, fault.counted, parts):
        bed = make_bed()
        play(bed, expected, Fault(bed, at, **how), steps)
