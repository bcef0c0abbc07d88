"""What a test makes a service do instead of answering well."""

from dataclasses import dataclass, replace

CODES = """
CANCELLED UNKNOWN INVALID_ARGUMENT DEADLINE_EXCEEDED NOT_FOUND ALREADY_EXISTS PERMISSION_DENIED
RESOURCE_EXHAUSTED FAILED_PRECONDITION ABORTED OUT_OF_RANGE UNIMPLEMENTED INTERNAL UNAVAILABLE DATA_LOSS
UNAUTHENTICATED
"""
"""The statuses of gRPC that are failures."""


@dataclass(frozen=True, slots=True)
class Fault:
    """`code`: the gRPC status that is answered; `seconds`: how long it takes; `drop`: no answer at all."""

    code: str = ""
    message: str = ""
    seconds: float = 0.0
    drop: bool = False


class Faults:
    """Faults by service. They add up: a delay comes before a failure."""

    def __init__(self) -> None:
        self._faults: dict[str, Fault] = {}

    def get(self, service: str) -> Fault | None:
        return self._faults.get(service)

    def fail(self, service: str, code: str, message: str = "") -> None:
        """Answer with a gRPC status, such as UNAVAILABLE. Raises ValueError if there is no such status."""
        if code not in CODES.split():
            raise ValueError(f"code: found {code!r}, expected one of {', '.join(sorted(CODES.split()))}")
        self._faults[service] = replace(self._of(service), code=code, message=message)

    def delay(self, service: str, seconds: float) -> None:
        """Take so long for each answer."""
        self._faults[service] = replace(self._of(service), seconds=seconds)

    def drop(self, service: str) -> None:
        """Never answer: the call ends by its deadline."""
        self._faults[service] = replace(self._of(service), drop=True)

    def heal(self, service: str | None = None) -> None:
        """Take the faults of a service away, or all."""
        if service is None:
            self._faults.clear()
        else:
            self._faults.pop(service, None)

    def _of(self, service: str) -> Fault:
        return self._faults.get(service, Fault())
