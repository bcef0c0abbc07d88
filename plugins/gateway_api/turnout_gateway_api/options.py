"""Options of the router gateway-api."""

from typing import Annotated

from pydantic import Field

from turnout.plugin import Options

LABEL = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?"
SUBDOMAIN = rf"{LABEL}(\.{LABEL})*"
HostName = Annotated[str, Field(pattern=rf"^{SUBDOMAIN}$", max_length=253)]


class GatewayApiOptions(Options):
    """Which Gateway lets clients in, and what the routes say besides."""

    gateway: str = Field(default="model-gateway", pattern=rf"^({LABEL}/)?{SUBDOMAIN}$", max_length=317)
    """The Gateway. `name`: made unless it exists; `namespace/name`: used as it is."""

    section_name: str = Field(default="", pattern=rf"^({SUBDOMAIN})?$", max_length=253)
    """The one of its listeners that the routes are for; by default all that allow them."""

    gateway_class_name: HostName = "istio"
    """The class of a Gateway made here."""

    gateway_port: int = Field(default=80, ge=1, le=65535)
    """The port on which a Gateway made here serves HTTP and gRPC, in plain text."""

    gateway_addresses: tuple[HostName, ...] = Field(default=(), max_length=16)
    """Host names of proxies that are there already and are to serve a Gateway made here."""

    app_version_header: str = Field(default="", pattern=r"^([a-z0-9][-a-z0-9_.]*)?$", max_length=63)
    """A response header that tells which version answered, by its label `app.kubernetes.io/version`."""
