"""Reads all that a promotion is about, each time anew, and tells what it means for the next step."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from turnout.calling import Calls, PluginError
from turnout.client.promotion.choice import weights_after
from turnout.client.promotion.errors import PromotionRefusedError
from turnout.client.promotion.record import Record, read, ref_of, uid_of
from turnout.client.promotion.steps import Candidate, Lead
from turnout.decision import promotion as ask
from turnout.decision.accept import Accepted, Refused
from turnout.decision.declare import admit
from turnout.decision.observe import observe
from turnout.names import FINALIZER_DRAIN, TRAFFIC_WEIGHTS
from turnout.plugin import Observation, Ref
from turnout.plugin.reading import mapping
from turnout.registry import Registry
from turnout.rollout import Rollout, RolloutVersion
from turnout.runtime.client import Client
from turnout.settings import Settings

Object = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Scene:
    """What there is. `weights`: the spec of the traffic weights; None: there are none.

    `primary`, `candidate`: their objects, in the order of the environment's `refs`, None for one that does
    not exist; before a promotion has begun `candidate` is empty.
    """

    policy: Object
    rollout: Rollout
    accepted: Accepted
    record: Record | None
    weights: Object | None
    primary: tuple[Object | None, ...]
    candidate: tuple[Object | None, ...] = ()

    @property
    def presence(self) -> Candidate:
        """Whether the candidate of the promotion is still there; one that has taken its name is another."""
        record = self.record
        theirs = [
            one if one and record and uid_of(one) == uid else None
            for one, uid in zip(self.candidate, record.uids if record else (), strict=True)
        ]
        if not any(theirs):
            return Candidate.GONE
        main = theirs[0]
        there = main is not None and not mapping(main.get("metadata")).get("deletionTimestamp")
        return Candidate.THERE if there else Candidate.GOING

    @property
    def unfit(self) -> str:
        """Why the candidate is not ready, by the policy's status or by its objects; empty if none says so."""
        name = self.record.candidate if self.record else ""
        return unfit(self.rollout, name) or self._not_ready(self.candidate)

    @property
    def lead(self) -> Lead:
        """Where the routes in force lead all calls, by the traffic weights."""
        record, rollout = self.record, self.rollout
        for name, lead in (
            (record.candidate if record else "", Lead.CANDIDATE),
            (rollout.primary, Lead.PRIMARY),
        ):
            weights = rollout.all_to(name)
            if self.weights == {"weights": weights} and led(rollout, name, weights):
                return lead
        return Lead.ELSEWHERE

    @property
    def weights_after(self) -> Object | None:
        """The spec of the traffic weights for the time after the promotion."""
        record = self.record
        if record is None:
            return self.weights
        if record.returning and self.presence is Candidate.THERE:
            return record.weights
        return weights_after(record.weights, self.rollout)

    @property
    def drains(self) -> bool:
        """Whether deletions of all the candidate's objects wait for the drain."""
        metadata = [mapping(one.get("metadata")) for one in self.candidate if one]
        return all(FINALIZER_DRAIN in (one.get("finalizers") or ()) for one in metadata)

    def made(self, of: Sequence[Object]) -> tuple[Object, ...]:
        """The primary's objects as promoting those objects makes them. Raises PluginError."""
        there = [one or {} for one in self.primary]
        return ask.promoted(self.accepted.environment, there, of, Calls())

    def rolled_out(self, now: Sequence[Object | None]) -> tuple[bool | None, str]:
        """Whether the primary serves what its objects `now` say, in the order of the record's `before`."""
        record = self.record
        before = record.before if record else self.primary
        count = len(self.primary)
        if record is None or _generations(before[:count]) == _generations(now[:count]):
            return self.ready(now)
        return ask.rolled_out(self.accepted.environment, before, now, Calls())

    def ready(self, objects: Sequence[Object | None]) -> tuple[bool, str]:
        """Whether objects of a version are all ready; if not, why."""
        for obj, ref in zip(objects, self.accepted.refs[self.rollout.primary], strict=False):
            if obj is None:
                return False, f"{ref} does not exist"
            seen = self._observed(obj)
            if seen.ready is not True:
                return False, seen.message or seen.reason
        return True, ""

    def _not_ready(self, objects: Sequence[Object | None]) -> str:
        seen = (self._observed(one) for one in objects if one)
        return next((_why(one) for one in seen if one.ready is False), "")

    def _observed(self, obj: Object) -> Observation:
        environment = self.accepted.environment
        return observe(obj, (environment,), (), Calls()).observations[environment.name]


def unfit(rollout: Rollout, name: str) -> str:
    """Why a version is not ready, as the policy's status tells it; empty if it does not say so."""
    said = (one for one in rollout.versions if one.name == name and one.ready is False)
    return next(map(_why, said), "")


def _why(said: Observation | RolloutVersion) -> str:
    return said.message or said.reason or "it does not say why"


def led(rollout: Rollout, name: str, weights: Mapping[str, int]) -> bool:
    """Whether the routes in force are those of weights, and lead to one version alone."""
    carrying = [one.name for one in rollout.versions if one.carries]
    return rollout.weighs(weights) and carrying == [name]


@dataclass(frozen=True, slots=True)
class Stage:
    """Where it plays: one policy in a cluster, with the plugins that are installed here."""

    client: Client
    namespace: str
    name: str
    registry: Registry
    settings: Settings

    @property
    def record(self) -> Ref:
        return ref_of(self.namespace, self.name)

    async def look(self, policy: Object) -> Scene:
        """What there is, for a policy as it is. Raises PromotionRefusedError for one that is not valid."""
        try:
            admitted = admit(policy, None, self.registry, self.settings, Calls())
        except (Refused, PluginError) as error:
            told = f"{Rollout.read(policy)} is not valid with the plugins and settings known here"
            raise PromotionRefusedError(f"{told}: {error}") from None
        accepted, rollout = admitted.accepted, Rollout.read(policy)
        found = await self.client.get(self.record)
        record = read(found) if found else None
        weights = await self.client.get(Ref(TRAFFIC_WEIGHTS, self.namespace, self.name))
        return Scene(
            policy=policy,
            rollout=rollout,
            accepted=accepted,
            record=record,
            weights=mapping(weights.get("spec")) if weights else None,
            primary=await self.objects(accepted.refs[rollout.primary]),
            candidate=await self.objects(accepted.refs.get(record.candidate, ())) if record else (),
        )

    async def objects(self, refs: Sequence[Ref]) -> tuple[Object | None, ...]:
        """The objects, each None if it does not exist."""
        return tuple([await self.client.get(ref) for ref in refs])

    async def witnesses(self, scene: Scene, primary: Sequence[Object]) -> tuple[Object | None, ...]:
        """What else tells what is served of the primary's objects."""
        return await self.objects(ask.witnesses(scene.accepted.environment, primary, Calls()))


def _generations(objects: Sequence[Object | None]) -> list[tuple[Any, ...]]:
    """What tells whether a spec has changed; of kinds that count no generations, the spec."""
    found = []
    for one in objects:
        metadata = mapping(one.get("metadata")) if one else {}
        spec = one.get("spec") if one and "generation" not in metadata else None
        found.append((metadata.get("uid"), metadata.get("generation"), spec))
    return found
