"""The status of InferenceServices as KServe's controller writes it, in each mode and version.

From pkg/controller/v1beta1/inferenceservice of KServe 0.15.2, 0.16.0, 0.17.0, 0.19.0 and 0.20.0.
"""

from typing import Any

Object = dict[str, Any]


def standard(
    name: str, namespace: str, *, mode: str = "Standard", front: str = "predictor", **status: Any
) -> Object:
    """Standard mode, which was RawDeployment. `front`: the component that calls go to. `status`: what differs.

    `observedGeneration` is that of the Deployment.
    """
    conditions = [condition("IngressReady"), condition("PredictorReady"), condition("Ready"), stopped()]
    usual = {
        "address": {"url": f"http://{name}-{front}.{namespace}.svc.cluster.local"},
        "components": {"predictor": {"url": f"http://{name}-predictor-{namespace}.example.com"}},
        "conditions": conditions,
        "deploymentMode": mode,
        "modelStatus": {"transitionStatus": "UpToDate", "copies": {"failedCopies": 0, "totalCopies": 1}},
        "observedGeneration": 7,
        "url": f"http://{name}-{namespace}.example.com",
    }
    return {**usual, **status}


def knative(name: str, namespace: str, *, mode: str = "Knative", **status: Any) -> Object:
    """Knative mode, which was Serverless. `observedGeneration` is that of the Knative Service."""
    host = f"{name}-predictor.{namespace}.svc.cluster.local"
    revision = f"{name}-predictor-00001"
    predictor = {
        "address": {"url": f"http://{host}"},
        "latestCreatedRevision": revision,
        "latestReadyRevision": revision,
        "latestRolledoutRevision": revision,
        "traffic": [{"latestRevision": True, "percent": 100, "revisionName": revision}],
        "url": f"http://{name}-predictor.{namespace}.example.com",
    }
    info = ("PredictorConfigurationReady", "PredictorRouteReady", "RoutesReady", "LatestDeploymentReady")
    usual = standard(name, namespace, mode=mode)
    return {
        **usual,
        "address": {"url": f"http://{name}.{namespace}.svc.cluster.local"},
        "components": {"predictor": predictor},
        "conditions": [*usual["conditions"], *(condition(kind, severity="Info") for kind in info)],
        "observedGeneration": 1,
        **status,
    }


def modelmesh(namespace: str) -> Object:
    """What ModelMesh's controller writes, which says nothing of a mode."""
    urls = {
        "grpcUrl": f"grpc://modelmesh-serving.{namespace}:8033",
        "restUrl": "http://modelmesh-serving:8008",
    }
    return {
        "components": {"predictor": {**urls, "url": urls["grpcUrl"]}},
        "conditions": [condition("PredictorReady"), condition("Ready")],
        "modelStatus": {"transitionStatus": "UpToDate"},
        "url": urls["grpcUrl"],
    }


def condition(kind: str, status: str = "True", **fields: str) -> Object:
    return {"type": kind, "status": status, "lastTransitionTime": "2026-01-01T00:00:00Z", **fields}


def stopped(status: str = "False") -> Object:
    """Whether the annotation serving.kserve.io/stop asks for no pods."""
    return condition("Stopped", status, severity="Info")
