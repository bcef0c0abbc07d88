"""Does the steps of a promotion, each of which may be done again."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from turnout.calling import Calls
from turnout.client import controllers, weights
from turnout.client.promotion.errors import ChangedError, TakenBackError, UnderWayError
from turnout.client.promotion.finding import way_out
from turnout.client.promotion.memory import AGAIN, Memory
from turnout.client.promotion.record import RETURNING, Record
from turnout.client.promotion.stage import Scene, Stage, led, unfit
from turnout.client.promotion.steps import Lead, Step
from turnout.client.promotion.terms import Promoted
from turnout.decision import promotion as ask
from turnout.names import FINALIZER_DRAIN
from turnout.plugin.reading import app_version, mapping
from turnout.rollout import Rollout
from turnout.shown import plain, sentence

if TYPE_CHECKING:
    from turnout.client.client import Client

Object = Mapping[str, Any]


def _finalizers(obj: Object | None) -> tuple[Any, ...]:
    return tuple(mapping(obj.get("metadata")).get("finalizers") or ()) if obj else ()


class _NotFitError(Exception):
    """The candidate, to which calls were to be led, is not ready any more."""


class Actor:
    """Writes, and waits. Raises the errors of a promotion, and ApiError: after a conflict decide anew."""

    def __init__(self, rollouts: "Client", stage: Stage, memory: Memory) -> None:
        self._rollouts = rollouts
        self._stage = stage
        self._memory = memory

    async def lead(self, scene: Scene, record: Record, name: str) -> None:
        """Lead all calls to a version, and to a candidate until nothing calls the primary any more."""
        rollout = scene.rollout
        away = name == record.candidate
        number = 0 if record.returning else 2 if away else 5
        wanted = rollout.all_to(name)
        self._memory.tell(number, f"all calls to {plain(name)}")
        await weights.put(self._stage.client, rollout.namespace, rollout.name, wanted)
        last = await self._until_led(scene, record, name, wanted, number)
        if last is not None and away:
            await self._follow(scene, number, scene.rollout.primary)
            self._memory.followed = True

    async def _until_led(
        self, scene: Scene, record: Record, name: str, wanted: Mapping[str, int], number: int
    ) -> Rollout | None:
        """The rollout once its routes are those of the weights; None where it is to be decided anew."""
        from turnout.client.client import NotInTimeError
        from turnout.client.weights import NotShiftedError

        def told(rollout: Rollout) -> None:
            if name == record.candidate and unfit(rollout, name):
                raise _NotFitError
            self._memory.tell(number, f"waits: {sentence(rollout.awaits or rollout.split, 1024)}")

        try:
            await self._rollouts.weighed(
                scene.rollout.name, wanted, timeout=self._memory.terms.timeout, told=told
            )
            return await self._rollouts.wait(
                scene.rollout.name,
                lambda rollout: led(rollout, name, wanted),
                timeout=self._memory.terms.timeout,
                told=told,
            )
        except _NotFitError:
            await self._memory.terms.sleep(self._memory.terms.poll)
            return None
        except (NotInTimeError, NotShiftedError) as error:
            untouched = scene.made(record.former) == scene.primary
            if untouched and name == record.candidate and not record.returning:
                await self.give_up(record, sentence(str(error), 1024))
                return None
            raise UnderWayError(f"{sentence(str(error), 1024)}; {AGAIN}") from None

    async def _follow(self, scene: Scene, number: int, left: str) -> None:
        """Wait as long as proxies may go on calling a version that the routes have left."""
        drain = self._memory.terms.settings.drain
        seconds = drain.propagation(scene.accepted.router).total_seconds() + drain.in_flight_seconds
        if seconds > 0:
            self._memory.tell(number, f"waits {seconds:g} s, as long as proxies may still call {plain(left)}")
            await self._memory.terms.sleep(seconds)

    async def write(self, scene: Scene, of: tuple[Object, ...], number: int) -> None:
        """Give the primary what these objects serve, as it was read: one that has changed is a conflict."""
        refs = scene.accepted.refs[scene.rollout.primary]
        made = scene.made(of)
        for index, (ref, before, after) in enumerate(zip(refs, scene.primary, made, strict=True)):
            if before == after:
                continue
            self._memory.tell(number, f"replace {ref}" if number else f"{ref} is as it was before")
            await self._stage.client.replace(ref, after)
            self._memory.replaced.add(index)
        self._memory.maybe = self._memory.settled = None

    async def wait(self, scene: Scene, record: Record) -> None:
        """Wait a moment; too long, and the promotion is taken back."""
        primary, terms = scene.rollout.primary, self._memory.terms
        if self._memory.since(Step.AWAIT) >= terms.timeout:
            why = sentence(self._memory.why, 1024)
            told = f"{plain(primary)} is not ready within {terms.timeout:g} s: {why}"
            if record.returning:
                kept = f"{plain(record.candidate)} keeps the calls" if scene.lead is Lead.CANDIDATE else ""
                raise UnderWayError("; ".join(filter(None, (f"back, {told}", kept, AGAIN))))
            await self.give_up(record, told)
            return
        number = 0 if record.returning else 4
        self._memory.tell(
            number, f"waits until {plain(primary)} is ready: {sentence(self._memory.why, 1024)}"
        )
        await terms.sleep(terms.poll)

    async def delete(self, scene: Scene, record: Record) -> None:
        """Delete what the candidate is, unless it is no longer what was promoted."""
        environment = scene.accepted.environment
        there = tuple(one for one in scene.candidate if one)
        if len(there) == len(record.wanted):
            same = ask.promoted(environment, there, record.wanted, Calls())
            if list(same) != list(there):
                told = f"{plain(record.candidate)} was changed since its promotion began, and is not deleted"
                raise ChangedError(f"{told}; {way_out(self._stage)}")
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
            self._memory.tell(6, f"delete {ref}")
            await self._stage.client.delete(ref, uid=uid)

    async def drain(self, scene: Scene, record: Record) -> None:
        await self._deletions(scene, record)
        terms = self._memory.terms
        if self._memory.since(Step.DRAIN) >= terms.timeout:
            told = f"{plain(record.candidate)} is still being deleted after {terms.timeout:g} s"
            raise UnderWayError(f"{told}: what holds it are its finalizers; {AGAIN}")
        self._memory.tell(6, f"waits until {plain(record.candidate)} is gone: the calls leave it first")
        if any(FINALIZER_DRAIN in _finalizers(one) for one in scene.candidate):
            none = controllers.missing(self._stage.client, scene.rollout.lease)
            await controllers.until_missing(self._let_go(scene, record), none)
        else:
            await terms.sleep(terms.poll)

    async def _let_go(self, scene: Scene, record: Record) -> None:
        """Wait until finalizers of the candidate are others, which is the controller's to do."""
        refs, terms = scene.accepted.refs[record.candidate], self._memory.terms
        there = scene.candidate
        while list(map(_finalizers, there)) == list(map(_finalizers, scene.candidate)):
            if self._memory.since(Step.DRAIN) >= terms.timeout:
                return
            await terms.sleep(terms.poll)
            there = await self._stage.objects(refs)

    async def give_up(self, record: Record, why: str) -> None:
        """From now on it is taken back, whoever goes on with it."""
        self._memory.tell(0, why)
        metadata = {
            "resourceVersion": record.resource_version,
            "annotations": {RETURNING: sentence(why, 1024)},
        }
        await self._stage.client.merge_patch(self._stage.record, {"metadata": metadata})

    async def restore(self, scene: Scene) -> None:
        """Set the weights for the time after it, and wait until the routes are theirs, if they count."""
        from turnout.client.client import NotInTimeError
        from turnout.client.weights import NotShiftedError

        namespace, name, spec = scene.rollout.namespace, scene.rollout.name, scene.weights_after
        await weights.put_spec(self._stage.client, namespace, name, spec)
        if spec is not None and "weights" not in spec:
            return  # a percentage, of which no status tells
        given = None if spec is None else mapping(spec.get("weights"))
        try:
            await self._rollouts.weighed(name, given, timeout=self._memory.terms.timeout)
        except NotShiftedError:
            return  # they did not count before either
        except NotInTimeError as error:
            raise UnderWayError(f"{sentence(str(error), 1024)}; {AGAIN}") from None

    async def forget(self, scene: Scene, record: Record) -> Promoted:
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
