"""Options of the router istio."""

from collections.abc import Mapping
from typing import Annotated

from pydantic import AfterValidator, Field

from turnout.plugin import Options
from turnout_istio.cors import CorsPolicy
from turnout_istio.durations import Duration
from turnout_istio.fault_injection import FaultInjection
from turnout_istio.headers import Headers
from turnout_istio.retries import Retries

NAME = r"[a-z0-9]([-a-z0-9.]*[a-z0-9])?"
HOST = rf"^{NAME}$"

SUBDOMAIN = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*"
LABEL = r"[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?"
LabelName = Annotated[str, Field(pattern=rf"^({SUBDOMAIN}/)?{LABEL}$", max_length=317)]
"""A label's name: 63 characters, and before them a DNS name of 253 and a slash where there is one."""
LabelValue = Annotated[str, Field(pattern=rf"^({LABEL})?$", max_length=63)]

Namespace = Annotated[str, Field(pattern=r"^([.*]|[a-z0-9]([-a-z0-9]*[a-z0-9])?)$", max_length=63)]
"""A namespace, `.` for the policy's own, or `*` for all."""


def _each_once(namespaces: tuple[str, ...]) -> tuple[str, ...]:
    if len(set(namespaces)) < len(namespaces) or ("*" in namespaces and len(namespaces) > 1):
        raise ValueError("expected each namespace once, and * alone")
    return namespaces


class IstioOptions(Options):
    """Which gateway lets clients from outside in, and what the routes say besides."""

    external_gateway: str = Field(default="mm-gateway", pattern=rf"^({NAME}/)?{NAME}$", max_length=253)
    """The Gateway for outside clients. `name`: made unless it exists; `namespace/name`: used as it is."""

    gateway_port: int = Field(default=80, ge=1, le=65535)
    """The port on which that Gateway serves HTTP and gRPC."""

    gateway_selector: Mapping[LabelName, LabelValue] = Field(
        default={"istio": "ingressgateway"}, min_length=1
    )
    """The labels of the proxies that serve a Gateway made here."""

    app_version_header: str = Field(default="", pattern=r"^([a-z0-9][-a-z0-9_.]*)?$", max_length=63)
    """A response header that tells which version answered, by its label `app.kubernetes.io/version`."""

    ingress_host: str = Field(
        default="istio-ingressgateway.istio-system.svc.cluster.local", pattern=HOST, max_length=253
    )
    """The Service of those proxies. Mirrored requests whose headers must differ go through it."""

    mesh: bool = True
    """Whether the routes are for clients inside the mesh too; false: for those that use the Gateway alone."""

    marker: bool = False
    """Whether the routes begin with a rule by which the probe istio-gateway asks for their revision."""

    delegate: bool = False
    """Whether the routes are for a VirtualService of yours to delegate to: without hosts and gateways."""

    export_to: Annotated[tuple[Namespace, ...], AfterValidator(_each_once)] = ()
    """The namespaces that see the routes and the model's names; `.` is this one, `*` all."""

    timeout: Duration | None = None
    """How long a call may take, such as 1m30s; by default as long as it likes."""

    retries: Retries | None = None
    """How often a call is tried again: attempts, perTryTimeout, retryOn."""

    cors_policy: CorsPolicy | None = None
    """Which pages may call from a browser: allowOrigins and others of Istio's CorsPolicy."""

    fault: FaultInjection | None = None
    """Errors and delays on purpose: abort, delay."""

    headers: Headers | None = None
    """Headers to set, add or remove in all requests and responses: request, response."""
