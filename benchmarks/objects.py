"""The objects of the benchmarks: models with a policy and two versions each, and prepared routes."""

from datetime import UTC, datetime
from typing import Any

from turnout.plugin import Kind, Ref

INFERENCE_SERVICE = Kind("serving.kserve.io", ("v1beta1",), "InferenceService", "inferenceservices")
VIRTUAL_SERVICE = Kind("networking.istio.io", ("v1",), "VirtualService", "virtualservices")
SERVICE_ENTRY = Kind("networking.istio.io", ("v1",), "ServiceEntry", "serviceentries")
GATEWAY = Kind("networking.istio.io", ("v1",), "Gateway", "gateways")
NAMESPACE = Kind("", ("v1",), "Namespace", "namespaces")
PRIMARY, CANDIDATE = "0", "1"


def model(number: int) -> str:
    """The name of a model."""
    return f"model-{number:04}"


def version(name: str, which: str) -> str:
    """The name of a model's version: its InferenceService, and the value of the header mm-vmodel-id."""
    return f"{name}-{which}"


def model_and_version(service: str) -> tuple[str, str]:
    """The model of an InferenceService, and which of its versions it is."""
    name, _, which = service.rpartition("-")
    return name, which


def policy(name: str) -> dict[str, Any]:
    """The policy of the tutorial."""
    return {
        "apiVersion": "turnout.dev/v1alpha1",
        "kind": "RoutingPolicy",
        "metadata": {"name": name},
        "spec": {
            "targetEnv": "kserve-modelmesh",
            "trafficStrategy": "blue-green",
            "modelVersions": [{"name": version(name, which)} for which in (PRIMARY, CANDIDATE)],
        },
    }


def inference_service(name: str, which: str) -> dict[str, Any]:
    """A version as the tutorial deploys it."""
    return {
        "apiVersion": "serving.kserve.io/v1beta1",
        "kind": "InferenceService",
        "metadata": {
            "name": version(name, which),
            "labels": {
                "app.kubernetes.io/name": name,
                "app.kubernetes.io/version": f"v{which}",
                "iter8.tools/watch": "true",
            },
            "annotations": {
                "serving.kserve.io/deploymentMode": "ModelMesh",
                "serving.kserve.io/secretKey": "localMinIO",
            },
        },
        "spec": {
            "predictor": {
                "model": {
                    "modelFormat": {"name": "sklearn"},
                    "storageUri": f"s3://modelmesh-example-models/sklearn/{name}-v{which}.joblib",
                }
            }
        },
    }


def readiness(ready: bool) -> dict[str, Any]:
    """What ModelMesh writes to the status of a version that becomes ready, or ceases to be."""
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    said = {"status": str(ready), "lastTransitionTime": now}
    return {
        "status": {
            "conditions": [{"type": kind, **said} for kind in ("PredictorReady", "Ready")],
            "modelStatus": {
                "copies": {"failedCopies": 0, "totalCopies": 1},
                "states": {"activeModelState": "Loaded" if ready else "Loading", "targetModelState": ""},
                "transitionStatus": "UpToDate" if ready else "InProgress",
            },
        }
    }


def heartbeat(beat: int) -> dict[str, Any]:
    """A change of a version's status that calls for no other decision."""
    return {"status": {"modelStatus": {"copies": {"failedCopies": 0, "totalCopies": 2 + beat}}}}


def is_ready(service: dict[str, Any]) -> bool:
    """Whether an InferenceService says so."""
    conditions = service.get("status", {}).get("conditions", ())
    return any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)


def virtual_service(namespace: str, name: str, *, candidate: bool) -> dict[str, Any]:
    """A prepared route of a model: all to the primary, or half of it to the candidate."""
    host = f"{name}.{namespace}"
    routed = [PRIMARY, CANDIDATE] if candidate else [PRIMARY]
    routes = [_route(namespace, version(name, which)) for which in routed]
    return {
        "apiVersion": "networking.istio.io/v1",
        "kind": "VirtualService",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {
            "gateways": ["mm-gateway", "mesh"],
            "hosts": [host, f"{host}.svc", f"{host}.svc.cluster.local"],
            "http": [{"route": [{**route, "weight": 50} for route in routes] if candidate else routes}],
        },
    }


def candidate_routed(route: dict[str, Any]) -> bool:
    """Whether a VirtualService, the floor's or turnout's, sends calls to the candidate."""
    return len(route["spec"]["http"][0]["route"]) == 2


def ref(kind: Kind, namespace: str, name: str) -> Ref:
    """A reference to an object of one of the kinds above."""
    return Ref(kind, namespace, name)


def _route(namespace: str, service: str) -> dict[str, Any]:
    return {
        "destination": {
            "host": f"modelmesh-serving.{namespace}.svc.cluster.local",
            "port": {"number": 8033},
        },
        "headers": {"request": {"set": {"mm-vmodel-id": service}}},
    }
