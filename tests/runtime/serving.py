"""InferenceServices of KServe, deployed in a rollout in memory."""

from collections.abc import Callable
from typing import Any

from tests.support.kserve import condition
from turnout.testing.builders import NAMESPACE
from turnout.testing.rollout import Rollout


def serve(rollout: Rollout, name: str, mode: Callable[..., dict[str, Any]], ready: str = "True") -> None:
    """Apply an InferenceService as KServe reports it in a mode."""
    status = mode(name, NAMESPACE, conditions=[condition("Ready", ready)])
    rollout.apply(
        {
            "apiVersion": "serving.kserve.io/v1beta1",
            "kind": "InferenceService",
            "metadata": {"name": name},
            "spec": {"predictor": {"model": {"modelFormat": {"name": "sklearn"}}}},
            "status": status,
        }
    )
