"""What a policy's status says is decided, and under which host its model is asked. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from turnout.calling import Calls, PluginError
from turnout.decision.accept import Refused
from turnout.decision.declare import admit
from turnout.plugin.reading import mapping
from turnout.registry import Registry
from turnout.rollout import Rollout
from turnout.settings import Settings
from turnout.verification.split import Split


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
    rollout = Rollout.read(policy)
    split, told = rollout.shares, {one.name: one.app_version for one in rollout.versions}
    return Decided(
        model=str(mapping(policy.get("spec")).get("modelName") or rollout.name),
        split=split if any(share.high for share in split.values()) else {},
        matched=tuple(one.name for one in rollout.versions if one.share == "match"),
        unsettled=_unsettled(rollout),
        app_versions={name: told[name] for name in split if told[name]},
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


def _unsettled(rollout: Rollout) -> str:
    if not rollout.current:
        return "the controller has not yet seen the policy as it is now"
    routed = rollout.conditions.get("Routed")
    if routed is None:
        return "the policy's status does not say that they are"
    return "" if routed.status else f"{routed.reason}: {routed.message}"
