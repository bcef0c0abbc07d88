"""InferenceServices behind ModelMesh: one host and port for all, told apart by a request header."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from turnout.plugin import Backend, Environment, Frontend, Kind, Observation, Policy, Ref, VersionSpec
from turnout.plugin import promotion as promoting
from turnout.plugin.reading import app_version, evidence, generation, verdict
from turnout_kserve_modelmesh.loading import loaded
from turnout_kserve_modelmesh.options import KServeModelMeshOptions

INFERENCE_SERVICE = Kind("serving.kserve.io", ("v1beta1",), "InferenceService", "inferenceservices")
FRONTEND = "inference"
VMODEL_HEADER = "mm-vmodel-id"
ANSWERED = re.compile(r"(?P<service>.+)__[a-z]+-[0-9a-f]+")
"""How ModelMesh names a model in its answers: the service, where it is from, a digest of its spec."""
OF_KSERVE = "serving.kserve.io/"
"""Annotations that say how a model is served, such as from which storage."""
MODE = "serving.kserve.io/deploymentMode"
"""Not to be changed of an InferenceService that exists."""


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

    def promoted(
        self, primary: Sequence[Mapping[str, Any]], candidate: Sequence[Mapping[str, Any]]
    ) -> Sequence[Mapping[str, Any]]:
        (one,), (other,) = primary, candidate
        served = promoting.annotations(one, other, prefix=OF_KSERVE, but=frozenset({MODE}))
        return [promoting.taken(one, other, (promoting.SPEC, promoting.VERSION, *served))]

    def rolled_out(
        self, before: Sequence[Mapping[str, Any] | None], now: Sequence[Mapping[str, Any] | None]
    ) -> tuple[bool | None, str]:
        (earlier,), (obj,) = before, now
        ready, reason, message = verdict(obj.get("status") if obj else None, "Ready")
        if obj is None or ready is not True:
            return False, message or reason
        if earlier and earlier.get("spec") == obj.get("spec"):
            return True, ""  # a model is another by its spec alone
        return loaded(obj)

    def version_of(self, model: str) -> str:
        found = ANSWERED.fullmatch(model)
        return found["service"] if found else model
