"""Options of the environment kserve."""

from typing import Literal

from pydantic import Field

from turnout.plugin import Options


class KServeOptions(Options):
    """What clients call, and by which port the versions' Services answer."""

    protocol: Literal["http", "grpc"] = "http"
    """What clients speak."""

    port: int = Field(default=80, ge=1, le=65535)
    """The port that clients inside the mesh call."""

    service_port: int = Field(default=80, ge=1, le=65535)
    """In Standard mode, the port of the versions' Services: 80 leads to the first port of the container."""

    virtual: bool = True
    """Whether there is no Service of the model's own name, so that the router makes it known."""
