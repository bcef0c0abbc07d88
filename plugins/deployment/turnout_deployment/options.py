"""Options of the environment deployment."""

from typing import Literal

from pydantic import Field

from turnout.plugin import Options


class DeploymentOptions(Options):
    """Which objects a version is, and what clients call."""

    workload: Literal["Deployment", "StatefulSet"] = "Deployment"
    """The kind of object that runs a version, and has its name."""

    service_suffix: str = Field(default="", pattern=r"^([-a-z0-9]*[a-z0-9])?$", max_length=62)
    """What the name of a version's Service has after that of the version."""

    service_port: int | None = Field(default=None, ge=1, le=65535)
    """The port of the versions' Services; by default their only one."""

    port: int = Field(default=80, ge=1, le=65535)
    """The port that clients inside the mesh call."""

    protocol: Literal["http", "grpc"] = "http"
    """What clients speak."""

    virtual: bool = True
    """Whether there is no Service of the model's own name, so that the router makes it known."""
