"""Reads an InferenceService's readiness as ModelMesh reports it, whatever shape its status has."""

from collections.abc import Mapping
from typing import Any

from turnout.plugin.reading import condition


def ready(obj: Mapping[str, Any]) -> tuple[bool | None, str, str]:
    """Whether the object is ready (None: unknown), with a CamelCase reason and a message.

    The condition Ready decides, its status in any case. `observedGeneration` is not compared: KServe
    copies it from a child and ModelMesh never sets it.
    """
    found = condition(obj.get("status"), "Ready")
    if found is None:
        return None, "NoStatus", "its status has no Ready condition yet"
    if found.status:
        return True, "Ready", ""
    if found.status is False:
        return False, found.reason or "NotReady", found.message or "its Ready condition is False"
    return None, found.reason or "Unknown", found.message or f"its Ready condition is {found.word or 'empty'}"
