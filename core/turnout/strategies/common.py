"""What the built-in strategies share: who may carry traffic, by which weight, and why not."""

from collections.abc import Iterable, Mapping
from enum import StrEnum

from turnout.plugin import Inputs, Options, Share, Version

DEFAULT_WEIGHT = 50
"""Iter8's default weight: two versions that say nothing share by halves."""


class Fallback(StrEnum):
    """Who takes the calls of a primary that is not ready."""

    PRIMARY = "primary"
    CANDIDATE = "candidate"


class FallbackOptions(Options):
    """Options of the strategies in which the primary takes what no candidate is given."""

    fallback: Fallback = Fallback.PRIMARY
    """primary: it keeps its calls, ready or not. candidate: ready candidates take them by weight."""


def carriers(versions: Iterable[Version]) -> tuple[Version, ...]:
    """The versions that may carry traffic."""
    return tuple(version for version in versions if version.available and not version.excluded)


def split(versions: Iterable[Version]) -> tuple[Share, ...]:
    """Shares by the versions' own weights."""
    return tuple(
        Share(version, DEFAULT_WEIGHT if version.spec.weight is None else version.spec.weight)
        for version in versions
    )


def why_out(version: Version) -> str | None:
    """Why a version may not carry traffic, if it may not."""
    if not version.available:
        return f"not ready: {version.message or version.reason}"
    if version.excluded:
        return "weight 0 keeps it out"
    return None


def default_shares(inputs: Inputs, options: FallbackOptions) -> tuple[tuple[Share, ...], Mapping[str, str]]:
    """Who takes the calls that no rule gives to a candidate, with the reasons."""
    primary = inputs.version(inputs.primary)
    out = why_out(primary)
    candidates = carriers(inputs.candidates)
    if out and candidates and options.fallback is Fallback.CANDIDATE:
        reasons = {version.name: f"takes over, as {primary.name} is out" for version in candidates}
        return split(candidates), {primary.name: out, **reasons}
    kept = "the primary takes the calls that no candidate is given"
    return (Share(primary, 100),), {primary.name: f"{kept} ({out})" if out else kept}
