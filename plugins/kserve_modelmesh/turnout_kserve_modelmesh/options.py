"""Options of the environment kserve-modelmesh."""

from pydantic import Field

from turnout.plugin import Options

LABEL = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"


class KServeModelMeshOptions(Options):
    """Where ModelMesh answers inference requests."""

    service: str = Field(default="modelmesh-serving", pattern=LABEL, max_length=63)
    """The Service of ModelMesh Serving."""

    namespace: str | None = Field(default=None, pattern=LABEL, max_length=63)
    """The namespace of that Service; by default the policy's own."""

    port: int = Field(default=8033, ge=1, le=65535)
    """The Service's port for inference; 8033 is gRPC."""
