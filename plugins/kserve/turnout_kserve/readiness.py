"""Reads whether an InferenceService is ready, as KServe reports it."""

from collections.abc import Mapping
from typing import Any

from turnout.plugin.reading import condition, mapping


def deciding(obj: Mapping[str, Any]) -> str:
    """The condition that tells whether all that calls go through is ready.

    Ready decides, and TransformerReady where there is a transformer: in Standard mode without an ingress
    Ready does not look at it. It stays in the status once the transformer has gone from the spec.
    `observedGeneration` is that of a child, and says nothing of this object.
    """
    ready = condition(obj.get("status"), "Ready")
    transformed = mapping(obj.get("spec")).get("transformer") is not None
    return "TransformerReady" if transformed and ready and ready.status else "Ready"
