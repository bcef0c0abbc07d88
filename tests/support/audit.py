"""The API server's audit log: which calls a user made, one entry a call."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

CONTROLLER_MANAGER = "system:kube-controller-manager"

_RULES: list[dict[str, Any]] = [
    # The cluster's own calls: hundreds a second at times, and no test asks about them.
    {"level": "None", "users": ["system:apiserver", CONTROLLER_MANAGER]},
    # A watch counts when it begins; every other call when it is over.
    {"level": "Metadata", "verbs": ["watch"], "omitStages": ["ResponseComplete"]},
    {"level": "Metadata", "omitStages": ["ResponseStarted"]},
]
POLICY = {
    "apiVersion": "audit.k8s.io/v1",
    "kind": "Policy",
    "omitStages": ["RequestReceived"],
    "rules": _RULES,
}


@dataclass(frozen=True)
class AuditEntry:
    """One call to the API server. Fields that a call has no value for are empty, or 0."""

    user: str
    verb: str
    """get, list, watch, create, update, patch, delete, deletecollection; for paths that are no
    resource, the HTTP method in lower case."""
    uri: str
    group: str
    resource: str
    subresource: str
    namespace: str
    name: str
    code: int
    user_agent: str


def read_audit_log(path: Path, offset: int = 0) -> list[AuditEntry]:
    """Return the entries that begin at byte `offset` of the log or later, in their order."""
    if not path.exists():
        return []
    with path.open("rb") as log:
        log.seek(offset)
        complete, _, _ = log.read().rpartition(b"\n")
    return [_entry(json.loads(line)) for line in complete.splitlines()]


def _entry(event: dict[str, Any]) -> AuditEntry:
    target: dict[str, str] = event.get("objectRef", {})
    return AuditEntry(
        user=event["user"].get("username", ""),
        verb=event["verb"],
        uri=event["requestURI"],
        group=target.get("apiGroup", ""),
        resource=target.get("resource", ""),
        subresource=target.get("subresource", ""),
        namespace=target.get("namespace", ""),
        name=target.get("name", ""),
        code=event.get("responseStatus", {}).get("code", 0),
        user_agent=event.get("userAgent", ""),
    )
