"""What environments make a promotion of: which parts of an object are the candidate's, which stay. Pure."""

from collections.abc import Iterable, Mapping
from typing import Any

from turnout.plugin.reading import VERSION_LABEL, condition, generation, integer, mapping, text

Path = tuple[str, ...]
"""The keys that lead to a field of an object."""

SPEC: Path = ("spec",)
VERSION: Path = ("metadata", "labels", VERSION_LABEL)
"""The label that tells the version of what is served."""


def annotations(
    *objects: Mapping[str, Any], prefix: str, but: frozenset[str] = frozenset()
) -> tuple[Path, ...]:
    """The paths of all annotations with a prefix that any of the objects has, `but` for some."""
    names = (mapping(mapping(one.get("metadata")).get("annotations")) for one in objects)
    found = {name for one in names for name in one if str(name).startswith(prefix) and name not in but}
    return tuple(("metadata", "annotations", name) for name in sorted(found))


def taken(
    primary: Mapping[str, Any], candidate: Mapping[str, Any], take: Iterable[Path], keep: Iterable[Path] = ()
) -> dict[str, Any]:
    """The primary's object with fields of the candidate's, but for those to `keep` within them.

    A field that the candidate does not have is left out. What is made of it by the same paths again is
    the same, and taking the primary's own fields undoes it.
    """
    made: dict[str, Any] = dict(primary)
    for path in take:
        made = _with(made, path, _at(candidate, path))
    for path in keep:
        made = _with(made, path, _at(primary, path))
    return made


def deployed(workload: Mapping[str, Any]) -> tuple[bool, str]:
    """Whether all pods of a Deployment are of its spec as it is now, and available; if not, why."""
    status = mapping(workload.get("status"))
    wanted = integer(mapping(workload.get("spec")).get("replicas"))
    wanted = 1 if wanted is None else wanted
    observed, latest = integer(status.get("observedGeneration")), generation(workload)
    if observed is None or (latest is not None and observed < latest):
        return False, "its controller has not seen its latest change yet"
    progressing = condition(status, "Progressing")
    if progressing and progressing.status is False:
        return False, progressing.message or progressing.reason or "it does not progress"
    updated, total, available = (
        integer(status.get(key)) or 0 for key in ("updatedReplicas", "replicas", "availableReplicas")
    )
    if updated < wanted:
        return False, f"{updated} of {wanted} replicas are new"
    if total > updated:
        return False, f"{total - updated} former replicas are still there"
    if available < updated:
        return False, f"{available} of {updated} new replicas are available"
    return True, ""


def changed(before: Mapping[str, Any], now: Mapping[str, Any]) -> bool:
    """Whether an object's spec has changed, by its generation, or the object is another."""
    one, other = mapping(before.get("metadata")), mapping(now.get("metadata"))
    return text(one.get("uid")) != text(other.get("uid")) or generation(before) != generation(now)


def _at(obj: Mapping[str, Any], path: Path) -> Any:
    found: Any = obj
    for key in path:
        found = mapping(found).get(key)
    return found


def _with(obj: Mapping[str, Any], path: Path, value: Any) -> dict[str, Any]:
    """The object with another value at a path; None leaves it out. Nothing is made to leave it out of."""
    key, *rest = path
    if rest:
        below = obj.get(key)
        if value is None and not isinstance(below, Mapping):
            return dict(obj)
        inner = _with(mapping(below), tuple(rest), value)
        # The API server leaves empty ones out, so an object that had none has none again.
        value = None if key in ("labels", "annotations") and not inner else inner
    if value is None:
        return {name: one for name, one in obj.items() if name != key}
    return {**obj, key: value}
