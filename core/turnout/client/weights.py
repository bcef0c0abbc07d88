"""Writes traffic weights, and follows them until the routes in force are theirs."""

from collections.abc import Mapping
from contextlib import aclosing
from typing import Any

from turnout.client.following import Found, following
from turnout.names import GROUP, TRAFFIC_WEIGHTS, VERSION
from turnout.plugin import Ref
from turnout.plugin.reading import condition, mapping
from turnout.runtime.calls import Object
from turnout.runtime.client import Client
from turnout.runtime.errors import ApiError
from turnout.shown import sentence

Weights = Mapping[str, int]

ATTEMPTS = 5
"""So often others may write in between."""


class NotShiftedError(RuntimeError):
    """Traffic weights are written and move no calls; the message says why."""


async def put(client: Client, namespace: str, name: str, weights: Weights | None) -> bool:
    """Write traffic weights in place of those there are; None deletes them. False: it was so already."""
    return await put_spec(client, namespace, name, None if weights is None else {"weights": dict(weights)})


async def put_spec(
    client: Client, namespace: str, name: str, spec: Mapping[str, Any] | None, *, dry_run: bool = False
) -> bool:
    """The same by their whole spec. `dry_run`: the API server only says whether it would take it."""
    for attempt in range(ATTEMPTS):
        try:
            return await _put(client, Ref(TRAFFIC_WEIGHTS, namespace, name), spec, dry_run)
        except ApiError as error:
            if error.status != 409 or attempt + 1 == ATTEMPTS:
                raise
    raise AssertionError  # not reached


async def _put(client: Client, ref: Ref, wanted: Mapping[str, Any] | None, dry_run: bool) -> bool:
    """The same once. A conflict is raised where somebody else writes in between."""
    found = await client.get(ref)
    if found is None:
        if wanted is not None:
            await client.create(ref.kind, ref.namespace, _document(ref, wanted), dry_run=dry_run)
        return wanted is not None
    metadata, spec = mapping(found.get("metadata")), mapping(found.get("spec"))
    version = str(metadata.get("resourceVersion"))
    if wanted is None:
        uid = str(metadata.get("uid"))
        return await client.delete(ref, uid=uid, resource_version=version, dry_run=dry_run)
    if spec == wanted and not metadata.get("deletionTimestamp") and not dry_run:
        return False
    weights = mapping(wanted.get("weights"))
    dropped = {one: None for one in mapping(spec.get("weights")) if one not in weights}
    patch = {
        "metadata": {"resourceVersion": version},
        "spec": {
            "weights": {**dropped, **weights} if "weights" in wanted else None,
            "mirrorPercentage": wanted.get("mirrorPercentage"),
        },
    }
    await client.merge_patch(ref, patch, dry_run=dry_run)
    return True


async def accepted(client: Client, namespace: str, name: str) -> None:
    """Wait, for ever, until the controller has looked at the traffic weights as they are now.

    Raises NotShiftedError, also for weights that are deleted meanwhile.
    """
    ref = Ref(TRAFFIC_WEIGHTS, namespace, name)
    async with aclosing(following(client, ref)) as states:
        async for found in states:
            if _is_accepted(ref, found):
                return


def _is_accepted(ref: Ref, found: Found) -> bool:
    if found is None:
        raise NotShiftedError(f"{ref} was deleted before it was in force")
    metadata, status = mapping(found.get("metadata")), mapping(found.get("status"))
    said = condition(status, "Accepted")
    if said is None or status.get("observedGeneration") != metadata.get("generation"):
        return False
    if said.status is False:
        told = sentence(f"{said.reason}: {said.message}", 1024)
        raise NotShiftedError(f"{ref}: {told}; the policy's own weights hold")
    return True


def _document(ref: Ref, spec: Mapping[str, Any]) -> Object:
    return {
        "apiVersion": f"{GROUP}/{VERSION}",
        "kind": ref.kind.kind,
        "metadata": {"name": ref.name, "namespace": ref.namespace},
        "spec": dict(spec),
    }
