"""Durations as Istio has them."""

import re
from typing import Annotated

from pydantic import AfterValidator

_UNITS = {"h": 3_600_000, "m": 60_000, "s": 1_000, "ms": 1}
_PART = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,3})?)(ms|[hms])")
LONGEST = 2_562_047
"""Hours. Istio's CRDs hold a duration in a signed number of nanoseconds, 64 bits long."""
_WHOLE = re.compile(rf"({_PART.pattern})+")


def milliseconds(text: str) -> float:
    """How long a duration is. Raises ValueError for text that is none."""
    if not _WHOLE.fullmatch(text):
        raise ValueError("expected a duration such as 500ms, 10s or 1m30s")
    return sum(float(number) * _UNITS[unit] for number, unit in _PART.findall(text))


def _positive(text: str) -> str:
    length = milliseconds(text)
    if length < 1 or abs(length - round(length)) > 1e-6:
        raise ValueError("expected a duration of 1ms or more, in whole milliseconds")
    if length > LONGEST * _UNITS["h"]:
        raise ValueError(f"expected a duration of at most {LONGEST}h")
    return text


def _seconds(text: str) -> str:
    if milliseconds(text) % 1000:
        raise ValueError("expected a duration of whole seconds")
    return text


Duration = Annotated[str, AfterValidator(_positive)]
"""As Go writes it: numbers with h, m, s or ms. istiod takes 1 ms and more, in whole milliseconds."""
Seconds = Annotated[Duration, AfterValidator(_seconds)]
