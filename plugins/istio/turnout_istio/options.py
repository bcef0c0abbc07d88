"""Options of the router istio."""

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field

from turnout.plugin import Options

NAME = r"[a-z0-9]([-a-z0-9.]*[a-z0-9])?"
HOST = rf"^{NAME}$"

SUBDOMAIN = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*"
LABEL = r"[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?"
LabelName = Annotated[str, Field(pattern=rf"^({SUBDOMAIN}/)?{LABEL}$", max_length=317)]
"""A label's name: 63 characters, and before them a DNS name of 253 and a slash where there is one."""
LabelValue = Annotated[str, Field(pattern=rf"^({LABEL})?$", max_length=63)]


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
