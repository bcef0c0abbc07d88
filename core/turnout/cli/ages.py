"""How long ago something was, as kubectl has it."""

from datetime import datetime

UNITS = (("d", 86400), ("h", 3600), ("m", 60))


def age(then: datetime | None, now: datetime) -> str:
    """In its largest unit of which it is at least two: 45s, 12m, 3h, 5d; `?` if it is not known."""
    if then is None:
        return "?"
    seconds = max(0, int((now - then).total_seconds()))
    return next((f"{seconds // size}{unit}" for unit, size in UNITS if seconds >= 2 * size), f"{seconds}s")
