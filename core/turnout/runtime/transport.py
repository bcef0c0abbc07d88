"""What the runtime asks of a connection to an API server, and nothing about how it is made.

The real one is `turnout.runtime.kube`; the in-memory cluster of `turnout.testing` is another.
"""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

APPLY = "application/apply-patch+yaml"
MERGE = "application/merge-patch+json"


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP call.

    `path` starts with a slash and is percent-encoded already, `query` is not; `body` is JSON data.
    `timeout` bounds the wait for the response's head and, unless `stream`, for its body as well;
    `idle` bounds the silence between two chunks of a streamed body. Both in seconds.
    """

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    content_type: str = "application/json"
    timeout: float = 30.0
    stream: bool = False
    idle: float = 90.0


class Response(Protocol):
    """An answer. Exactly one of `read` and `chunks` is used; `close` is always called, even twice.

    `headers` are asked for as HTTP writes them ("Retry-After"). An answer to a `stream` request that
    is not a success is read with `read`.
    """

    status: int
    headers: Mapping[str, str]

    async def read(self) -> bytes:
        """The whole body."""
        ...

    def chunks(self) -> AsyncIterator[bytes]:
        """The body as it arrives, in pieces that respect no line. Ends when the server ends it."""
        ...

    def close(self) -> None:
        """Give the connection back or drop it."""
        ...


class ConnectionFailed(Exception):  # noqa: N818 - reads as what happened; it is always handled, never a bug
    """No answer, or one that broke off: refused, reset, timed out, TLS failed. The message is for people."""


class Transport(Protocol):
    """A connection to one API server, with its credentials."""

    async def send(self, request: Request) -> Response:
        """Send a request and wait for the head of its response.

        Raises ConnectionFailed; so may the body of the response. Every HTTP status is an answer.
        """
        ...

    async def close(self) -> None:
        """Close every connection."""
        ...
