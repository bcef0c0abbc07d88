"""The environment kserve."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from turnout.plugin import (
    Backend,
    Environment,
    Fault,
    Frontend,
    Kind,
    Observation,
    Policy,
    Ref,
    VersionSpec,
)
from turnout.plugin.reading import app_version, evidence, generation, verdict
from turnout_kserve.address import AUTHORITY, HTTP_PORT, SERVICE, locate
from turnout_kserve.options import KServeOptions
from turnout_kserve.promotion import promoted, rolled_out, witnesses
from turnout_kserve.readiness import deciding

INFERENCE_SERVICE = Kind("serving.kserve.io", ("v1beta1",), "InferenceService", "inferenceservices")
FRONTEND = "inference"


class KServe(Environment[KServeOptions]):
    """InferenceServices in Standard or Knative mode, each with a backend of its own.

    KServe's objects are owned by the InferenceService and go with it, so a deletion waits for the drain.
    """

    name = "kserve"
    options = KServeOptions
    watches = (INFERENCE_SERVICE,)
    drain = True

    def check(self, policy: Policy, options: KServeOptions) -> Iterable[Fault]:
        for index, version in enumerate(policy.versions):
            if version.name == policy.model_name and version.namespace == policy.namespace:
                told = "it has the model's name, by which KServe writes a route of its own; name it otherwise"
                yield Fault(f"spec.modelVersions[{index}].name", told)

    def refs(self, version: VersionSpec, options: KServeOptions) -> Sequence[Ref]:
        return (Ref(INFERENCE_SERVICE, version.namespace, version.name),)

    def observe(self, obj: Mapping[str, Any]) -> Observation:
        status, kind = obj.get("status"), deciding(obj)
        ready, reason, message = verdict(status, kind)
        told_by, since = evidence(status, kind)
        addresses, obstacle = locate(obj)
        return Observation(
            ready=ready,
            reason=reason,
            message="; ".join(filter(None, (message, obstacle))),
            revision=str(generation(obj) or ""),
            app_version=app_version(obj),
            addresses=addresses,
            evidence=told_by,
            since=since,
        )

    def frontends(self, policy: Policy, options: KServeOptions) -> Sequence[Frontend]:
        return (Frontend.of_model(policy, FRONTEND, options.port, options.protocol, virtual=options.virtual),)

    def backends(
        self, version: VersionSpec, seen: Sequence[Observation | None], options: KServeOptions
    ) -> Mapping[str, Backend]:
        (one,) = seen
        said = dict(one.addresses) if one else {}
        if SERVICE not in said:
            return {}
        authority = said.get(AUTHORITY)
        port = HTTP_PORT if authority else options.service_port
        return {FRONTEND: Backend(said[SERVICE], version.namespace, port, authority=authority)}

    def promoted(
        self, primary: Sequence[Mapping[str, Any]], candidate: Sequence[Mapping[str, Any]]
    ) -> Sequence[Mapping[str, Any]]:
        (one,), (other,) = primary, candidate
        return [promoted(one, other)]

    def witnesses(self, primary: Sequence[Mapping[str, Any]]) -> Sequence[Ref]:
        return witnesses(primary[0])

    def rolled_out(
        self, before: Sequence[Mapping[str, Any] | None], now: Sequence[Mapping[str, Any] | None]
    ) -> tuple[bool | None, str]:
        return rolled_out(before, now)
