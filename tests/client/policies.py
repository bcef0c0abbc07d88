"""Policies with a status, in a cluster in memory."""

from typing import Any

from turnout.names import ROUTING_POLICY
from turnout.plugin import Ref
from turnout.testing.memory import InMemoryCluster

Object = dict[str, Any]
WISDOM = Ref(ROUTING_POLICY, "models", "wisdom")
NAMES = ("wisdom-0", "wisdom-1")


def served() -> InMemoryCluster:
    cluster = InMemoryCluster()
    cluster.install(ROUTING_POLICY)
    return cluster


def declare(cluster: InMemoryCluster, name: str = "wisdom", namespace: str = "models") -> None:
    spec: Object = {
        "targetEnv": "kserve-modelmesh",
        "trafficStrategy": "blue-green",
        "router": "istio",
        "modelVersions": [{"name": one} for one in NAMES],
    }
    policy = {
        "apiVersion": "turnout.dev/v1alpha1",
        "kind": "RoutingPolicy",
        "metadata": {"name": name},
        "spec": spec,
    }
    cluster.create(policy, namespace=namespace)


def status(
    *shares: str,
    generation: int = 1,
    ready: str = "True",
    routed: tuple[str, str, str] = ("True", "InForce", ""),
) -> Object:
    """What the controller would write; `routed` with its reason and message."""
    said = {"Accepted": ("True", "Valid", ""), "Routed": routed, "Ready": (ready, "Ready", "")}
    return {
        "observedGeneration": generation,
        "split": " / ".join(f"{name} {share}" for name, share in zip(NAMES, shares, strict=False)),
        "conditions": [
            {
                "type": kind,
                "status": value,
                "reason": reason,
                "message": message,
                "lastTransitionTime": "2026-01-02T03:04:05Z",
            }
            for kind, (value, reason, message) in said.items()
        ],
        "versions": [
            {"name": name, "role": "candidate" if number else "primary", "ready": "True", "share": share}
            for number, (name, share) in enumerate(zip(NAMES, shares, strict=False))
        ],
    }
