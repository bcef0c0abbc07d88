"""kserve passes the suite of environments, in both modes."""

from typing import Any

from tests.support.kserve import condition, knative, standard
from turnout.testing.builders import policy
from turnout.testing.conformance import EnvironmentConformance
from turnout_kserve.environment import KServe


def isvc(status: dict[str, Any], *, generation: int = 1, ready: str = "True") -> dict[str, Any]:
    """An InferenceService with a status, in which Ready is another word."""
    return {
        "apiVersion": "serving.kserve.io/v1beta1",
        "kind": "InferenceService",
        "metadata": {"name": "wisdom-0", "namespace": "models", "generation": generation},
        "spec": {"predictor": {"model": {"storageUri": "s3://models/wisdom"}}},
        "status": {**status, "conditions": [condition("Ready", ready)]},
    }


class TestStandard(EnvironmentConformance):
    plugin = KServe()
    options = ({}, {"servicePort": 8033, "protocol": "grpc", "virtual": False})
    ready = isvc(standard("wisdom-0", "models"))
    not_ready = isvc(standard("wisdom-0", "models"), ready="False")
    unknown = isvc(standard("wisdom-0", "models"), ready="Unknown")
    replaced = isvc(standard("wisdom-0", "models"), generation=2)
    refused = (policy("wisdom"),)


class TestKnative(EnvironmentConformance):
    plugin = KServe()
    ready = isvc(knative("wisdom-0", "models"))
    not_ready = isvc(knative("wisdom-0", "models"), ready="False")
    unknown = isvc(knative("wisdom-0", "models"), ready="Unknown")
    replaced = isvc(knative("wisdom-0", "models"), generation=2)
