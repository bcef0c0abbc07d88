"""What an API server refuses, and what is to be done about it."""

import math
from collections.abc import Mapping
from enum import Enum
from typing import Any

import orjson

from turnout.calling import PluginError
from turnout.runtime.transport import ConnectionFailed

KIND_NOT_SERVED = "KindNotServed"
"""A reason of ours: the cluster has no such kind (its CRD is absent), so nothing can be said of an object."""

UNTYPED_PATCH = "failed to create typed patch object"
"""How server-side apply refuses a body with a field that the schema lacks, or a value of another type.
It answers 500 with the reason Unknown, so that the text is all there is to go by (1.35)."""


FAULT = "Fault"
"""The reason of a failure that is nobody's but the controller's own."""

_REASONS = frozenset(
    {"BadRequest", "Unauthorized", "Forbidden", "NotFound", "AlreadyExists", "Conflict", "Gone", "Invalid"}
    | {"ServerTimeout", "Timeout", "TooManyRequests", "MethodNotAllowed", "NotAcceptable", "Expired"}
    | {"RequestEntityTooLarge", "UnsupportedMediaType", "InternalError", "ServiceUnavailable"}
    | {KIND_NOT_SERVED}
)
"""Those of the API machinery. A webhook may invent more."""


class NoCluster(Exception):  # noqa: N818 - reads as what happened, and the message says what to do
    """There are no usable credentials: what was looked for, and what to set."""


class ApiError(Exception):
    """An answer that is not a success.

    `status` is HTTP's (of an ERROR event: the event's own); `reason` is the API machinery's word
    ("Conflict", "Expired"; empty if the answer did not come from it); `what` is the call, for
    people; `retry_after` is in seconds, where the server asked for a pause.
    """

    def __init__(
        self, status: int, reason: str, message: str, *, what: str = "", retry_after: float | None = None
    ) -> None:
        super().__init__(status, reason, message)
        self.status = status
        self.reason = reason
        self.message = message
        self.what = what
        self.retry_after = retry_after

    def __str__(self) -> str:
        code = f"{self.status} {self.reason}".strip()
        return f"{self.what}: {self.message} ({code})" if self.what else f"{self.message} ({code})"

    @property
    def kind_missing(self) -> bool:
        """The cluster does not serve the kind, as opposed to: has no such object."""
        return self.reason == KIND_NOT_SERVED

    @property
    def from_api(self) -> bool:
        """Whether the API machinery said so: a path that nothing serves is answered in plain text."""
        return bool(self.reason)

    @classmethod
    def from_response(cls, status: int, headers: Mapping[str, str], body: bytes, what: str) -> "ApiError":
        """Read a response with a status of 300 or above, whoever answered it."""
        try:
            found = orjson.loads(body)
        except orjson.JSONDecodeError:
            found = None
        after = _seconds(headers.get("Retry-After"))
        if isinstance(found, dict) and found.get("kind") == "Status":
            return cls.from_status(found, what, status=status, retry_after=after)
        # A proxy's page, or "404 page not found": its first line says enough.
        text = body[:200].decode(errors="replace").strip().partition("\n")[0]
        return cls(status, "", text or "no explanation", what=what, retry_after=after)

    @classmethod
    def from_status(
        cls, found: Mapping[str, Any], what: str, *, status: int = 0, retry_after: float | None = None
    ) -> "ApiError":
        """Read a Status object. `status` is HTTP's, where there is one."""
        details, code = found.get("details"), found.get("code")
        if retry_after is None and isinstance(details, dict):
            retry_after = _seconds(details.get("retryAfterSeconds"))
        return cls(
            status or (code if isinstance(code, int) else 500),
            str(found.get("reason") or "Unknown"),
            str(found.get("message") or "no explanation"),
            what=what,
            retry_after=retry_after,
        )


class Verdict(Enum):
    """What a failed call asks of its caller."""

    RETRY = "retry"
    """Nothing is wrong with the call. Repeat it, with backoff."""
    CONFLICT = "conflict"
    """It was decided on what is no longer so. Read again and decide again."""
    WAIT = "wait"
    """Somebody has to grant, install or create something first. Repeat it, rarely, and say so."""
    TERMINAL = "terminal"
    """It fails in the same way until its content changes. Do not repeat it."""


_BY_STATUS = {
    408: Verdict.RETRY,  # timed out on the way
    409: Verdict.CONFLICT,
    410: Verdict.RETRY,  # the resourceVersion or continue token is too old: a new list has a new one
    429: Verdict.RETRY,
    401: Verdict.WAIT,  # credentials are renewed, or an administrator renews them
    403: Verdict.WAIT,  # RBAC, a quota, or a namespace that is going away
    404: Verdict.WAIT,  # the kind, or the namespace (whoever may find no object handles that before)
}


def classify(error: ApiError | ConnectionFailed) -> Verdict:
    """Tell what to do about a failed call.

    Terminal are the answers that depend on nothing but the call: 400, 405, 413, 415, 422 and all
    other 4xx that are not named above, and the 500 by which server-side apply refuses a body.
    """
    if isinstance(error, ConnectionFailed):
        return Verdict.RETRY
    if error.status >= 500:
        refused = error.status == 500 and error.message.startswith(UNTYPED_PATCH)
        return Verdict.TERMINAL if refused else Verdict.RETRY
    if error.status < 400:
        return Verdict.WAIT  # a redirect: something in between wants a login
    return _BY_STATUS.get(error.status, Verdict.TERMINAL)


def reason_of(error: Exception) -> str:
    """A failure in one word, of which there are a few dozen whatever an API server answers."""
    if isinstance(error, ConnectionFailed):
        return "Unreachable"
    if isinstance(error, ApiError):
        return error.reason if error.reason in _REASONS else "Unknown"
    return "PluginFailed" if isinstance(error, PluginError) else FAULT


def _seconds(value: object) -> float | None:
    """Seconds of a Retry-After. HTTP also allows a date, which API servers do not send."""
    if not isinstance(value, (str, int, float)):
        return None
    try:
        seconds = float(value)
    except ValueError:
        return None
    return seconds if math.isfinite(seconds) and seconds >= 0 else None
