"""Joins what a policy says of its versions with what is observed of their objects."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from turnout.calling import Calls
from turnout.decision import environment as ask
from turnout.decision.accept import Accepted
from turnout.decision.objects import Entry
from turnout.names import FINALIZER_DRAIN
from turnout.plugin import Backend, Observation, Ref, Version, VersionSpec
from turnout.reasons import Reason

Look = Callable[[Ref], Entry | None]
"""What is known of an object; None if it does not exist."""


def join(accepted: Accepted, look: Look, in_force: frozenset[str], calls: Calls) -> tuple[Version, ...]:
    """The versions as observed, in the policy's order.

    `in_force`: the uids that the plan in force routes to. A version enters a route only when it is
    ready, has a backend for every frontend, and is protected from being unloaded while calls may
    still reach it; one whose readiness is unknown stays where it is. Of versions with the same backends
    only the first is one: the others' calls would be answered by it.
    """
    found: list[Version] = []
    by_backends: dict[tuple[tuple[str, Backend], ...], Version] = {}
    for spec in accepted.policy.versions:
        version = _version(spec, accepted, look, in_force, calls)
        first = by_backends.setdefault(tuple(sorted(version.backends.items())), version)
        found.append(_like(first, version) if first is not version and version.backends else version)
    return tuple(found)


def _version(
    spec: VersionSpec, accepted: Accepted, look: Look, in_force: frozenset[str], calls: Calls
) -> Version:
    environment = accepted.environment
    refs = accepted.refs[spec.name]
    entries = [look(ref) for ref in refs]
    seen = [entry.observations.get(environment.name) if entry else None for entry in entries]
    backends = ask.backends(environment, spec, seen, accepted.environment_options, calls)
    main = entries[0]
    ready, reason, message = _readiness(refs, entries, seen)
    missing = [frontend.name for frontend in accepted.frontends if frontend.name not in backends]
    if ready is not False and missing:
        ready, reason, message = False, Reason.NO_BACKEND, _without_backend(missing, seen)
    routed = main is not None and main.uid in in_force
    available = ready is True or (ready is None and routed)
    bare = [ref for ref, entry in zip(refs, entries, strict=True) if not protects(entry)]
    if available and accepted.drain and not routed and bare:
        available, reason = False, Reason.UNPROTECTED
        message = f"the finalizer {FINALIZER_DRAIN} is not on {bare[0]} yet"
    first = seen[0]
    return Version(
        spec=spec,
        ready=ready,
        available=available,
        reason=reason,
        message=message,
        backends=backends,
        uid=main.uid if main else "",
        other_uids=tuple(entry.uid for entry in entries[1:] if entry),
        revision="/".join(observation.revision if observation else "" for observation in seen),
        app_version=first.app_version if first else None,
    )


def _like(first: Version, version: Version) -> Version:
    """A version whose calls another one would answer."""
    if version.ready is False:
        return version
    message = f"it has the same backends as {first.name}, which would answer its calls"
    return replace(version, ready=False, available=False, reason=Reason.NO_BACKEND, message=message)


def _readiness(
    refs: tuple[Ref, ...], entries: list[Entry | None], seen: list[Any]
) -> tuple[bool | None, str, str]:
    """The worst of a version's objects: one not ready makes it not ready, one unknown unknown."""
    worst: tuple[bool | None, str, str] = (True, Reason.READY, "")
    for ref, entry, observation in zip(refs, entries, seen, strict=True):
        if entry is None:
            return False, Reason.MISSING, f"{ref} does not exist"
        if entry.deleting:
            return False, Reason.DELETING, f"{ref} is being deleted"
        if observation is None:
            worst = None, "Unknown", f"{ref} has not been read yet"
        elif observation.ready is False:
            return False, observation.reason, observation.message or observation.reason
        elif observation.ready is not True and worst[0]:
            worst = None, observation.reason, observation.message or observation.reason
    return worst


def _without_backend(frontends: list[str], seen: list[Observation | None]) -> str:
    told = f"it has no backend for {', '.join(frontends)}"
    causes = "; ".join(one.message for one in seen if one and one.message)
    return f"{told}: {causes}" if causes else told


def protects(entry: Entry | None) -> bool:
    """Whether an object bears the finalizer that lets its deletion wait for the drain."""
    return entry is not None and FINALIZER_DRAIN in entry.finalizers
