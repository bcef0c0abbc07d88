"""The environment toy-hosts: each version is a Knative Service with an address of its own."""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from pydantic import Field

from turnout.plugin import (
    Backend,
    Environment,
    Frontend,
    Kind,
    Observation,
    Options,
    Policy,
    Ref,
    VersionSpec,
)

KNATIVE_SERVICE = Kind("serving.knative.dev", ("v1",), "Service", "services")
FRONTEND = "http"


class ToyHostsOptions(Options):
    """Where requests for the versions go."""

    gateway: str = "knative-local-gateway"
    """The Service that tells the versions apart by their host."""

    port: int = Field(default=80, ge=1, le=65535)
    """That Service's port."""


class ToyHosts(Environment[ToyHostsOptions]):
    """Knative Services, one a version, each with a host of its own."""

    name = "toy-hosts"
    options = ToyHostsOptions
    watches = (KNATIVE_SERVICE,)

    def refs(self, version: VersionSpec, options: ToyHostsOptions) -> Sequence[Ref]:
        return (Ref(KNATIVE_SERVICE, version.namespace, version.name),)

    def observe(self, obj: Mapping[str, Any]) -> Observation:
        status = obj.get("status", {})
        ready = next((c for c in status.get("conditions", ()) if c.get("type") == "Ready"), None)
        url = status.get("url")
        return Observation(
            ready={"True": True, "False": False}.get(ready["status"]) if ready else None,
            reason=(ready or {}).get("reason", "NoStatus"),
            revision=status.get("latestReadyRevisionName", ""),
            addresses=(("authority", urlsplit(url).hostname or ""),) if url else (),
        )

    def frontends(self, policy: Policy, options: ToyHostsOptions) -> Sequence[Frontend]:
        host = f"{policy.model_name}.{policy.namespace}.svc.{policy.cluster_domain}"
        return (Frontend(FRONTEND, policy.namespace, (host,), options.port, "http"),)

    def backends(
        self, version: VersionSpec, seen: Sequence[Observation | None], options: ToyHostsOptions
    ) -> Mapping[str, Backend]:
        address = dict(seen[0].addresses).get("authority") if seen[0] else None
        if address is None:
            return {}
        return {FRONTEND: Backend(options.gateway, version.namespace, options.port, authority=address)}
