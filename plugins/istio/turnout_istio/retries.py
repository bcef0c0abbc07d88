"""How often a call is tried again."""

from http import HTTPStatus
from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from turnout.plugin import Options
from turnout_istio.durations import Duration

CONDITIONS = (
    "5xx",
    "gateway-error",
    "reset",
    "reset-before-request",
    "connect-failure",
    "retriable-4xx",
    "refused-stream",
    "retriable-status-codes",
    "retriable-headers",
    "envoy-ratelimited",
    "http3-post-connect-failure",
    "cancelled",
    "deadline-exceeded",
    "internal",
    "resource-exhausted",
    "unavailable",
)
"""Those of Envoy's `x-envoy-retry-on` and `x-envoy-retry-grpc-on` that istiod takes."""
_CODES = {str(status.value) for status in HTTPStatus}


def _conditions(text: str) -> str:
    for part in text.split(","):
        if part not in CONDITIONS and part not in _CODES:
            known = ", ".join(CONDITIONS)
            raise ValueError(f'expected a list like "5xx,unavailable,503" of HTTP status codes and {known}')
    return text


class Retries(Options):
    """Istio's HTTPRetry. Where there is none istiod tries twice more, what has not reached a server."""

    attempts: int = Field(ge=0, le=2**31 - 1)
    """How often at most a call is tried again; 0: never."""

    per_try_timeout: Duration | None = None
    """How long each try may take; by default as long as the call."""

    retry_on: Annotated[str, AfterValidator(_conditions)] | None = None
    """What is tried again: conditions and HTTP status codes, with commas and no blanks between them."""

    @model_validator(mode="after")
    def _none_are_none(self) -> Self:
        if not self.attempts and (self.per_try_timeout or self.retry_on):
            raise ValueError("expected attempts of 1 or more where there is perTryTimeout or retryOn")
        return self
