"""Takes a promotion from wherever it is to its end, one step after the other, each by what there is then.

What the next step is, `steps` says; this does it. Nothing is decided by what this process has done before,
but for two waits that nothing in the cluster can tell of, which are made again: until proxies have followed,
and until a primary has stayed ready for a while.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from turnout.calling import Calls
from turnout.client import weights
from turnout.client.promotion import beginning
from turnout.client.promotion.choice import all_to
from turnout.client.promotion.errors import (
    ChangedError,
    PromotionRefusedError,
    TakenBackError,
    UnderWayError,
)
from turnout.client.promotion.record import RETURNING, Record, document, uid_of
from turnout.client.promotion.stage import Scene, Stage, led
from turnout.client.promotion.steps import Facts, Lead, Ready, Step, next_step
from turnout.client.promotion.terms import Progress, Promoted, Prospect, Terms
from turnout.decision import promotion as ask
from turnout.plugin import Ref
from turnout.plugin.reading import app_version, items, mapping, text
from turnout.rollout import Rollout
from turnout.runtime.errors import ApiError, Verdict, classify
from turnout.runtime.transport import ConnectionFailed
from turnout.shown import plain, sentence

if TYPE_CHECKING:
    from turnout.client.client import Client

Object = Mapping[str, Any]

AGAIN = "promoting again goes on from there"
ATTEMPTS = 20
"""So often the API server may say that somebody else wrote in between."""


class Promoter:
    """One promotion, for one run of it."""

    def __init__(self, rollouts: "Client", stage: Stage, terms: Terms) -> None:
        self._rollouts = rollouts
        self._stage = stage
        self._terms = terms
        self._followed = False
        self._replaced: set[int] = set()
        self._maybe: tuple[Any, float] | None = None
        self._settled: Any = None
        self._waiting: tuple[Step, float] | None = None
        self._said = ""
        self._conflicts = 0
        self._begun = False
        self._why = ""

    async def prospect(self, chosen: str | None) -> Prospect:
        """What would be done. Nothing is written."""
        scene = await self._look()
        record = self._resumed(scene, chosen) or await self._record(scene, chosen)
        return beginning.prospect(scene, record, self._terms)

    async def rehearse(self, chosen: str | None) -> None:
        """Have the API server check all that would be done."""
        scene = await self._look()
        record = self._resumed(scene, chosen) or await self._record(scene, chosen)
        await beginning.rehearse(self._stage, scene, record)

    async def run(self, chosen: str | None) -> Promoted:
        """Promote, from wherever it is."""
        scene = await self._look()
        if record := self._resumed(scene, chosen):
            self._tell(1, f"goes on with the promotion of {plain(record.candidate)}")
        while True:
            try:
                if self._resumed(scene, chosen) is None and not self._begun:
                    await self._begin(scene, chosen)
                elif (done := await self._step(scene)) is not None:
                    return done
            except ApiError as error:
                if error.status != 409 or self._conflicts >= ATTEMPTS:
                    raise
                # Somebody else, or a controller, wrote in between: what is there now decides.
                self._conflicts += 1
                await self._terms.sleep(min(self._terms.poll, 0.1 * self._conflicts))
            scene = await self._look()

    # before

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
        if len(record.wanted) != len(scene.primary) or record.candidate not in scene.rollout.candidates:
            told = f"{where} does not fit {scene.rollout} any more: the policy has changed since"
            raise PromotionRefusedError(f"{told}; put that back, or delete {where} to leave all as it is")
        return record

    async def _begin(self, scene: Scene, chosen: str | None) -> None:
        record = await self._record(scene, chosen)
        await beginning.rehearse(self._stage, scene, record)
        self._tell(1, f"{plain(record.candidate)} is ready and carries calls, {scene.rollout.split}")
        ref = self._stage.record
        body = document(ref, self._stage.name, record)
        await self._stage.client.create(ref.kind, ref.namespace, body)
        self._begun = True

    # a step

    async def _step(self, scene: Scene) -> Promoted | None:
        """Do what is to be done next. Returns the promotion once it is over. Raises what ends it."""
        record = scene.record
        if record is None:  # somebody else has ended it
            raise ChangedError(f"{self._stage.record} is gone: somebody else has ended the promotion")
        facts = await self._facts(scene, record)
        step = next_step(facts)
        if self._waiting and self._waiting[0] is not step:
            self._waiting = None
        match step:
            case Step.LEAVE:
                await self._lead(scene, record, record.candidate)
            case Step.REPLACE:
                await self._write(scene, record.wanted, 3)
            case Step.PUT_BACK:
                await self._write(scene, record.former, 0)
            case Step.AWAIT:
                await self._await(scene, record)
            case Step.SHIFT:
                await self._lead(scene, record, scene.rollout.primary)
            case Step.DELETE:
                await self._delete(scene, record)
            case Step.DRAIN:
                await self._drain(scene, record)
            case Step.GIVE_UP:
                await self._give_up(scene, record, f"{plain(record.candidate)} is gone or being deleted")
            case Step.RESTORE:
                await self._restore(scene)
            case Step.FORGET:
                return await self._forget(scene, record)
        return None

    async def _facts(self, scene: Scene, record: Record) -> Facts:
        made, former = scene.made(record.wanted), scene.made(record.former)
        refs = scene.accepted.refs[scene.rollout.primary]
        new, old = [], []
        for index, (ref, one) in enumerate(zip(refs, scene.primary, strict=True)):
            if one is None:
                raise ChangedError(f"{ref} has been deleted since the promotion began; {self._way_out()}")
            new.append(one == made[index] or await self._is_stored(ref, one, made[index]))
            old.append(one == former[index] or await self._is_stored(ref, one, former[index]))
            if not (new[-1] or old[-1]):
                raise ChangedError(
                    f"{ref} was changed{_by(one)} since the promotion began; {self._way_out()}"
                )
            if not new[-1] and index in self._replaced and not record.returning:
                told = f"{ref} was put back{_by(one)}: commit what --manifest prints where that takes it from"
                raise ChangedError(f"{told}; {AGAIN}")
        lead = scene.lead
        self._followed = self._followed and lead is Lead.CANDIDATE
        return Facts(
            promoted=all(new),
            former=all(old),
            ready=await self._ready(scene, record),
            candidate=scene.presence,
            lead=Lead.ELSEWHERE if lead is Lead.CANDIDATE and not self._followed else lead,
            restored=scene.weights == scene.weights_after,
            returning=bool(record.returning),
        )

    async def _is_stored(self, ref: Ref, now: Object, wanted: Object) -> bool:
        """Whether writing an object would leave it as it is: the API server may fill in fields."""
        there = await self._stage.client.replace(ref, wanted, dry_run=True)
        return _content(there) == _content(now)

    async def _ready(self, scene: Scene, record: Record) -> Ready:
        primary = [one or {} for one in scene.primary]
        now = (*primary, *await self._stage.witnesses(scene, primary))
        verdict, self._why = scene.rolled_out(now)
        if verdict is False and record.returning and not scene.ready(record.former)[0]:
            return Ready.YES  # it was not ready before either, and is back where it was
        if verdict is not None:
            self._maybe = None
            return Ready.YES if verdict else Ready.NO
        key = [(uid_of(one), mapping(one.get("metadata")).get("generation")) for one in primary]
        if self._settled == key:
            return Ready.YES
        began = self._maybe[1] if self._maybe and self._maybe[0] == key else self._terms.clock()
        self._maybe = key, began
        if self._terms.clock() - began < self._terms.settle:
            self._why = f"it says that it is ready, and has to stay so for {self._terms.settle:g} s"
            return Ready.MAYBE
        self._settled = key
        return Ready.YES

    async def _lead(self, scene: Scene, record: Record, name: str) -> None:
        """Lead all calls to a version, and to a candidate until nothing calls the primary any more."""
        rollout = scene.rollout
        away = name == record.candidate
        number = 0 if record.returning else 2 if away else 5
        wanted = all_to(name, rollout)
        self._tell(number, f"all calls to {plain(name)}")
        await weights.put(self._stage.client, rollout.namespace, rollout.name, wanted)
        last = await self._until_led(scene, record, name, wanted, number)
        if last is not None and away:
            await self._follow(scene, number, scene.rollout.primary)
            self._followed = True

    async def _until_led(
        self, scene: Scene, record: Record, name: str, wanted: Mapping[str, int], number: int
    ) -> Rollout | None:
        """The rollout once its routes are those of the weights; None where that is given up."""
        from turnout.client.client import NotInTimeError
        from turnout.client.weights import NotShiftedError

        def told(rollout: Rollout) -> None:
            self._tell(number, f"waits: {sentence(rollout.awaits or rollout.split, 1024)}")

        try:
            await self._rollouts.weighed(scene.rollout.name, wanted, timeout=self._terms.timeout, told=told)
            return await self._rollouts.wait(
                scene.rollout.name,
                lambda rollout: led(rollout, name, wanted),
                timeout=self._terms.timeout,
                told=told,
            )
        except (NotInTimeError, NotShiftedError) as error:
            untouched = scene.made(record.former) == scene.primary
            if untouched and name == record.candidate and not record.returning:
                await self._give_up(scene, record, sentence(str(error), 1024))
                return None
            raise UnderWayError(f"{sentence(str(error), 1024)}; {AGAIN}") from None

    async def _follow(self, scene: Scene, number: int, left: str) -> None:
        """Wait as long as proxies may go on calling a version that the routes have left."""
        drain = self._terms.settings.drain
        seconds = drain.propagation(scene.accepted.router).total_seconds() + drain.in_flight_seconds
        if seconds > 0:
            self._tell(number, f"waits {seconds:g} s, as long as proxies may still call {plain(left)}")
            await self._terms.sleep(seconds)

    async def _write(self, scene: Scene, of: tuple[Object, ...], number: int) -> None:
        """Give the primary what these objects serve, as it was read: one that has changed is a conflict."""
        refs = scene.accepted.refs[scene.rollout.primary]
        made = scene.made(of)
        for index, (ref, before, after) in enumerate(zip(refs, scene.primary, made, strict=True)):
            if before == after:
                continue
            self._tell(number, f"replace {ref}" if number else f"{ref} is as it was before")
            await self._stage.client.replace(ref, after)
            self._replaced.add(index)
        self._maybe = self._settled = None

    async def _await(self, scene: Scene, record: Record) -> None:
        """Wait a moment; too long, and the promotion is taken back."""
        primary, terms = scene.rollout.primary, self._terms
        now = terms.clock()
        began = self._waiting[1] if self._waiting else now
        self._waiting = (Step.AWAIT, began)
        if now - began >= terms.timeout:
            told = f"{plain(primary)} is not ready within {terms.timeout:g} s: {sentence(self._why, 1024)}"
            if record.returning:
                kept = f"{plain(record.candidate)} keeps the calls" if scene.lead is Lead.CANDIDATE else ""
                raise UnderWayError("; ".join(filter(None, (f"back, {told}", kept, AGAIN))))
            await self._give_up(scene, record, told)
            return
        number = 0 if record.returning else 4
        self._tell(number, f"waits until {plain(primary)} is ready: {sentence(self._why, 1024)}")
        await terms.sleep(terms.poll)

    async def _delete(self, scene: Scene, record: Record) -> None:
        """Delete what the candidate is, unless it is no longer what was promoted."""
        environment = scene.accepted.environment
        there = tuple(one for one in scene.candidate if one)
        if len(there) == len(record.wanted):
            same = ask.promoted(environment, there, record.wanted, Calls())
            if list(same) != list(there):
                told = f"{plain(record.candidate)} was changed since its promotion began, and is not deleted"
                raise ChangedError(f"{told}; {self._way_out()}")
        if not scene.drains:
            await self._follow(scene, 6, record.candidate)
        await self._deletions(scene, record)

    async def _deletions(self, scene: Scene, record: Record) -> None:
        """Of all that is left, in the environment's order; what another version is made of too stays."""
        accepted = scene.accepted
        others = {ref for name, refs in accepted.refs.items() if name != record.candidate for ref in refs}
        for ref, obj, uid in zip(accepted.refs[record.candidate], scene.candidate, record.uids, strict=True):
            metadata = mapping(obj.get("metadata")) if obj else {}
            if ref in others or metadata.get("uid") != uid or metadata.get("deletionTimestamp"):
                continue
            self._tell(6, f"delete {ref}")
            await self._stage.client.delete(ref, uid=uid)

    async def _drain(self, scene: Scene, record: Record) -> None:
        await self._deletions(scene, record)
        terms = self._terms
        now = terms.clock()
        began = self._waiting[1] if self._waiting else now
        self._waiting = (Step.DRAIN, began)
        if now - began >= terms.timeout:
            told = f"{plain(record.candidate)} is still being deleted after {terms.timeout:g} s"
            raise UnderWayError(f"{told}: what holds it are its finalizers; {AGAIN}")
        self._tell(6, f"waits until {plain(record.candidate)} is gone: the calls leave it first")
        await terms.sleep(terms.poll)

    async def _give_up(self, scene: Scene, record: Record, why: str) -> None:
        """From now on it is taken back, whoever goes on with it."""
        self._tell(0, why)
        metadata = {
            "resourceVersion": record.resource_version,
            "annotations": {RETURNING: sentence(why, 1024)},
        }
        await self._stage.client.merge_patch(self._stage.record, {"metadata": metadata})

    async def _restore(self, scene: Scene) -> None:
        """Set the weights for the time after it, and wait until the routes are theirs, if they count."""
        from turnout.client.client import NotInTimeError
        from turnout.client.weights import NotShiftedError

        namespace, name, spec = scene.rollout.namespace, scene.rollout.name, scene.weights_after
        await weights.put_spec(self._stage.client, namespace, name, spec)
        if spec is not None and "weights" not in spec:
            return  # a percentage, of which no status tells
        given = None if spec is None else mapping(spec.get("weights"))
        try:
            await self._rollouts.weighed(name, given, timeout=self._terms.timeout)
        except NotShiftedError:
            return  # they did not count before either
        except NotInTimeError as error:
            raise UnderWayError(f"{sentence(str(error), 1024)}; {AGAIN}") from None

    async def _forget(self, scene: Scene, record: Record) -> Promoted:
        rollout, client = scene.rollout, self._stage.client
        await client.delete(self._stage.record, uid=record.uid)
        if record.returning:
            told = f"{rollout} is as it was before, {plain(rollout.primary)} too"
            raise TakenBackError(f"not promoted: {record.returning}; {told}")
        return Promoted(
            rollout=Rollout.read(await self._rollouts.document(rollout.name)),
            candidate=record.candidate,
            app_version=app_version(record.wanted[0]) or "",
            weights=scene.weights_after,
        )

    # around

    async def _look(self) -> Scene:
        """What there is. A lost connection is made again for as long as anything is waited for."""
        began = self._terms.clock()
        while True:
            try:
                return await self._stage.look(await self._rollouts.document(self._stage.name))
            except (ApiError, ConnectionFailed) as error:
                late = self._terms.clock() - began >= self._terms.timeout
                if late or not self._waiting or classify(error) is not Verdict.RETRY:
                    raise
                await self._terms.sleep(self._terms.poll)

    def _tell(self, number: int, told: str) -> None:
        """Say it, unless it was said just now."""
        if told != self._said:
            self._said = told
            self._terms.told(Progress(number, told))

    def _way_out(self) -> str:
        where = self._stage.record
        return f"nothing of it is overwritten: put it back, or delete {where} to leave all as it is now"


def _content(obj: Object) -> dict[str, Any]:
    """All but what a write alone changes, and the status."""
    ignored = ("resourceVersion", "generation", "managedFields")
    metadata = {key: one for key, one in mapping(obj.get("metadata")).items() if key not in ignored}
    return {**{key: one for key, one in obj.items() if key != "status"}, "metadata": metadata}


def _by(obj: Object) -> str:
    """Who wrote an object last, as its managers tell it."""
    entries = [
        one for one in items(mapping(obj.get("metadata")).get("managedFields")) if not one.get("subresource")
    ]
    if not entries:
        return ""
    last = max(entries, key=lambda one: text(one.get("time")))
    return f" by {plain(text(last.get('manager')))} at {plain(text(last.get('time')))}"
