"""Decides policies from documents alone: what `turnout plan` shows, and a policy's tests can ask."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from typing import Any, Protocol, TypeVar

from turnout.calling import Calls, Quarantined
from turnout.decision.accept import Accepted
from turnout.decision.assess import Assessment, Assessor, carried_by
from turnout.decision.declare import Admitted, WeightsVerdict
from turnout.decision.objects import Entry
from turnout.decision.observe import name_of, observe
from turnout.decision.render import Rendered, api_version
from turnout.documents import Sourced
from turnout.names import GROUP, LABEL_POLICY, ROUTING_POLICY, TRAFFIC_WEIGHTS
from turnout.plugin import Kind, Ref, Role
from turnout.plugin.reading import mapping
from turnout.reasons import Reason
from turnout.registry import Registry
from turnout.settings import Settings

T = TypeVar("T")

Place = tuple[str, str]
"""Namespace and name."""

Entries = Mapping[Ref, Entry | None]
"""What is known of objects. None: it does not exist, which offline nobody knows of an absent one."""


class Run(Protocol):
    """Runs a step that calls plugins. May raise Quarantined for a plugin that takes too long."""

    def __call__(self, fn: Callable[[Calls], T], /) -> T: ...


def at_once(fn: Callable[[Calls], T], /) -> T:
    """Without any limit of time."""
    return fn(Calls())


@dataclass(frozen=True, slots=True)
class Planned:
    """What would be decided for one policy, and from which objects.

    `problem`: why it has no routes, as reason and message. `weights`: whether its traffic weights count, if
    there are any.
    """

    namespace: str
    name: str
    source: str
    admitted: Admitted | None
    assessment: Assessment
    weights: WeightsVerdict | None = None
    problem: tuple[Reason, str] | None = None
    entries: Entries = field(default_factory=dict)

    def __str__(self) -> str:
        return f"RoutingPolicy {self.namespace}/{self.name}"

    @property
    def documents(self) -> list[dict[str, Any]]:
        """The objects that would be applied, owners aside, in the first version of each kind."""
        if self.problem:
            return []
        return [document(item) for item in self.assessment.rendered]


@dataclass(slots=True)
class Offline:
    """What is known without a cluster. `now` is what strategies are told the time is.

    `run`: how steps that call plugins are run. `drain`: whether deletions may have to wait, so that versions
    need their finalizer; without a cluster none does. `asked`: the objects that decisions have looked at.
    """

    registry: Registry
    settings: Settings
    now: datetime
    namespace: str = "default"
    assume_ready: bool = False
    run: Run = at_once
    drain: bool = False
    policies: dict[Place, Sourced] = field(default_factory=dict)
    weights: dict[Place, Sourced] = field(default_factory=dict)
    ignored: list[Sourced] = field(default_factory=list)
    asked: set[Ref] = field(default_factory=set)
    _entries: dict[Ref, Entry | None] = field(default_factory=dict)
    _routes: defaultdict[Place, list[Ref]] = field(default_factory=lambda: defaultdict(list))

    def add(self, documents: Iterable[Sourced]) -> None:
        """Take documents in. Of two of the same object the later counts."""
        for sourced in documents:
            content = _placed(sourced.content, self.namespace)
            placed = Sourced(sourced.source, content)
            place = name_of(content)
            kind = str(content.get("kind"))
            ours = str(content.get("apiVersion", "")).startswith(f"{GROUP}/")
            if ours and kind == ROUTING_POLICY.kind:
                self.policies[place] = placed
            elif ours and kind == TRAFFIC_WEIGHTS.kind:
                self.weights[place] = placed
            elif not self._observe(content, place):
                self.ignored.append(sourced)

    def absent(self, ref: Ref) -> None:
        """Take in that there is no such object."""
        self._entries[ref] = None

    def plan(self) -> list[Planned]:
        """What would be decided for each policy, in the order in which they were given."""
        entries = dict(self._entries)
        planned = [
            replace(self._planned(place, sourced), entries=entries)
            for place, sourced in self.policies.items()
        ]
        owners: dict[Ref, Planned] = {}
        checked = []
        for one in planned:
            conflict = None
            for item in one.assessment.rendered if not one.problem else ():
                other = owners.setdefault(item.ref, one) if item.role is not Role.SHARED else one
                if other is not one:
                    conflict = f"{item.ref} is written by policy {other.namespace}/{other.name} as well"
            checked.append(replace(one, problem=(Reason.CONFLICT, conflict)) if conflict else one)
        return checked

    def orphaned_weights(self) -> list[Sourced]:
        """Traffic weights without a policy of their name among the documents."""
        return [sourced for place, sourced in self.weights.items() if place not in self.policies]

    def _observe(self, content: Mapping[str, Any], place: Place) -> bool:
        """Whether any plugin knows the kind."""
        environments = [loaded.plugin for loaded in self.registry.environments.values()]
        routers = [loaded.plugin for loaded in self.registry.routers.values()]
        known: set[Kind] = {kind for one in environments for kind in one.watches}
        known |= {kind for one in routers for kind in one.writes}
        group, _, _ = str(content.get("apiVersion", "")).rpartition("/")
        kinds = [kind for kind in known if (kind.group, kind.kind) == (group, content.get("kind"))]
        for kind in kinds:
            watching = [one for one in environments if kind in one.watches]
            writing = [one for one in routers if kind in one.writes]
            step = partial(observe, content, watching, writing)
            try:
                found = self.run(step)
            except Quarantined:
                found = self.run(step)  # the plugin is not called again, and its word is Unknown
            if self.assume_ready:
                found = _as_ready(found)
            self._entries[Ref(kind, *place)] = found
            policy = found.written.labels.get(LABEL_POLICY) if found.written else None
            if policy:
                self._routes[place[0], policy].append(Ref(kind, *place))
        return bool(kinds)

    def _planned(self, place: Place, sourced: Sourced) -> Planned:
        try:
            return self.run(partial(self._decided, place, sourced))
        except Quarantined as error:
            failure = Reason.PLUGIN_FAILED, error.message
            return Planned(*place, sourced.source, None, Assessment(failure=failure), problem=failure)

    def _look(self, ref: Ref) -> Entry | None:
        self.asked.add(ref)
        return self._entries.get(ref)

    def _decided(self, place: Place, sourced: Sourced, calls: Calls) -> Planned:
        assessor = Assessor(self.registry, self.settings)
        weights = self.weights.get(place)
        admitted = assessor.admit(sourced.content, weights.content if weights else None, calls)
        if isinstance(admitted, Assessment):
            return Planned(*place, sourced.source, None, admitted, problem=admitted.failure)
        drain = self.drain and admitted.accepted.drain
        admitted = replace(admitted, accepted=replace(admitted.accepted, drain=drain))
        status = mapping(sourced.content.get("status"))
        policy, look = admitted.accepted.policy, self._look
        carried = carried_by(policy, tuple(self._routes[place]), look)
        assessment = assessor.assess(admitted, status, carried, look, self.now, calls)
        self.asked.update(item.ref for item in assessment.rendered)
        problem = assessment.failure
        if problem is None and not assessment.rendered:
            refused = assessment.outcome.refused if assessment.outcome else None
            problem = refused or _nothing_rendered(assessment, admitted.accepted)
        verdict = admitted.weights if weights else None
        return Planned(*place, sourced.source, admitted, assessment, verdict, problem)


def document(item: Rendered) -> dict[str, Any]:
    """An object as it would be applied, owners aside."""
    return item.document(api_version(item.ref.kind.group, item.ref.kind.versions[0]), [])


def _nothing_rendered(assessment: Assessment, accepted: Accepted) -> tuple[Reason, str]:
    outcome = assessment.outcome
    if outcome and outcome.plan:
        router = accepted.router.name
        return (
            Reason.MOVING,
            f"{router} cannot carry the routes to {outcome.environment}; they stay as they are",
        )
    return Reason.NO_BACKEND, _nothing_to_route(assessment)


def _nothing_to_route(assessment: Assessment) -> str:
    told = "nothing is known that could answer for the versions to route"
    versions = assessment.outcome.versions if assessment.outcome else ()
    causes = [f"{one.name}: {one.message or one.reason}" for one in versions if not one.available]
    return "; ".join([told, *causes])


def _placed(content: Mapping[str, Any], namespace: str) -> Mapping[str, Any]:
    metadata = mapping(content.get("metadata"))
    if metadata.get("namespace"):
        return content
    return {**content, "metadata": {**metadata, "namespace": namespace}}


def _as_ready(entry: Entry) -> Entry:
    """The object as it would be once ready, if it says nothing about that; what it lacks it still says."""
    observations = {
        name: replace(seen, ready=True, reason=str(Reason.READY), evidence="assumed")
        if seen.ready is None
        else seen
        for name, seen in entry.observations.items()
    }
    return replace(entry, observations=observations)
