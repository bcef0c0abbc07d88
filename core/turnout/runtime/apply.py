"""Every write to the cluster. One field manager, and each write carries what it was decided on.

Objects are created by server-side apply too: a POST would leave a second manager whose fields never
go away. An update carries the resourceVersion that it was decided on, so a controller that has been
replaced without knowing it cannot overwrite its successor; a creation does not force, so it never
takes over an object that someone else has made meanwhile.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

from turnout.decision.objects import Entry, written_part
from turnout.decision.render import Rendered, api_version
from turnout.names import ANNOTATION_DRAIN_FOR, FINALIZER_DRAIN, ROUTING_POLICY
from turnout.plugin import Kind, Ref
from turnout.plugin.reading import mapping
from turnout.runtime.client import Client
from turnout.runtime.digest import Digester, document
from turnout.runtime.keys import PolicyKey
from turnout.runtime.store import Document, Name, Shelf, Store


class Writer:
    """Writes, and puts the answer into the store, so that its own events call for nothing."""

    def __init__(self, client: Client, store: Store, digester: Digester) -> None:
        self._client = client
        self._store = store
        self._digester = digester

    async def api_version(self, kind: Kind) -> str:
        """The apiVersion to write a kind in: the first of its versions that the cluster serves."""
        return api_version(kind.group, await self._client.served(kind) or kind.versions[0])

    async def apply(self, item: Rendered, owners: list[dict[str, Any]], known: Entry | None) -> Entry:
        """Create an object, or update the one that is known. Raises ApiError and ConnectionFailed."""
        body = item.document(await self.api_version(item.ref.kind), owners)
        if known:
            body["metadata"] |= {"uid": known.uid, "resourceVersion": known.resource_version}
        answer = await self._client.apply(item.ref, body, force=known is not None)
        made = await self._entry(item.ref, answer)
        self._store.put(item.ref, made)
        return made

    async def delete(self, ref: Ref, known: Entry) -> None:
        """Delete exactly the object that is known."""
        await self._client.delete(ref, uid=known.uid, resource_version=known.resource_version)

    async def leave_to(self, ref: Ref, owners: Collection[str]) -> None:
        """Take all owners but those with these uids off an object."""
        found = await self._client.get(ref)
        if found is None:
            return
        metadata = mapping(found.get("metadata"))
        listed = metadata.get("ownerReferences", ())
        left = [owner for owner in listed if mapping(owner).get("uid") in owners]
        known = {name: metadata.get(name) for name in ("uid", "resourceVersion")}
        await self._client.merge_patch(ref, {"metadata": {**known, "ownerReferences": left}})

    async def protect(self, ref: Ref, known: Entry, namespace: str) -> Entry | None:
        """Put the drain finalizer on a version's object, for a policy of `namespace`; None if it has gone."""
        return await self._finalizers(ref, known, (*known.finalizers, FINALIZER_DRAIN), namespace)

    async def release(self, ref: Ref, known: Entry) -> Entry | None:
        """Take the drain finalizer off."""
        return await self._finalizers(ref, known, undrained(known), None)

    async def reread(self, ref: Ref) -> Entry | None:
        """Read an object anew: what was known of it has turned out to be old."""
        answer = await self._client.get(ref)
        found = await self._entry(ref, answer) if answer else None
        self._store.put(ref, found)
        return found

    async def still_there(self, key: PolicyKey, uid: str) -> bool:
        """Whether a policy exists that is not being deleted, asking the API server."""
        answer = await self._client.get(Ref(ROUTING_POLICY, key.namespace, key.name))
        return answer is not None and document(answer).uid == uid and not document(answer).deleting

    async def policy_status(self, key: PolicyKey, policy: Document, status: Mapping[str, Any]) -> Document:
        """Write a policy's status, and remember it."""
        ref = Ref(ROUTING_POLICY, key.namespace, key.name)
        answer = await self._status(ref, policy, status)
        _remember(self._store.policies, (key.namespace, key.name), policy, answer)
        return answer

    async def weights_status(self, ref: Ref, weights: Document, status: Mapping[str, Any]) -> None:
        """Write the status of traffic weights, and remember it."""
        answer = await self._status(ref, weights, status)
        _remember(self._store.weights, (ref.namespace, ref.name), weights, answer)

    async def own_weights(self, ref: Ref, weights: Document, owners: Sequence[Mapping[str, Any]]) -> Document:
        """Set the owners of traffic weights, so that they go with their policy. Returns them as stored."""
        patch = {
            "metadata": {
                "uid": weights.uid,
                "resourceVersion": weights.resource_version,
                "ownerReferences": list(owners),
            }
        }
        answer = document(await self._client.merge_patch(ref, patch))
        self._store.weights.put((ref.namespace, ref.name), answer)
        return answer

    async def _entry(self, ref: Ref, answer: Mapping[str, Any]) -> Entry:
        """What is kept of an object, with the routers' word on it."""
        ((_, found),) = await self._digester.entries(ref.kind, [answer])
        if found.written is None:  # of a router that no policy uses any more
            found = replace(found, written=written_part(answer))
        return found

    async def _status(self, ref: Ref, known: Document, status: Mapping[str, Any]) -> Document:
        """The object as stored. Nothing is written over what has changed since, or has replaced it."""
        body = {
            "apiVersion": api_version(ref.kind.group, ref.kind.versions[0]),
            "kind": ref.kind.kind,
            "metadata": {
                "name": ref.name,
                "namespace": ref.namespace,
                "uid": known.uid,
                "resourceVersion": known.resource_version,
            },
            "status": status,
        }
        return document(await self._client.apply(ref, body, subresource="status"))

    async def _finalizers(
        self, ref: Ref, known: Entry, finalizers: Sequence[str], drain_for: str | None
    ) -> Entry | None:
        answer = await self._client.merge_patch(ref, drain_patch(known, finalizers, drain_for))
        found = (await self._digester.entries(ref.kind, [answer]))[0][1]
        gone = found.deleting is not None and not found.finalizers
        self._store.put(ref, None if gone else found)
        return None if gone else found


def _remember(shelf: Shelf[Document], name: Name, known: Document, answer: Document) -> None:
    """Keep the answer to a status write, unless it shows more than the status: a change by someone else.

    That one's event is on its way, and has to be news when it comes.
    """
    if replace(answer, said=known.said) == known:
        shelf.put(name, answer)


def undrained(known: Entry) -> tuple[str, ...]:
    """The finalizers of an object that are not ours."""
    return tuple(name for name in known.finalizers if name != FINALIZER_DRAIN)


def drain_patch(known: Entry, finalizers: Sequence[str], drain_for: str | None) -> dict[str, Any]:
    """Gives a version these finalizers, and the annotation that goes with ours (None: without it).

    A merge patch, since server-side apply would create a ghost where the object has gone.
    """
    return {
        "metadata": {
            "uid": known.uid,
            "resourceVersion": known.resource_version,
            "finalizers": list(finalizers) or None,
            "annotations": {ANNOTATION_DRAIN_FOR: drain_for},
        }
    }
