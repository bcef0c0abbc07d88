"""Hands a model's routes from Iter8's controller to turnout's, with no moment without them or with others.

First everything is read and compared, and the API server is asked whether it would permit each write. Then
the policy is created, with its weights; turnout's controller sees routes that are not its own, and waits.
Then the routemap loses the label by which Iter8's controller finds it, which forgets it and writes nothing by
it any more. Then the objects become the policy's, each by a write that says what is there already, as
turnout's controller would say it. What Iter8 had under way is looked for after a while, and put right. Each
step finds out whether it is done, so that a run that was ended anywhere is gone on with by the next one.

It needs the rights to get, create and patch what it writes. Iter8's controller may run or not.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from turnout.decision.render import Rendered, api_version, owner_reference
from turnout.migration import Carried
from turnout.migration.routemap import LABEL_KIND, ROUTEMAP, TAKEN_OVER
from turnout.names import FIELD_MANAGER_OF_PEOPLE, LABEL_POLICY, ROUTING_POLICY, TRAFFIC_WEIGHTS
from turnout.offline import Planned
from turnout.plugin import Ref, Role
from turnout.plugin.reading import mapping
from turnout.runtime.client import Client
from turnout.runtime.errors import ApiError
from turnout.runtime.transport import ConnectionFailed, Transport
from turnout.takeover.handover import managed_fields
from turnout.takeover.prepared import Prepared, Refused, compare, follows, owners_of
from turnout.takeover.reading import CONFIG_MAP

FINALIZER = "iter8.tools/finalizer"
"""Iter8's controller puts it on all that it watches, and takes it off what is being deleted."""
ATTEMPTS = 5
"""So often others may write in between."""

Object = Mapping[str, Any]
Plan = Callable[[Sequence[Object], str], Planned]
"""Decides the only policy among documents, of a namespace, as turnout's controller would."""
Said = Callable[[str], None]
"""Told of each thing that is done, as kubectl would say it."""


@dataclass(slots=True)
class TakeOver:
    """One run. `settle`: how many seconds what Iter8's controller has under way may take.

    `accept_changes`: hand over where turnout routes differently too. Methods raise ApiError and
    ConnectionFailed as well.
    """

    transport: Transport
    plan: Plan
    said: Said
    accept_changes: bool = False
    settle: float = 2.0
    _handed: set[Ref] = field(default_factory=set)
    _people: Client = field(init=False)
    _controller: Client = field(init=False)

    def __post_init__(self) -> None:
        self._people = Client(self.transport, manager=FIELD_MANAGER_OF_PEOPLE)
        self._controller = Client(self.transport)

    async def prepare(self, carried: Carried) -> Prepared:
        """Read a model and compare its routes. Raises Refused where they would be others."""
        prepared = await self._read(carried)
        compare(prepared, accept_changes=self.accept_changes)
        return prepared

    async def begin(self, carried: Carried) -> Prepared:
        """Prepare. What is refused by now, and an ended run has taken from Iter8, is given back."""
        prepared = await self._read(carried)
        try:
            compare(prepared, accept_changes=self.accept_changes)
        except Refused:
            await self._give_back(prepared)
            raise
        return prepared

    async def _read(self, carried: Carried) -> Prepared:
        if carried.policy is None:
            subject = f"ConfigMap {carried.namespace}/{carried.routemap}"
            raise Refused(f"{subject}: there is no policy for it, as told above")
        if carried.rivals:
            route = f"VirtualService {carried.namespace}/{carried.name}"
            raise Refused(f"{route} is made by ConfigMap {', '.join(carried.rivals)} too: delete one of both")
        namespace, name = carried.namespace, carried.name
        policy, weights = Ref(ROUTING_POLICY, namespace, name), Ref(TRAFFIC_WEIGHTS, namespace, name)
        found, weighed = await self._people.get(policy), await self._people.get(weights)
        there = {ref for ref, one in ((policy, found), (weights, weighed)) if one}
        # Once there is a policy, its weights are whatever its people have made them.
        declared = [found or carried.policy, *(one for one in (weighed or carried.weights,) if one)]
        admitted = await self._planned(declared, namespace)
        refs = admitted.admitted.accepted.refs.values() if admitted.admitted else ()
        versions = [await self._people.get(ref) for some in refs for ref in some]
        objects = [one for one in versions if one]
        planned = await self._planned([*declared, *objects], namespace)
        if planned.problem:
            reason, message = planned.problem
            raise Refused(f"RoutingPolicy {namespace}/{name}: {reason}: {message}")
        own = tuple(one for one in planned.assessment.rendered if one.role is not Role.SHARED)
        read = {one.ref: await self._people.get(one.ref) for one in own}
        live = {ref: one for ref, one in read.items() if one}
        prepared = Prepared(
            carried, found or carried.policy, weighed or carried.weights, frozenset(there), own, live
        )
        follows(prepared, suspended=planned.admitted is not None and planned.admitted.suspend)
        return prepared

    async def permitted(self, prepared: Prepared, holders: Sequence[Ref]) -> None:
        """Ask the API server whether it would take every write. Raises ApiError for one that it refuses."""
        for ref, document in prepared.missing.items():
            await self._people.create(ref.kind, ref.namespace, document, dry_run=True)
        await self._label(prepared.carried, TAKEN_OVER, dry_run=True)
        for one in prepared.left:
            patch = {"metadata": {"labels": {LABEL_POLICY: prepared.carried.name}}}
            await self._controller.merge_patch(one.ref, patch, dry_run=True)
        for ref in holders:
            await self._release(ref, dry_run=True)

    async def run(self, carried: Carried, holders: Sequence[Ref]) -> None:
        """Take a model over. `holders`: what may have Iter8's finalizer. Raises Refused."""
        prepared = await self.prepare(carried)
        for ref, document in prepared.missing.items():
            if await self._create(ref, document):
                self.said(f"{_named(ref)} created")
        try:
            await self._take(carried)
        except Refused:
            await self._give_back(prepared)
            raise
        except ApiError:
            with suppress(ApiError, ConnectionFailed):
                await self._give_back(prepared)
            raise
        for ref in holders:
            if await self._release(ref):
                self.said(f"{_named(ref)} released")

    async def held(self, holders: Sequence[Ref]) -> list[Ref]:
        """What has Iter8's finalizer."""
        return [ref for ref in holders if FINALIZER in _finalizers(await self._people.get(ref) or {})]

    async def _planned(self, documents: Sequence[Object], namespace: str) -> Planned:
        return await asyncio.to_thread(self.plan, documents, namespace)

    async def _create(self, ref: Ref, document: Object) -> bool:
        try:
            await self._people.create(ref.kind, ref.namespace, document)
        except ApiError as error:
            if error.reason != "AlreadyExists":
                raise
            return False
        return True

    async def _take(self, carried: Carried) -> None:
        for _ in range(ATTEMPTS):
            prepared = await self.prepare(carried)
            if await self._label(carried, TAKEN_OVER):
                self.said(f"{_named(_routemap(carried))} taken from Iter8")
            if await self._handed_over(prepared):
                return
            await asyncio.sleep(self.settle)
        told = "is written by Iter8's controller all the time; is there another routemap for it?"
        raise Refused(f"VirtualService {carried.namespace}/{carried.name} {told}")

    async def _give_back(self, prepared: Prepared) -> None:
        """Let Iter8's controller find the routemap again, unless a policy has the routes by now.

        Without it nobody would follow the versions.
        """
        carried = prepared.carried
        routes = [one.ref for one in prepared.rendered if one.role is Role.ROUTE]
        found = [await self._people.get(ref) for ref in routes]
        owners = [one.get("kind") for route in found if route for one in owners_of(route)]
        if ROUTING_POLICY.kind not in owners and await self._label(carried, ROUTEMAP):
            self.said(f"{_named(_routemap(carried))} given back to Iter8")

    async def _handed_over(self, prepared: Prepared) -> bool:
        """Hand over what is left. Whether all objects are the policy's then, and stay so."""
        for one in prepared.left:
            try:
                await self._hand_over(one, prepared)
            except ApiError as error:
                if error.status != 409:
                    raise
                return False
            if one.ref not in self._handed:
                self.said(f"{_named(one.ref)} handed over")
                self._handed.add(one.ref)
        if prepared.left:
            await asyncio.sleep(self.settle)
        return not (await self.prepare(prepared.carried)).left

    async def _hand_over(self, one: Rendered, prepared: Prepared) -> None:
        found = prepared.live[one.ref]
        known = _version_of(found)
        if fields := managed_fields(found):
            patch = {"metadata": {**known, "managedFields": fields}}
            known = _version_of(await self._controller.merge_patch(one.ref, patch))
        served = await self._controller.served(one.ref.kind) or one.ref.kind.versions[0]
        owners = [owner_reference(prepared.carried.name, prepared.uid, controller=True)]
        body = one.document(api_version(one.ref.kind.group, served), owners)
        body["metadata"] |= known
        await self._controller.apply(one.ref, body)

    async def _label(self, carried: Carried, value: str, *, dry_run: bool = False) -> bool:
        """Label the routemap. Whether it was labelled otherwise."""
        ref = _routemap(carried)
        found = await self._people.get(ref)
        if found is None or mapping(mapping(found.get("metadata")).get("labels")).get(LABEL_KIND) == value:
            return False
        patch = {"metadata": {"uid": _version_of(found)["uid"], "labels": {LABEL_KIND: value}}}
        await self._people.merge_patch(ref, patch, dry_run=dry_run)
        return True

    async def _release(self, ref: Ref, *, dry_run: bool = False) -> bool:
        """Take Iter8's finalizer off an object. Whether it had it."""
        for attempt in range(ATTEMPTS):
            found = await self._people.get(ref)
            if found is None or FINALIZER not in _finalizers(found):
                return False
            left = [one for one in _finalizers(found) if one != FINALIZER]
            patch = {"metadata": {**_version_of(found), "finalizers": left or None}}
            try:
                await self._people.merge_patch(ref, patch, dry_run=dry_run)
            except ApiError as error:
                if error.status == 404:
                    return True
                if error.status != 409 or attempt + 1 == ATTEMPTS:
                    raise
            else:
                return True
        return False


def _routemap(carried: Carried) -> Ref:
    return Ref(CONFIG_MAP, carried.namespace, carried.routemap)


def _version_of(found: Object) -> dict[str, Any]:
    metadata = mapping(found.get("metadata"))
    return {name: metadata.get(name) for name in ("uid", "resourceVersion")}


def _finalizers(found: Object) -> list[str]:
    listed = mapping(found.get("metadata")).get("finalizers")
    return [str(one) for one in listed] if isinstance(listed, list) else []


def _named(ref: Ref) -> str:
    """As kubectl prints it."""
    group = f".{ref.kind.group}" if ref.kind.group else ""
    return f"{ref.kind.kind.lower()}{group}/{ref.name}"
