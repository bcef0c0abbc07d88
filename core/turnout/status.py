"""Builds the status of a policy and of traffic weights: conditions, versions, routes. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from turnout.decision.hold import GONE
from turnout.decision.shares import NO_SHARE, share_of, split
from turnout.plugin import Ref, RoutePlan, Version
from turnout.plugin.reading import mapping
from turnout.reasons import Reason
from turnout.shown import truth

MESSAGE_LIMIT = 1024
SPLIT_LIMIT = 2048
"""Characters that the schema allows."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """A condition's status, reason and message. `value` None means Unknown."""

    value: bool | None
    reason: Reason
    message: str = ""

    @property
    def status(self) -> str:
        return truth(self.value)


def ready(
    accepted: Verdict, routed: Verdict, versions: Iterable[Version] | None, held: Reason | None
) -> Verdict:
    """The condition Ready, from the other two and the versions that are to answer calls.

    `versions` None: nobody has looked at them. Unknown where that alone keeps it from being True. A policy
    that moves is ready by the routes that it still has.
    """
    if not accepted.value:
        return Verdict(False, Reason.NOT_ACCEPTED, "the policy is not accepted")
    unrouted = None if routed.value is None else False
    if versions is None:
        return Verdict(unrouted, Reason.NOT_ROUTED, routed.message or "the versions have not been looked at")
    up = [version.name for version in versions if version.ready]
    if up and held is Reason.NO_WEIGHT:
        return Verdict(False, held, f"{', '.join(up)} ready, with weight 0; the routes in force are held")
    if up and held is Reason.NO_BACKEND:
        return Verdict(
            False, held, "nothing is known that could answer for the primary; routes in force are held"
        )
    if not up:
        told = "the routes in force are held" if held else "what was ready and is unknown now keeps its share"
        return Verdict(False, Reason.NO_VERSION_READY, f"no version is ready; {told}")
    if not routed.value and routed.reason is not Reason.MOVING:
        return Verdict(unrouted, Reason.NOT_ROUTED, routed.message or "the decided routes are not in force")
    where = " in the former environment" if held is Reason.MOVING else ""
    return Verdict(True, Reason.READY, f"{', '.join(up)} ready{where}")


def conditions(
    verdicts: Mapping[str, Verdict], previous: Mapping[str, Any], generation: int, now: datetime
) -> list[dict[str, Any]]:
    """Conditions in the form of metav1.Condition. One whose status stays keeps its lastTransitionTime."""
    listed = previous.get("conditions")
    said = [mapping(one) for one in (listed if isinstance(listed, list) else ())]
    before = {str(one.get("type")): one for one in said}
    made = []
    for kind, verdict in verdicts.items():
        old = before.get(kind, {})
        unchanged = old.get("status") == verdict.status and old.get("lastTransitionTime")
        made.append(
            {
                "type": kind,
                "status": verdict.status,
                "reason": str(verdict.reason),
                "message": verdict.message[:MESSAGE_LIMIT],
                "observedGeneration": generation,
                "lastTransitionTime": unchanged or stamp(now),
            }
        )
    return made


def stamp(time: datetime) -> str:
    """A time as Kubernetes writes it, in whole seconds."""
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def versions(
    observed: Iterable[Version],
    reasons: Mapping[str, str],
    primary: str,
    in_force: RoutePlan | None,
    former: str = "",
) -> list[dict[str, Any]]:
    """`status.versions`; `share` is what the plan in force gives.

    `former`: the environment to which that leads, if it is not the one of the observed versions.
    """
    said = []
    for version in observed:
        share, message = share_of(in_force, version.name), reasons.get(version.name, "")
        if version.reason in GONE and share != NO_SHARE:
            message += f"; the routes in force lead to {f'the one of {former}' if former else 'it'}"
        one: dict[str, Any] = {
            "name": version.name,
            "role": "primary" if version.name == primary else "candidate",
            "ready": truth(version.ready),
            "reason": _camel(version.reason),
            "message": message[:MESSAGE_LIMIT],
            "share": share,
        }
        if version.app_version is not None:
            one["appVersion"] = version.app_version[:63]
        if version.spec.weight is not None:
            one["weight"] = version.spec.weight
        said.append(one)
    return said


def routes(refs: Iterable[tuple[Ref, str]]) -> list[dict[str, Any]]:
    """`status.routes`, from objects and the apiVersions they were written in."""
    return [
        {"apiVersion": api, "kind": ref.kind.kind, "namespace": ref.namespace, "name": ref.name}
        for ref, api in refs
    ]


def same(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether two statuses say the same; an absent field and an empty one do."""
    keys = one.keys() | other.keys()
    return all((one.get(key) or None) == (other.get(key) or None) for key in keys)


def policy_status(
    previous: Mapping[str, Any],
    *,
    generation: int,
    verdicts: Mapping[str, Verdict],
    now: datetime,
    observed: list[dict[str, Any]] | None = None,
    in_force: RoutePlan | None = None,
    strategy_state: Mapping[str, Any] | None = None,
    written: list[dict[str, Any]] | None = None,
    lease: str = "",
) -> dict[str, Any]:
    """The whole status. What is None stays as it was. `lease`: of the controller, if it has one."""
    made: dict[str, Any] = {
        "observedGeneration": generation,
        "split": split(in_force)[:SPLIT_LIMIT] or previous.get("split", ""),
        "versions": previous.get("versions", []) if observed is None else observed,
        "routes": previous.get("routes", []) if written is None else written,
        "strategyState": previous.get("strategyState", {})
        if strategy_state is None
        else dict(strategy_state),
        "lease": lease,
        "conditions": conditions(verdicts, previous, generation, now),
    }
    return {key: value for key, value in made.items() if value not in ("", [], {})}


def _camel(reason: str) -> str:
    """A reason that the schema takes, whatever an environment calls it."""
    kept = "".join(letter for letter in reason if letter.isascii() and letter.isalnum())
    return kept[:128] if kept[:1].isalpha() else "Unknown"
