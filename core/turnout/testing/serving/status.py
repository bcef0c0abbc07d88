"""The status that ModelMesh writes to an InferenceService. Pure."""

from collections.abc import Mapping
from typing import Any

from turnout.testing.serving.models import State

CONDITIONS = ("PredictorReady", "Ready")


def status(state: State, known: Mapping[str, Any], now: str) -> dict[str, Any]:
    """What to merge into a status. `known`: the status that is there; `now`: an RFC 3339 time.

    A service is ready as soon as any model answers for it, also while the next one loads.
    """
    ready = str(state.active is not None)
    before = {one.get("type"): one for one in known.get("conditions") or ()}
    ours = [_condition(before.get(kind, {}), kind, ready, now) for kind in CONDITIONS]
    others = [one for kind, one in before.items() if kind not in CONDITIONS]
    replacing = state.active is not None and state.due is not None
    return {
        "conditions": [*others, *ours],
        "modelStatus": {
            "copies": {"failedCopies": 0, "totalCopies": int(state.active is not None)},
            "states": {
                "activeModelState": "Loaded" if state.active else "Loading",
                "targetModelState": "Loading" if replacing else "",
            },
            "transitionStatus": "UpToDate" if state.due is None else "InProgress",
        },
    }


def says_ready(service: Mapping[str, Any]) -> bool:
    """Whether an InferenceService says that it is ready."""
    conditions = (service.get("status") or {}).get("conditions") or ()
    return any(one.get("type") == "Ready" and one.get("status") == "True" for one in conditions)


def _condition(before: Mapping[str, Any], kind: str, said: str, now: str) -> dict[str, Any]:
    since = before.get("lastTransitionTime", now) if before.get("status") == said else now
    return {"type": kind, "status": said, "lastTransitionTime": since}
