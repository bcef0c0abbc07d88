"""InferenceServices behind ModelMesh: one host and port for all, told apart by a request header."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from turnout.plugin import Backend, Environment, Frontend, Kind, Observation, Policy, Ref, VersionSpec
from turnout.plugin.reading import app_version, evidence, generation, verdict
from turnout_kserve_modelmesh.options import KServeModelMeshOptions

INFERENCE_SERVICE = Kind("serving.kserve.io", ("v1beta1",), "InferenceService", "inferenceservices")
FRONTEND = "inference"
VMODEL_HEADER = "mm-vmodel-id"
ANSWERED = re.compile(r"(?P<service>.+)__[a-z]+-[0-9a-f]+")
"""How ModelMesh names a model in its answers: the service, where it is from, a digest of its spec."""


class KServeModelMesh(Environment[KServeModelMeshOptions]):
    """InferenceServices that KServe ModelMesh serves.

    ModelMesh unloads a model when its InferenceService is gone, so a deletion waits for the drain.
    """

    name = "kserve-modelmesh"
    options = KServeModelMeshOptions
    watches = (INFERENCE_SERVICE,)
    drain = True

    def refs(
        self,
        version: VersionSpec,
        options: KServeModelMeshOptions,
    ) -> Sequence[Ref]:
        return (Ref(INFERENCE_SERVICE, version.namespace, version.name),)

    def observe(self, obj: Mapping[str, Any]) -> Observation:
        # `observedGeneration` is not compared: KServe copies it from a child, and ModelMesh never sets it.
        ready, reason, message = verdict(obj.get("status"), "Ready")
        told_by, since = evidence(obj.get("status"), "Ready")
        return Observation(
            ready=ready,
            reason=reason,
            message=message,
            revision=str(generation(obj) or ""),
            app_version=app_version(obj),
            evidence=told_by,
            since=since,
        )

    def frontends(self, policy: Policy, options: KServeModelMeshOptions) -> Sequence[Frontend]:
        selector = (("modelmesh-service", options.service),)
        namespace = options.namespace or policy.namespace
        return (
            Frontend.of_model(policy, FRONTEND, options.port, "grpc", namespace=namespace, selector=selector),
        )

    def backends(
        self,
        version: VersionSpec,
        seen: Sequence[Observation | None],
        options: KServeModelMeshOptions,
    ) -> Mapping[str, Backend]:
        return {
            FRONTEND: Backend(
                name=options.service,
                namespace=options.namespace or version.namespace,
                port=options.port,
                set_headers=((VMODEL_HEADER, version.name),),
            )
        }

    def version_of(self, model: str) -> str:
        found = ANSWERED.fullmatch(model)
        return found["service"] if found else model
