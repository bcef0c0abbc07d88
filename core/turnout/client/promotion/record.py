"""What has to be remembered of a promotion, from before its first write until after its last. Pure.

It is a ControllerRevision, which Kubernetes has for just that: former templates of workloads, as
StatefulSets keep them. Its data never change, and it goes with its policy. So a promotion can be gone on
with or taken back whenever it was interrupted, from anywhere.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from turnout.names import GROUP, LABEL_MANAGED_BY, LABEL_POLICY, ROUTING_POLICY
from turnout.plugin import Kind, Ref
from turnout.plugin.reading import items, mapping, text

CONTROLLER_REVISION = Kind("apps", ("v1",), "ControllerRevision", "controllerrevisions")
RETURNING = f"{GROUP}/taken-back"
"""The annotation that says why a promotion is taken back; without it, it goes on."""
MANAGED_BY_PROMOTION = "turnout-promote"

Object = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Record:
    """A promotion that has begun.

    `before`: the primary's objects as they were, and behind them those that tell what is served of them,
    None for one that did not exist. `wanted`: the candidate's objects, in the same order. `uids`: of these.
    `weights`: the spec of the traffic weights as they were; None: there were none. `returning`: why it is
    taken back, empty as long as it is not.
    """

    policy_uid: str
    candidate: str
    before: tuple[Object | None, ...]
    wanted: tuple[Object, ...]
    weights: Object | None = None
    returning: str = ""
    uid: str = ""
    resource_version: str = ""

    @property
    def former(self) -> tuple[Object, ...]:
        """The primary's objects as they were."""
        return tuple(one or {} for one in self.before[: len(self.wanted)])

    @property
    def uids(self) -> tuple[str, ...]:
        return tuple(uid_of(one) for one in self.wanted)


def uid_of(obj: Object) -> str:
    """The uid of an object."""
    return text(mapping(obj.get("metadata")).get("uid"))


def are(objects: Sequence[Object], refs: Sequence[Ref]) -> bool:
    """Whether objects are those of these names, in this order."""
    found = [(one.get("kind"), mapping(one.get("metadata"))) for one in objects]
    named = [(kind, metadata.get("namespace"), metadata.get("name")) for kind, metadata in found]
    return named == [(ref.kind.kind, ref.namespace, ref.name) for ref in refs]


def ref_of(namespace: str, policy: str) -> Ref:
    """Where the record of a policy's promotion is."""
    return Ref(CONTROLLER_REVISION, namespace, f"turnout-promotion-{policy}")


def document(ref: Ref, policy: str, record: Record) -> dict[str, Any]:
    """The object to create."""
    owner = {
        "apiVersion": f"{ROUTING_POLICY.group}/{ROUTING_POLICY.versions[0]}",
        "kind": ROUTING_POLICY.kind,
        "name": policy,
        "uid": record.policy_uid,
    }
    return {
        "apiVersion": "apps/v1",
        "kind": ref.kind.kind,
        "metadata": {
            "name": ref.name,
            "namespace": ref.namespace,
            "labels": {LABEL_MANAGED_BY: MANAGED_BY_PROMOTION, LABEL_POLICY: policy},
            "ownerReferences": [owner],
        },
        "revision": 1,
        "data": {
            "candidate": record.candidate,
            "before": [{"object": _kept(one)} for one in record.before],
            "wanted": [{"object": _kept(one)} for one in record.wanted],
            "weights": {} if record.weights is None else {"spec": record.weights},
        },
    }


def read(found: Object) -> Record:
    """What an object says. Nothing here raises, whatever it holds."""
    metadata, data = mapping(found.get("metadata")), mapping(found.get("data"))
    owners = (one for one in items(metadata.get("ownerReferences")) if one.get("kind") == ROUTING_POLICY.kind)
    weights = mapping(data.get("weights")).get("spec")
    return Record(
        policy_uid=text(next((one.get("uid") for one in owners), "")),
        candidate=text(data.get("candidate")),
        before=tuple(mapping(one.get("object")) or None for one in items(data.get("before"))),
        wanted=tuple(mapping(one.get("object")) for one in items(data.get("wanted"))),
        weights=mapping(weights) if weights is not None else None,
        returning=text(mapping(metadata.get("annotations")).get(RETURNING)),
        uid=text(metadata.get("uid")),
        resource_version=text(metadata.get("resourceVersion")),
    )


def _kept(obj: Object | None) -> dict[str, Any]:
    """An object without who manages its fields: that can be longer than all the rest, and is of no use."""
    if obj is None:
        return {}
    metadata = {key: value for key, value in mapping(obj.get("metadata")).items() if key != "managedFields"}
    return {**obj, "metadata": metadata}
