"""How the in-memory API server refuses: what becomes a Status body, and what becomes a bare page.

The codes, reasons and texts are those of Kubernetes 1.35, as `tests/contract` compares them.
"""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

Object = dict[str, Any]
"""A Kubernetes object, or a part of one: JSON data."""


class Cause(NamedTuple):
    """One field that is wrong: its path, such as "spec.size", and what is wrong with it."""

    field: str
    message: str
    reason: str = "FieldValueInvalid"


class StatusError(Exception):
    """A request that is refused with a Status. `reason` "" where the real server gives none."""

    def __init__(
        self, code: int, reason: str, message: str, details: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason
        self.message = message
        self.details = details

    def status(self) -> Object:
        """The Status object that is the body of the answer."""
        status: Object = {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": self.message,
            "code": self.code,
        }
        if self.reason:
            status["reason"] = self.reason
        if self.details is not None:
            status["details"] = dict(self.details)
        return status


class PageNotFoundError(Exception):
    """A path that no part of the server serves: a 404 in plain text, without a Status."""


def bad_request(message: str) -> StatusError:
    return StatusError(400, "BadRequest", message)


def not_found(group: str, plural: str, name: str) -> StatusError:
    message = f'{_qualified(plural, group)} "{name}" not found'
    return StatusError(404, "NotFound", message, _details(group, plural, name))


def already_exists(group: str, plural: str, name: str, *, deleting: bool) -> StatusError:
    message = f'{_qualified(plural, group)} "{name}" already exists'
    if deleting:
        message = f"object is being deleted: {message}"
    return StatusError(409, "AlreadyExists", message, _details(group, plural, name))


def conflict(group: str, plural: str, name: str, why: str) -> StatusError:
    message = f'Operation cannot be fulfilled on {_qualified(plural, group)} "{name}": {why}'
    return StatusError(409, "Conflict", message, _details(group, plural, name))


def invalid(group: str, kind: str, name: str, causes: Iterable[Cause]) -> StatusError:
    """A 422 that lists every cause. The real server names some causes twice; this one does not."""
    found = list(causes)
    said = [f"{cause.field}: {cause.message}" for cause in found]
    message = said[0] if len(said) == 1 else f"[{', '.join(said)}]"
    listed = [{"reason": cause.reason, "message": cause.message, "field": cause.field} for cause in found]
    details = {**_details(group, kind, name), "causes": listed}
    return StatusError(422, "Invalid", f'{_qualified(kind, group)} "{name}" is invalid: {message}', details)


def expired(message: str) -> StatusError:
    return StatusError(410, "Expired", message)


def unsupported_media_type(accepted: Iterable[str]) -> StatusError:
    message = "the body of the request was in an unknown format - accepted media types include: "
    return StatusError(415, "UnsupportedMediaType", message + ", ".join(accepted))


def _qualified(resource: str, group: str) -> str:
    return f"{resource}.{group}" if group else resource


def _details(group: str, kind: str, name: str) -> Object:
    given = {"name": name, "group": group, "kind": kind}
    return {key: value for key, value in given.items() if value}
