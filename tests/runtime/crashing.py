"""Plays steps of people while the controller dies, or loses an answer, at every call in turn.

In between, no route may break a rule: each leads somewhere, through Gateways that exist, and only to versions
that exist, are ready and are protected from being unloaded; and none is unloaded that a route still leads to.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.runtime.harness import NAMESPACE, Bed, Object, fail, gateway, isvc, vs
from tests.runtime.moves.moving import host, in_table
from tests.toys.hosts import KNATIVE_SERVICE
from tests.toys.table import CONFIG_MAP
from turnout.names import FINALIZER_DRAIN
from turnout.plugin import Kind, Ref
from turnout.runtime.transport import Request
from turnout_kserve_modelmesh.environment import INFERENCE_SERVICE

DRAIN = {"propagationSeconds": {"istio": 0.5, "toy-table": 0.5}, "inFlightSeconds": 0.25}
TABLE = Ref(CONFIG_MAP, NAMESPACE, "wisdom-table")

Snapshot = dict[str, Object]
Step = tuple[Callable[[Bed], None], Callable[[Bed], bool]]


def deploy(bed: Bed) -> None:
    bed.version("wisdom-0")
    bed.policy()


def versions(bed: Bed) -> None:
    for name in ("wisdom-0", "wisdom-1"):
        bed.version(name)
    bed.policy()


def hosts(bed: Bed) -> None:
    for name in ("wisdom-0", "wisdom-1"):
        host(bed, name)


def routed_by(bed: Bed, *kinds: str) -> bool:
    return [one["kind"] for one in bed.status().get("routes", ())] == [*kinds]


def leads_to(bed: Bed, kind: Kind) -> bool:
    """Whether the calls go to two versions of a kind, and of the InferenceServices those are held."""
    routed = routed_to(bed) or {host_of(authority) for authority in in_table(bed)}
    held = {name for name in ("wisdom-0", "wisdom-1") if bed.protected(name)}
    return (
        routed == {Ref(kind, NAMESPACE, name) for name in ("wisdom-0", "wisdom-1")}
        and held == {ref.name for ref in routed if ref.kind == INFERENCE_SERVICE}
        and bed.condition("Routed") == ("True", "InForce")
    )


def routed_to(bed: Bed) -> set[Ref]:
    """The versions to which the VirtualService leads, by header or by host."""
    found = bed.cluster.get(vs())
    routes = found["spec"]["http"][-1]["route"] if found else ()
    headers = [route["headers"]["request"]["set"] for route in routes if route.get("weight", 100)]
    return {isvc(one["mm-vmodel-id"]) if "mm-vmodel-id" in one else host_of(one["Host"]) for one in headers}


def host_of(authority: str) -> Ref:
    return Ref(KNATIVE_SERVICE, NAMESPACE, authority.partition(".")[0])


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
        there = {one["metadata"]["name"] for one in self.bed.cluster.objects(gateway().kind)}
        named = self.bed.get(vs())["spec"]["gateways"][0]
        if there and named not in there:  # with the first route comes its Gateway, a little later
            yield f"a route names Gateway {named}, which is not there"
        routed = routed_to(self.bed)
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
        if not self.bed.protected(name) and isvc(name) in routed_to(self.bed):
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


def observe(bed: Bed, steps: Sequence[Step]) -> list[Snapshot]:
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


def play(bed: Bed, expected: list[Snapshot], fault: Fault, steps: Sequence[Step]) -> None:
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


HOW = {
    "before a call": {},
    "before an answer": {"answered": True},
    "no answer": {"answered": True, "deadly": False},
}


def play_all(
    make_bed: Callable[[], Bed],
    steps: Sequence[Step],
    *,
    part: int = 0,
    parts: int = 1,
    **how: bool,
) -> None:
    """Play the steps once for each call that there is, with a fault at that one; or for a part of the calls."""
    expected, bed = observe(make_bed(), steps), make_bed()
    fault = Fault(bed, None, **how)
    play(bed, expected, fault, steps)
    for at in range(part, fault.counted, parts):
        bed = make_bed()
        play(bed, expected, Fault(bed, at, **how), steps)
