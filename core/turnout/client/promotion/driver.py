"""Takes a promotion from wherever it is to its end, one step after the other, each by what there is then.

`finding` tells what there is, `steps` which step is next, and `acting` does it. Nothing is decided by what
this run has done before, but for what is in its `memory`.
"""

from typing import TYPE_CHECKING

from turnout.client.promotion import beginning
from turnout.client.promotion.acting import Actor
from turnout.client.promotion.errors import ChangedError, PromotionRefusedError
from turnout.client.promotion.finding import Finder
from turnout.client.promotion.memory import Memory
from turnout.client.promotion.record import Record, are, document
from turnout.client.promotion.stage import Scene, Stage
from turnout.client.promotion.steps import Candidate, Step, next_step
from turnout.client.promotion.terms import Promoted, Prospect, Terms
from turnout.plugin.reading import mapping, text
from turnout.runtime.errors import ApiError, Verdict, classify
from turnout.runtime.transport import ConnectionFailed
from turnout.shown import plain

if TYPE_CHECKING:
    from turnout.client.client import Client

ATTEMPTS = 20
"""So often in a row the API server may say that somebody else wrote in between."""


class Promoter:
    """One promotion, for one run of it."""

    def __init__(self, rollouts: "Client", stage: Stage, terms: Terms) -> None:
        self._rollouts = rollouts
        self._stage = stage
        self._terms = terms
        self._memory = Memory(terms)
        self._finder = Finder(stage, self._memory)
        self._actor = Actor(rollouts, stage, self._memory)
        self._begun = False
        self._conflicts = 0
        self._lost: float | None = None

    async def prospect(self, chosen: str | None) -> Prospect:
        """What would be done. Nothing is written."""
        scene = await self._look()
        record = self._resumed(scene, chosen) or await self._record(scene, chosen)
        return beginning.prospect(scene, record)

    async def rehearse(self, chosen: str | None) -> None:
        """Have the API server check all that would be done."""
        scene = await self._look()
        record = self._resumed(scene, chosen) or await self._record(scene, chosen)
        await beginning.rehearse(self._stage, scene, record)

    async def run(self, chosen: str | None) -> Promoted:
        """Promote, from wherever it is."""
        while True:
            try:
                scene = await self._look()
                record = self._resumed(scene, chosen)
                if record is None and not self._begun:
                    await self._begin(scene, chosen)
                elif record is None:
                    raise ChangedError(f"{self._stage.record} is gone: somebody else has ended the promotion")
                elif (done := await self._step(scene, record)) is not None:
                    return done
                self._lost, self._conflicts = None, 0
            except (ApiError, ConnectionFailed) as error:
                await self._endure(error)

    async def _look(self) -> Scene:
        return await self._stage.look(await self._rollouts.document(self._stage.name))

    async def _record(self, scene: Scene, chosen: str | None) -> Record:
        return await beginning.record_of(self._stage, scene, chosen, self._terms)

    def _resumed(self, scene: Scene, chosen: str | None) -> Record | None:
        """The promotion that has begun, if one has. Raises PromotionRefusedError if it is another one."""
        record = scene.record
        if record is None:
            return None
        where = self._stage.record
        if record.policy_uid != text(mapping(scene.policy.get("metadata")).get("uid")):
            told = f"{where} is of an earlier policy of that name, and goes with it; promote again in a while"
            raise PromotionRefusedError(told)
        if chosen not in (None, record.candidate):
            told = f"the promotion of {plain(record.candidate)} has not ended"
            raise PromotionRefusedError(f"{told}: without --from, promoting goes on with it ({where})")
        refs = scene.accepted.refs
        primary, candidate = refs[scene.rollout.primary], refs.get(record.candidate, ())
        if not (are(record.former, primary) and are(record.wanted, candidate)):
            told = f"{where} does not fit {scene.rollout} any more: the policy has changed since"
            raise PromotionRefusedError(f"{told}; put that back, or delete {where} to leave all as it is")
        return record

    async def _begin(self, scene: Scene, chosen: str | None) -> None:
        record = await self._record(scene, chosen)
        await beginning.rehearse(self._stage, scene, record)
        self._memory.tell(1, f"{plain(record.candidate)} is ready and carries calls, {scene.rollout.split}")
        ref = self._stage.record
        await self._stage.client.create(ref.kind, ref.namespace, document(ref, self._stage.name, record))
        self._begun = True

    async def _step(self, scene: Scene, record: Record) -> Promoted | None:
        """Do what is to be done next. Returns the promotion once it is over. Raises what ends it."""
        actor, candidate = self._actor, plain(record.candidate)
        if not self._begun:
            self._begun = True
            self._memory.tell(1, f"goes on with the promotion of {candidate}")
        step = next_step(await self._finder.facts(scene, record))
        if step not in (Step.AWAIT, Step.DRAIN):
            self._memory.waiting = None
        match step:
            case Step.LEAVE:
                await actor.lead(scene, record, record.candidate)
            case Step.REPLACE:
                await actor.write(scene, record.wanted, 3)
            case Step.AWAIT:
                await actor.wait(scene, record)
            case Step.SHIFT:
                await actor.lead(scene, record, scene.rollout.primary)
            case Step.DELETE:
                await actor.delete(scene, record)
            case Step.DRAIN:
                await actor.drain(scene, record)
            case Step.GIVE_UP:
                there = scene.presence is Candidate.THERE
                why = f"not ready any more: {scene.unfit}" if there else "gone or being deleted"
                await actor.give_up(record, f"{candidate} is {why}")
            case Step.PUT_BACK:
                await actor.write(scene, record.former, 0)
            case Step.RESTORE:
                await actor.restore(scene)
            case Step.FORGET:
                return await actor.forget(scene, record)
        return None

    async def _endure(self, error: ApiError | ConnectionFailed) -> None:
        """Wait a moment, and decide anew, where somebody wrote in between.

        So with a connection that is lost while something is waited for. Raises the error otherwise.
        """
        now = self._terms.clock()
        self._lost = now if self._lost is None else self._lost
        if isinstance(error, ApiError) and error.status == 409 and self._conflicts < ATTEMPTS:
            self._conflicts += 1
            await self._terms.sleep(min(self._terms.poll, 0.1 * self._conflicts))
        elif (
            self._memory.waiting
            and classify(error) is Verdict.RETRY
            and now - self._lost < self._terms.timeout
        ):
            await self._terms.sleep(self._terms.poll)
        else:
            raise error
