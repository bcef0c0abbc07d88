"""Reads whether an InferenceService is ready, as KServe reports it."""

from collections.abc import Mapping
from typing import Any

from turnout.plugin.reading import mapping, verdict


def ready(obj: Mapping[str, Any]) -> tuple[bool | None, str, str]:
    """Whether all that calls go through is ready (None: unknown), with a reason and a message.

    The condition Ready decides, and TransformerReady where there is a transformer: in Standard mode
    without an ingress Ready does not look at it. It stays in the status once the transformer has gone
    from the spec. `observedGeneration` is that of a child, and says nothing of this object.
    """
    status = obj.get("status")
    found = verdict(status, "Ready")
    if found[0] is True and mapping(obj.get("spec")).get("transformer") is not None:
        return verdict(status, "TransformerReady")
    return found
