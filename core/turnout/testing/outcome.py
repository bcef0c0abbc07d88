"""What there is in a cluster in memory: what controllers have written, and what policies say of it."""

from collections.abc import Mapping
from typing import Any

from turnout.names import ROUTING_POLICY
from turnout.plugin import Kind, Ref
from turnout.runtime.events import EVENT
from turnout.testing.builders import MODEL, NAMESPACE
from turnout.testing.memory import Call, InMemoryCluster

Object = dict[str, Any]


class Outcome:
    """Reads one cluster. Policies are those of the namespace `models`."""

    def __init__(self, cluster: InMemoryCluster) -> None:
        self.cluster = cluster

    @property
    def calls(self) -> list[Call]:
        """The calls of controllers so far."""
        return self.cluster.calls

    @property
    def writes(self) -> list[str]:
        """What controllers have written so far, events aside, as `apply virtualservices/wisdom`."""
        return [
            f"{call.verb} {call.resource.partition('.')[0]}/{call.name}{'/status' * bool(call.subresource)}"
            for call in self.cluster.writes
            if call.resource != str(EVENT)
        ]

    def forget_calls(self) -> None:
        """Begin `calls` and `writes` anew."""
        self.cluster.calls.clear()

    def get(self, ref: Ref) -> Object:
        """An object, which must exist."""
        found = self.cluster.get(ref)
        assert found is not None, f"{ref} does not exist"  # noqa: S101  for tests
        return found

    def exists(self, ref: Ref) -> bool:
        """Whether there is such an object."""
        return self.cluster.get(ref) is not None

    def status(self, name: str = MODEL) -> Object:
        """A policy's status; empty while it has none."""
        status: Object = self.get(Ref(ROUTING_POLICY, NAMESPACE, name)).get("status", {})
        return status

    def split(self, name: str = MODEL) -> str:
        """What the routes in force do, as `wisdom-0 20% / wisdom-1 80%`."""
        return str(self.status(name).get("split", ""))

    def written(self, kind: Kind, name: str = MODEL) -> list[Object]:
        """The objects of a kind that a policy's status lists, as they are in the cluster."""
        listed = [one for one in self.status(name).get("routes", ()) if one["kind"] == kind.kind]
        return [self.get(Ref(kind, one["namespace"], one["name"])) for one in listed]

    def condition(self, kind: str, name: str = MODEL) -> tuple[str, str]:
        """Status and reason of a policy's condition; empty while it has none."""
        found = condition_of(self.status(name), kind)
        return str(found.get("status", "")), str(found.get("reason", ""))

    def message(self, kind: str, name: str = MODEL) -> str:
        """The message of a policy's condition."""
        return str(condition_of(self.status(name), kind).get("message", ""))

    def events(self, reason: str) -> list[str]:
        """The messages of the events with that reason."""
        listed = self.cluster.objects(EVENT, NAMESPACE)
        return [event["message"] for event in listed if event["reason"] == reason]


def condition_of(status: Mapping[str, Any], kind: str) -> Mapping[str, Any]:
    """A condition; an empty mapping where it is missing."""
    return next((one for one in status.get("conditions", ()) if one["type"] == kind), {})
