"""Leaves out versions whose objects ask for what cannot be carried beside the others."""

from collections.abc import Callable
from dataclasses import replace

from turnout.plugin import Version
from turnout.reasons import Reason

Refusal = tuple[Reason, str]
"""Why a plan may not be written."""

LEFT_OUT = (Reason.UNSUPPORTED, Reason.NAMESPACE_NOT_ALLOWED)


def left_out(version: Version) -> bool:
    """Whether a version is not ready because it cannot be carried; by core's own reasons."""
    return any(version.reason is reason for reason in LEFT_OUT)


def fitting(
    versions: tuple[Version, ...],
    precedence: Callable[[Version], int],
    refusal: Callable[[tuple[Version, ...]], Refusal | None],
) -> tuple[Version, ...]:
    """The versions, those that do not fit not ready and with the reason.

    One after the other is taken in, the lowest `precedence` first, if the plan that there would be of
    these alone is not refused.
    """
    taken = {one.name: replace(one, available=False) if one.available else one for one in versions}
    for one in sorted((one for one in versions if one.available), key=precedence):
        tried = taken | {one.name: one}
        if refused := refusal(tuple(tried.values())):
            reason, message = refused
            taken[one.name] = replace(one, ready=False, available=False, reason=reason, message=message)
        else:
            taken = tried
    return tuple(taken.values())
