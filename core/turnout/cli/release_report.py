"""What `turnout release` says: what it has released on stdout, everything else on stderr."""

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import click

from turnout.cli import waiting
from turnout.cli.exits import Exit
from turnout.decision.join import protects
from turnout.names import FINALIZER_DRAIN
from turnout.plugin import Kind, Ref
from turnout.runtime.errors import ApiError
from turnout.runtime.marked import Found, Place
from turnout.runtime.release import DryRun, Failure, Release
from turnout.runtime.transport import ConnectionFailed

_DONE = {
    DryRun.NONE: "released",
    DryRun.CLIENT: "released (dry run)",
    DryRun.SERVER: "released (server dry run)",
}
_DENIED = (401, 403)


class Report:
    """Told of each object as it is released, and at the end of the rest."""

    def __init__(
        self,
        output: str | None,
        dry_run: DryRun,
        namespaces: Sequence[str] | None,
        *,
        living: bool,
        held_for: Sequence[str] = (),
    ) -> None:
        self.dry_run = dry_run
        self.living = living
        self.held_for = held_for or None
        self.interrupted = False
        self.wanted = 0
        """How many objects there are to release."""
        self._output = output
        self._namespaces = namespaces
        self._done: list[Found] = []

    def begin(self, failures: Iterable[object]) -> None:
        """Say which plugins could not be loaded: their kinds are not known."""
        for failure in failures:
            _say(f"Warning: plugin not loaded, and versions of kinds that only it knows stay: {failure}")

    def released(self, found: Found) -> None:
        """Say that an object is released."""
        self._done.append(found)
        if self._output == "name":
            click.echo(named(found.ref))
        elif self._output is None:
            several = self._namespaces is None or len(self._namespaces) > 1
            where = f" in namespace {found.ref.namespace}" if several else ""
            click.echo(f"{named(found.ref)} {_DONE[self.dry_run]}{where}")

    def waits(self) -> None:
        """Say why nothing is said."""
        waiting.say()

    def end(self, found: Sequence[Found], release: Release, places: Sequence[Place]) -> int:
        """Say the rest. Returns the exit code."""
        if self._output == "json":
            items = [_as_data(one) for one in sorted(self._done, key=lambda one: str(one.ref))]
            click.echo(json.dumps({"apiVersion": "v1", "kind": "List", "items": items}, indent=2))
        for kind in sorted(release.missing, key=str):
            _say(f"Note: the cluster does not serve {kind}; there is nothing of this kind to release")
        for one in self._done:
            if one.entry.deleting and one.entry.finalizers:
                _say(f"Note: {named(one.ref)} has other finalizers and waits for {_list(one)}")
        if self.interrupted:
            left = f", {self.wanted - len(self._done)} not" if self.wanted else ""
            _say(f"Interrupted: {len(self._done)} released{left}")
            return Exit.INTERRUPTED
        self._tell_kept(found, release, places)
        if not self._done and not release.failures:
            where = "any namespace" if self._namespaces is None else ", ".join(self._namespaces)
            _say(f"Nothing to release in {where}")
        return self._tell_failures(release.failures)

    def _tell_kept(self, found: Sequence[Found], release: Release, places: Sequence[Place]) -> None:
        """What was asked for by name is told one by one, the others by their number."""
        asked = {(place.namespace, place.name) for place in places if place.name}
        there = {(one.ref.namespace, one.ref.name) for one in found}
        for namespace, name in sorted((str(where), str(name)) for where, name in asked - there):
            if not release.failures:
                _say(f"Note: there is no {name} in namespace {namespace}")
        kept = [one for one in found if not release.wanted(one)]
        if asked:
            for one in kept:
                _say(f"Note: {named(one.ref)} {_why_kept(one, release)}")
            return
        others = [one for one in kept if release.left_to_others(one)]
        if others:
            namespaces = ", ".join(sorted({one.held_for for one in others}))
            _say(f"Note: {len(others)} held for policies of {namespaces} and left protected")
        living = sum(one.entry.deleting is None and protects(one.entry) for one in kept if one not in others)
        if living:
            _say(f"Note: {living} not being deleted and left protected; --all releases these too")

    def _tell_failures(self, failures: Sequence[Failure]) -> int:
        """One line for all that failed alike."""
        alike: Counter[tuple[Kind, str | None, str, int]] = Counter()
        for failure in failures:
            key = _likeness(failure)
            alike[key] += 1
            if alike[key] == 1:
                _say(f"Error: {failure.error}{_remedy(failure)}")
        for (kind, namespace, verb, _), number in alike.items():
            if number > 1:
                _say(f"Error: the same for {number - 1} more: {verb} {kind} in namespace {namespace}")
        if self.wanted > len(self._done) and any(_unreachable(one) for one in failures):
            _say(f"{len(self._done)} released, {self.wanted - len(self._done)} not")
        if any(_unreachable(one) or _denied(one) for one in failures):
            return Exit.NO_CLUSTER
        return Exit.NOT_WELL if failures else Exit.OK


def named(ref: Ref) -> str:
    """An object as kubectl names it: `inferenceservice.serving.kserve.io/wisdom-1`."""
    kind = ref.kind.kind.lower()
    return f"{kind}.{ref.kind.group}/{ref.name}" if ref.kind.group else f"{kind}/{ref.name}"


def _as_data(found: Found) -> dict[str, Any]:
    """What `kubectl get -f -` finds the object by, and what may still hold it."""
    entry = found.entry
    metadata: dict[str, Any] = {"namespace": found.ref.namespace, "name": found.ref.name, "uid": entry.uid}
    if entry.deleting:
        metadata["deletionTimestamp"] = entry.deleting.strftime("%Y-%m-%dT%H:%M:%SZ")
    metadata["finalizers"] = list(entry.finalizers)
    return {"apiVersion": found.api_version, "kind": found.ref.kind.kind, "metadata": metadata}


def _why_kept(found: Found, release: Release) -> str:
    if release.left_to_others(found):
        return f"is held for policies of {found.held_for}, which --held-for does not name"
    if found.entry.deleting is None and found.marked:
        return "is not being deleted; --all releases it all the same"
    if found.entry.finalizers:
        return f"does not have the finalizer {FINALIZER_DRAIN}; it has {_list(found)}"
    return f"does not have the finalizer {FINALIZER_DRAIN}"


def _likeness(failure: Failure) -> tuple[Kind, str | None, str, int]:
    error = failure.error
    status = error.status if isinstance(error, ApiError) else 0
    verb = error.what.partition(" ")[0] if isinstance(error, ApiError) else "reach"
    return failure.kind, failure.namespace, verb, status


def _remedy(failure: Failure) -> str:
    if not _denied(failure):
        return ""
    where = f"namespace {failure.namespace}" if failure.namespace else "all namespaces (-n asks for less)"
    return f"; needed are list and patch on {failure.kind} in {where}"


def _denied(failure: Failure) -> bool:
    return isinstance(failure.error, ApiError) and failure.error.status in _DENIED


def _unreachable(failure: Failure) -> bool:
    return isinstance(failure.error, ConnectionFailed)


def _list(found: Found) -> str:
    return ", ".join(found.entry.finalizers)


def _say(text: str) -> None:
    click.echo(text, err=True)
