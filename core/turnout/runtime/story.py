"""Tells as events what is news against a policy's last status: of its versions, and of its conditions.

With the shifts, of which `turnout.runtime.shifts` tells, they are the story of a rollout: a version is ready,
calls shift to it, the routes are in force, a deleted version is let go.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from turnout.plugin import Version
from turnout.plugin.reading import mapping, text
from turnout.reasons import Reason
from turnout.runtime.events import Event, Recorder, about_policy
from turnout.runtime.keys import PolicyKey
from turnout.runtime.store import Document

ECHOES = frozenset({Reason.NOT_ACCEPTED, Reason.NOT_ROUTED, Reason.READY, Reason.GATED})
"""Reasons of which another condition, a version or a gate has an event."""


def tell_versions(recorder: Recorder, key: PolicyKey, policy: Document, versions: Iterable[Version]) -> None:
    """Which versions have become ready, and which are so no more."""
    about, known = about_policy(key.namespace, key.name), _by("name", policy.status.get("versions"))
    for version in versions:
        was = known.get(version.name, {}).get("ready") == "True"
        if version.ready and not was:
            recorder.record(Event(about, policy.uid, Reason.VERSION_READY, f"{version.name} is ready"))
        elif was and not version.ready:
            told = f"{version.name} is not ready any more: {version.reason}"
            warning = version.reason not in (Reason.DELETING, Reason.MISSING)
            recorder.record(Event(about, policy.uid, Reason.VERSION_NOT_READY, told, warning=warning))


def tell_conditions(recorder: Recorder, key: PolicyKey, policy: Document, status: Mapping[str, Any]) -> None:
    """What has changed in the conditions. `policy`: as it was before it had this status."""
    about, known = about_policy(key.namespace, key.name), _by("type", policy.status.get("conditions"))
    for kind, condition in _by("type", status.get("conditions")).items():
        was, reason = known.get(kind, {}), Reason(text(condition.get("reason")))
        unchanged = (was.get("status"), was.get("reason")) == (condition.get("status"), reason)
        if unchanged or reason in ECHOES or (reason is Reason.VALID and not was):
            continue
        told = text(condition.get("message"))
        if reason is Reason.IN_FORCE:
            told = f"the routes in the cluster are the decided ones: {text(status.get('split'))}"
        warning = condition.get("status") == "False"
        recorder.record(Event(about, policy.uid, reason, told or f"{kind} again", warning=warning))


def _by(field: str, listed: Any) -> dict[str, Mapping[str, Any]]:
    found = map(mapping, listed if isinstance(listed, list) else ())
    return {text(one.get(field)): one for one in found}
