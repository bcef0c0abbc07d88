"""Reads an InferenceService's readiness as ModelMesh reports it, whatever shape its status has."""

from collections.abc import Mapping
from typing import Any


def ready(obj: Mapping[str, Any]) -> tuple[bool | None, str, str]:
    """Whether the object is ready (None: unknown), with a CamelCase reason and a message.

    The condition Ready decides, its status in any case. `observedGeneration` is not compared: KServe
    copies it from a child and ModelMesh never sets it.
    """
    condition = _condition(obj.get("status"), "Ready")
    if condition is None:
        return None, "NoStatus", "its status has no Ready condition yet"
    status = condition.get("status")
    word = str(status).lower()[:32] if isinstance(status, str | bool) else ""
    told = _told(condition)
    if word == "true":
        return True, "Ready", ""
    if word == "false":
        return False, _reason(condition, "NotReady"), told or "its Ready condition is False"
    return None, _reason(condition, "Unknown"), told or f"its Ready condition is {word or 'empty'}"


def _condition(status: object, kind: str) -> Mapping[str, Any] | None:
    conditions = status.get("conditions") if isinstance(status, Mapping) else None
    for condition in conditions if isinstance(conditions, list) else ():
        if isinstance(condition, Mapping) and condition.get("type") == kind:
            return condition
    return None


def _reason(condition: Mapping[str, Any], otherwise: str) -> str:
    reason = condition.get("reason")
    return reason[:128] if isinstance(reason, str) and reason else otherwise


def _told(condition: Mapping[str, Any]) -> str:
    message = condition.get("message")
    return message[:512] if isinstance(message, str) else ""
