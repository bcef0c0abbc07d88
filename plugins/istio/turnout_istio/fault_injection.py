"""Errors and delays on purpose, to see what callers make of them."""

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from turnout.plugin import Options
from turnout_istio.durations import Duration

GrpcStatus = Literal[
    "OK",
    "CANCELLED",
    "UNKNOWN",
    "INVALID_ARGUMENT",
    "DEADLINE_EXCEEDED",
    "NOT_FOUND",
    "ALREADY_EXISTS",
    "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED",
    "FAILED_PRECONDITION",
    "ABORTED",
    "OUT_OF_RANGE",
    "UNIMPLEMENTED",
    "INTERNAL",
    "UNAVAILABLE",
    "DATA_LOSS",
    "UNAUTHENTICATED",
]
LEAST = 0.0001


def _countable(value: float) -> float:
    if 0 < value < LEAST:
        raise ValueError(f"expected 0 or {LEAST}..100")
    return value


class Percent(Options):
    """A part of the calls."""

    value: Annotated[float, Field(ge=0, le=100), AfterValidator(_countable)]
    """0..100, in steps of 0.0001."""


class Abort(Options):
    """Calls that are answered with an error, and asked of no version."""

    http_status: int | None = Field(default=None, ge=200, le=599)
    """What they are answered with; either this or `grpcStatus`."""

    grpc_status: GrpcStatus | None = None
    """The same for gRPC."""

    percentage: Percent
    """Which part of the calls. Istio takes none where nothing is said, so something has to be."""

    @model_validator(mode="after")
    def _one_status(self) -> Self:
        if (self.http_status is None) == (self.grpc_status is None):
            raise ValueError("expected one of httpStatus and grpcStatus")
        return self


class Delay(Options):
    """Calls that are held before they go on."""

    fixed_delay: Duration
    """For how long."""

    percentage: Percent
    """Which part of the calls. Istio takes none where nothing is said, so something has to be."""


class FaultInjection(Options):
    """Istio's HTTPFaultInjection."""

    abort: Abort | None = None
    """Errors."""

    delay: Delay | None = None
    """Delays, of calls that are aborted as well."""

    @model_validator(mode="after")
    def _something(self) -> Self:
        if self.abort is None and self.delay is None:
            raise ValueError("expected abort, delay or both")
        return self
