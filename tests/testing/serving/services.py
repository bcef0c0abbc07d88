"""InferenceServices of these tests."""

from typing import Any


def service(name: str, uri: str = "s3://models/a", *, version: str = "v0") -> dict[str, Any]:
    """One whose model is at `uri`."""
    return {
        "apiVersion": "serving.kserve.io/v1beta1",
        "kind": "InferenceService",
        "metadata": {"name": name, "labels": {"app.kubernetes.io/version": version}},
        "spec": {"predictor": {"model": {"modelFormat": {"name": "sklearn"}, "storageUri": uri}}},
    }
