"""What a policy's status says is decided, and under which host its model is asked. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from turnout.calling import Calls, PluginError
from turnout.decision.accept import Refused
from turnout.decision.declare import admit
from turnout.plugin.reading import mapping
from turnout.registry import Registry
from turnout.settings import Settings
from turnout.verification.split import Share, Split


@dataclass(frozen=True, slots=True)
class Decided:
    """`matched`: versions that get calls by what the calls are; they and copies are no part of the split.

    `app_versions`: what each version of the split says to be, as a response header may tell it.
    `unsettled`: why the routes may not be those of the split; empty if they are.
    """

    model: str
    split: Split
    matched: tuple[str, ...] = ()
    unsettled: str = ""
    app_versions: Mapping[str, str] = field(default_factory=dict)

    def named(self) -> dict[str, str]:
        """The version that an app version stands for. Raises ValueError if two with a share have it."""
        found: dict[str, str] = {}
        for name, app_version in self.app_versions.items():
            if not self.split[name].high:
                continue
            if other := found.get(app_version):
                raise ValueError(f"{other} and {name} are both {app_version}")
            found[app_version] = name
        return {app_version: name for name, app_version in self.app_versions.items()} | found


def decided(policy: Mapping[str, Any]) -> Decided:
    """Read a RoutingPolicy. Its split is empty if it says of no version what its share is."""
    metadata, status = mapping(policy.get("metadata")), mapping(policy.get("status"))
    listed = [mapping(one) for one in _list(status, "versions")]
    said = {str(one.get("name")): str(one.get("share", "")) for one in listed}
    told = {str(one.get("name")): str(one["appVersion"]) for one in listed if one.get("appVersion")}
    split = {name: Share.parse(share) or Share.exactly(0.0) for name, share in said.items() if share}
    return Decided(
        model=str(mapping(policy.get("spec")).get("modelName") or metadata.get("name")),
        split=split if any(share.high for share in split.values()) else {},
        matched=tuple(name for name, share in said.items() if share == "match"),
        unsettled=_unsettled(metadata, status),
        app_versions={name: told[name] for name in split if name in told},
    )


def host(policy: Mapping[str, Any], registry: Registry, protocol: str, settings: Settings) -> str | None:
    """The first host of the model's frontend, of one with this protocol (grpc, http) if there is one.

    None if the policy is not accepted as it stands, under these settings.
    """
    try:
        frontends = admit(policy, None, registry, settings, Calls()).accepted.frontends
    except (Refused, PluginError):
        return None
    fitting = [frontend for frontend in frontends if frontend.protocol == protocol] or frontends
    return next((host for frontend in fitting for host in frontend.hosts), None)


def _unsettled(metadata: Mapping[str, Any], status: Mapping[str, Any]) -> str:
    if status.get("observedGeneration") != metadata.get("generation"):
        return "the controller has not yet seen the policy as it is now"
    for one in map(mapping, _list(status, "conditions")):
        if one.get("type") == "Routed":
            return "" if one.get("status") == "True" else f"{one.get('reason')}: {one.get('message')}"
    return "the policy's status does not say that they are"


def _list(owner: Mapping[str, Any], key: str) -> list[Any]:
    found = owner.get(key)
    return found if isinstance(found, list) else []
