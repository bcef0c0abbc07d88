"""kserve-modelmesh passes the suite of environments."""

from turnout.testing.conformance import EnvironmentConformance
from turnout_kserve_modelmesh.environment import KServeModelMesh

INFERENCE_SERVICE = """
apiVersion: serving.kserve.io/v1beta1
kind: InferenceService
metadata:
  name: wisdom-0
  generation: {generation}
  resourceVersion: "17"
  labels: {{app.kubernetes.io/name: wisdom, app.kubernetes.io/version: v0}}
  annotations: {{serving.kserve.io/deploymentMode: ModelMesh, serving.kserve.io/secretKey: localMinIO}}
spec:
  predictor:
    model:
      modelFormat: {{name: sklearn}}
      storageUri: s3://modelmesh-example-models/sklearn/mnist-svm.joblib
status:
  conditions:
  - {{type: PredictorReady, status: "{status}", lastTransitionTime: "2026-01-01T00:00:00Z"}}
  - {{type: Ready, status: "{status}", reason: {reason}, lastTransitionTime: "2026-01-01T00:00:00Z"}}
  modelStatus:
    states: {{activeModelState: Loaded, targetModelState: Loaded}}
    transitionStatus: UpToDate
  url: grpc://modelmesh-serving.models:8033
"""


class TestKServeModelMesh(EnvironmentConformance):
    plugin = KServeModelMesh()
    options = ({}, {"service": "mm", "namespace": "serving", "port": 9000})
    ready = INFERENCE_SERVICE.format(generation=1, status="True", reason="Loaded")
    not_ready = INFERENCE_SERVICE.format(generation=1, status="False", reason="ModelLoadFailed")
    unknown = INFERENCE_SERVICE.format(generation=1, status="Unknown", reason="Loading")
    replaced = INFERENCE_SERVICE.format(generation=2, status="True", reason="Loaded")
