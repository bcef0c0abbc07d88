"""What a policy's status says is decided, and under which host its model is asked. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from turnout.calling import Calls, PluginError
from turnout.decision.accept import Refused
from turnout.decision.declare import admit
from turnout.decision.objects import mapping
from turnout.registry import Registry
from turnout.settings import Settings
from turnout.verification.split import Share, Split


@dataclass(frozen=True, slots=True)
class Decided:
    """`matched`: versions that get calls by what the calls are; they and copies are no part of the split.

    `unsettled`: why the routes may not be those of the split; empty if they are.
    """

    model: str
    split: Split
    matched: tuple[str, ...] = ()
    unsettled: str = ""


def decided(policy: Mapping[str, Any]) -> Decided:
    """Read a RoutingPolicy. Its split is empty if it says of no version what its share is."""
    metadata, status = mapping(policy.get("metadata")), mapping(policy.get("status"))
    said = {
        str(one.get("name")): str(one.get("share", "")) for one in map(mapping, _list(status, "versions"))
    }
    split = {name: Share.parse(share) or Share.exactly(0.0) for name, share in said.items() if share}
    return Decided(
        model=str(mapping(policy.get("spec")).get("modelName") or metadata.get("name")),
        split=split if any(share.high for share in split.values()) else {},
        matched=tuple(name for name, share in said.items() if share == "match"),
        unsettled=_unsettled(metadata, status),
    )


def host(policy: Mapping[str, Any], registry: Registry, protocol: str) -> str | None:
    """The first host of the model's frontend, of one with this protocol (grpc, http) if there is one.

    None if the policy is not accepted as it stands.
    """
    try:
        frontends = admit(policy, None, registry, Settings(), Calls()).accepted.frontends
    except (Refused, PluginError):
        return None
    fitting = [frontend for frontend in frontends if frontend.protocol == protocol] or frontends
    return next((host for frontend in fitting for host in frontend.hosts), None)


def _unsettled(metadata: Mapping[str, Any], status: Mapping[str, Any]) -> str:
    if status.get("observedGeneration") != metadata.get("generation"):
        return "the controller has not yet seen the policy as it is now"
    for one in map(mapping, _list(status, "conditions")):
        if one.get("type") == "Routed" and one.get("status") != "True":
            return f"{one.get('reason')}: {one.get('message')}"
    return ""


def _list(owner: Mapping[str, Any], key: str) -> list[Any]:
    found = owner.get(key)
    return found if isinstance(found, list) else []
