"""The environment deployment."""

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
from turnout_deployment.options import DeploymentOptions
from turnout_deployment.promotion import promoted_service, promoted_workload, rolled_out
from turnout_deployment.service import observe_service, port_of, selects
from turnout_deployment.workload import observe_workload

DEPLOYMENT = Kind("apps", ("v1",), "Deployment", "deployments")
STATEFUL_SET = Kind("apps", ("v1",), "StatefulSet", "statefulsets")
SERVICE = Kind("", ("v1",), "Service", "services")
WORKLOADS = {kind.kind: kind for kind in (DEPLOYMENT, STATEFUL_SET)}
FRONTEND = "inference"


class Deployments(Environment[DeploymentOptions]):
    """Deployments or StatefulSets, each with a Service: whatever answers HTTP or gRPC.

    A deletion of either waits for the drain: without the Service no call finds the pods.
    """

    name = "deployment"
    options = DeploymentOptions
    watches = (DEPLOYMENT, STATEFUL_SET, SERVICE)
    drain = True

    def check(self, policy: Policy, options: DeploymentOptions) -> Iterable[Fault]:
        for index, version in enumerate(policy.versions):
            service = _service(version, options)
            there = version.namespace == policy.namespace and service == policy.model_name
            if options.virtual and there:
                told = (
                    f"its Service {service} has the model's name, which the router would make known "
                    "a second time; name the version otherwise, or set the option virtual to false"
                )
                yield Fault(f"spec.modelVersions[{index}].name", told)

    def refs(self, version: VersionSpec, options: DeploymentOptions) -> Sequence[Ref]:
        return (
            Ref(WORKLOADS[options.workload], version.namespace, version.name),
            Ref(SERVICE, version.namespace, _service(version, options)),
        )

    def observe(self, obj: Mapping[str, Any]) -> Observation:
        return observe_service(obj) if obj.get("kind") == SERVICE.kind else observe_workload(obj)

    def frontends(self, policy: Policy, options: DeploymentOptions) -> Sequence[Frontend]:
        return (Frontend.of_model(policy, FRONTEND, options.port, options.protocol, virtual=options.virtual),)

    def backends(
        self, version: VersionSpec, seen: Sequence[Observation | None], options: DeploymentOptions
    ) -> Mapping[str, Backend]:
        workload, service = seen
        if not (workload and service and selects(service, workload)):
            return {}
        port = port_of(service, options.service_port, options.protocol)
        if port is None:
            return {}
        return {FRONTEND: Backend(_service(version, options), version.namespace, port)}

    def promoted(
        self, primary: Sequence[Mapping[str, Any]], candidate: Sequence[Mapping[str, Any]]
    ) -> Sequence[Mapping[str, Any]]:
        (workload, service), (new_workload, new_service) = primary, candidate
        return [
            promoted_workload(workload, new_workload, service),
            promoted_service(service, new_service),
        ]

    def rolled_out(
        self, before: Sequence[Mapping[str, Any] | None], now: Sequence[Mapping[str, Any] | None]
    ) -> tuple[bool | None, str]:
        workload, service = now
        if workload is None or service is None:
            return False, "it does not exist"
        return rolled_out(workload)


def _service(version: VersionSpec, options: DeploymentOptions) -> str:
    return f"{version.name}{options.service_suffix}"
