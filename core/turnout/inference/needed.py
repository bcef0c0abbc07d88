"""What is said where the packages of the extra `grpc` are missing."""

from collections.abc import Iterator
from contextlib import contextmanager


class GrpcMissing(ImportError):  # noqa: N818 - named for what happened
    """gRPC is not installed. The message says how to install it."""


@contextmanager
def grpc_needed() -> Iterator[None]:
    """Around the import of `grpc` and `google.protobuf`. Raises GrpcMissing."""
    try:
        yield
    except ImportError as error:
        if (error.name or "").split(".")[0] not in ("grpc", "google"):
            raise
        message = f"gRPC is needed for this ({error}): pip install 'turnout[grpc]'"
        raise GrpcMissing(message, name=error.name) from None
