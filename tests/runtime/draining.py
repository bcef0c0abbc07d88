"""What tests of the drain share: how long a deletion takes, and what makes it take so long."""

from typing import Any

from tests.runtime.harness import IN_FLIGHT, PROPAGATION, Bed, isvc
from turnout.names import ANNOTATION_PLAN

HELD = PROPAGATION + IN_FLIGHT
"""Seconds from the write of the routes to the release."""

SOON = HELD - 2.0
"""Less than that is at once: a busy machine may need some of it."""

SLACK = 1.5
"""Stamps are in whole seconds."""

SPOILT: dict[str, Any] = {
    "no plan": {"annotations": {ANNOTATION_PLAN: "{"}},
    "removed": {"annotations": {ANNOTATION_PLAN: None}},
    "with the labels": {"annotations": None, "labels": None},
}
"""What someone may do to a route's metadata, so that it no longer says where it leads."""


def seconds_to_go(bed: Bed, name: str) -> float:
    """Delete a version, and wait until it is gone."""
    began = bed.now()
    bed.delete(isvc(name))
    bed.until(lambda: not bed.exists(isvc(name)))
    return (bed.now() - began).total_seconds()
