"""istiod's own validation, which stands before the API server's storage."""

import base64
import subprocess
from typing import Any

from tests.mesh.site import Mesh

BAD = {
    "apiVersion": "networking.istio.io/v1",
    "kind": "VirtualService",
    "metadata": {"name": "bad", "namespace": "default"},
    "spec": {"hosts": ["bad.example"], "http": [{"match": [{"headers": {"a": {"regex": "("}}}]}]},
}
"""What it refuses."""


def dry_run(mesh: Mesh, manifests: str) -> "subprocess.CompletedProcess[str]":
    """Apply manifests, as far as nothing is stored."""
    return mesh.control_plane.kubectl(
        "apply", "--server-side", "--dry-run=server", "-f", "-", input=manifests, check=False
    )


def configuration(mesh: Mesh) -> dict[str, Any]:
    """As Istio's chart has it, with a URL in place of the Service."""
    authority = base64.b64encode(mesh.control_plane.ca_file.read_bytes()).decode()
    url = f"https://127.0.0.1:{mesh.istiod.webhook_port}/validate"
    rule = {
        "operations": ["CREATE", "UPDATE"],
        "apiGroups": [
            "security.istio.io",
            "networking.istio.io",
            "telemetry.istio.io",
            "extensions.istio.io",
        ],
        "apiVersions": ["*"],
        "resources": ["*"],
    }
    webhook = {
        "name": "rev.validation.istio.io",
        "clientConfig": {"url": url, "caBundle": authority},
        "rules": [rule],
        "failurePolicy": "Fail",
        "sideEffects": "None",
        "admissionReviewVersions": ["v1"],
    }
    return {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingWebhookConfiguration",
        "metadata": {"name": "istiod"},
        "webhooks": [webhook],
    }
