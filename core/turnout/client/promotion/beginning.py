"""Before a promotion: what would be done, and whether the API server would take every write of it."""

from collections.abc import Iterable, Mapping
from contextlib import aclosing
from typing import Any

from turnout.client import weights
from turnout.client.promotion.choice import choose, refuse_unfit, refuse_unled, weights_after
from turnout.client.promotion.errors import PromotionRefusedError
from turnout.client.promotion.record import RETURNING, Record, document
from turnout.client.promotion.stage import Scene, Stage
from turnout.client.promotion.terms import Change, Progress, Prospect, Terms
from turnout.names import ROUTING_POLICY, TRAFFIC_WEIGHTS
from turnout.plugin import Ref
from turnout.plugin.reading import mapping, text
from turnout.runtime.errors import ApiError
from turnout.shown import sentence

Object = Mapping[str, Any]


async def record_of(stage: Stage, scene: Scene, chosen: str | None, terms: Terms) -> Record:
    """What to remember of a promotion that may begin.

    Raises CandidateError and PromotionRefusedError where it may not, and PluginError.
    """
    rollout = scene.rollout
    candidate = choose(rollout, chosen)
    primary = _all_there(scene.accepted.refs[rollout.primary], scene.primary, "primary")
    refs = scene.accepted.refs[candidate]
    wanted = _all_there(refs, await stage.objects(refs), "candidate")
    refuse_unfit(rollout, candidate)
    refuse_unled(scene.policy, [*primary, *wanted], candidate, stage.registry, terms.settings, terms.now())
    return Record(
        policy_uid=text(mapping(scene.policy.get("metadata")).get("uid")),
        candidate=candidate,
        before=(*primary, *await stage.witnesses(scene, primary)),
        wanted=wanted,
        weights=scene.weights,
    )


def prospect(scene: Scene, record: Record) -> Prospect:
    """What is left to be done. Raises PluginError, and PromotionRefusedError for one that is taken back."""
    if record.returning:
        told = f"the promotion of {record.candidate} is being taken back: {record.returning}"
        raise PromotionRefusedError(f"{sentence(told, 2048)}; promoting again goes on with that")
    made = scene.made(record.wanted)
    changes = tuple(
        Change(before or {}, after)
        for before, after in zip(scene.primary, made, strict=True)
        if before != after
    )
    rollout, candidate = scene.rollout, record.candidate
    refs = ", ".join(_named(one.after) for one in changes) or "nothing: it serves that already"
    deleted = ", ".join(_named(one) for one in record.wanted)
    steps = (
        f"{candidate} is ready and carries calls",
        f"all calls to {candidate}, and wait until nothing calls {rollout.primary}",
        f"replace {refs}",
        f"wait until {rollout.primary} is ready",
        f"all calls to {rollout.primary}",
        f"delete {deleted}, and wait until the calls have left it",
    )
    return Prospect(
        rollout,
        candidate,
        changes,
        weights_after(record.weights, rollout),
        tuple(Progress(number, text) for number, text in enumerate(steps, 1)),
    )


async def rehearse(stage: Stage, scene: Scene, record: Record) -> None:
    """Have the API server say that it would take every read and write of a promotion, and nothing be done.

    Raises ApiError for the first that it would not: it names the verb and the object.
    """
    client, ref, rollout = stage.client, stage.record, scene.rollout
    for kind in (ROUTING_POLICY, TRAFFIC_WEIGHTS):
        await _followed(stage, Ref(kind, stage.namespace, stage.name))
    if scene.record is None:
        body = document(ref, stage.name, record)
        await client.create(ref.kind, ref.namespace, body, dry_run=True)
    await _but_absent(client.merge_patch(ref, {"metadata": {"annotations": {RETURNING: ""}}}, dry_run=True))
    await client.delete(ref, dry_run=True)
    spec = {"weights": rollout.all_to(record.candidate)}
    there = Ref(TRAFFIC_WEIGHTS, stage.namespace, stage.name)
    await weights.put_spec(client, stage.namespace, stage.name, spec, dry_run=True)
    await _but_absent(client.merge_patch(there, {"spec": spec}, dry_run=True))
    await client.delete(there, dry_run=True)
    for one, made in zip(scene.accepted.refs[rollout.primary], scene.made(record.wanted), strict=True):
        await client.replace(one, made, dry_run=True)
    for one, obj in zip(scene.accepted.refs[record.candidate], record.wanted, strict=True):
        await client.delete(one, uid=text(mapping(obj.get("metadata")).get("uid")), dry_run=True)


async def _but_absent(call: Any) -> None:
    """A patch of what is not there is only asked for the right to it."""
    try:
        await call
    except ApiError as error:
        if error.status != 404 or error.kind_missing or not error.from_api:
            raise


async def _followed(stage: Stage, ref: Ref) -> None:
    """Raises ApiError unless the object may be listed and watched."""
    version = "0"
    async with aclosing(stage.client.pages(ref.kind, ref.namespace, name=ref.name)) as pages:
        async for page in pages:
            version = page.resource_version
    watch = stage.client.watch(ref.kind, ref.namespace, version, name=ref.name, timeout_seconds=1)
    async with aclosing(watch) as opened:
        await anext(opened)


def _all_there(refs: Iterable[Ref], objects: Iterable[Object | None], role: str) -> tuple[Object, ...]:
    there = []
    for ref, obj in zip(refs, objects, strict=True):
        if obj is None:
            raise PromotionRefusedError(f"{ref} does not exist, and is of the {role}")
        if mapping(obj.get("metadata")).get("deletionTimestamp"):
            raise PromotionRefusedError(f"{ref} is being deleted, and is of the {role}")
        there.append(obj)
    return tuple(there)


def _named(obj: Object) -> str:
    return f"{text(obj.get('kind'))} {text(mapping(obj.get('metadata')).get('name'))}"
