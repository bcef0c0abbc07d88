"""Whether an object in the cluster is what it should be, whose it is, and where it differs."""

from collections.abc import Iterable
from typing import Any

import orjson

from turnout.decision.objects import Entry, FieldPath
from turnout.decision.render import Rendered
from turnout.names import LABEL_MANAGED_BY, LABEL_POLICY, LABEL_SHARED, MANAGED_BY, ROUTING_POLICY
from turnout.plugin import Policy

EXACT = 2**53
"""Below it every integer is a float as well."""


def foreign(entry: Entry, policy: Policy) -> str | None:
    """Whose an object is, where it is not the policy's; None where it is.

    Ours carries the policy's uid among its owners. So does an object that bears our labels and this
    policy's name and whose only owners are former policies of that name: `kubectl replace --force`
    leaves such a one behind until the garbage collector comes.
    """
    written = entry.written
    if written is None:
        return "an object that was not read"
    if policy.uid and written.owned_by(policy.uid):
        return None
    if written.labels.get(LABEL_MANAGED_BY) != MANAGED_BY:
        return f"managed by {written.labels.get(LABEL_MANAGED_BY, 'someone else')}"
    if written.labels.get(LABEL_POLICY) != policy.name:
        return f"of policy {written.labels.get(LABEL_POLICY, 'unknown')}"
    if any((owner.kind, owner.name) != (ROUTING_POLICY.kind, policy.name) for owner in written.owners):
        return "owned by " + ", ".join(f"{owner.kind} {owner.name}" for owner in written.owners)
    return None


def shared_foreign(entry: Entry) -> bool:
    """Whether a shared object is someone else's: then it is used, and never written.

    Ours bears our labels, or a policy among its owners: labels are easily lost.
    """
    if entry.written is None:
        return True
    labels = entry.written.labels
    ours = labels.get(LABEL_MANAGED_BY) == MANAGED_BY and labels.get(LABEL_SHARED) == "true"
    return not ours and all(owner.kind != ROUTING_POLICY.kind for owner in entry.written.owners)


def difference(desired: Rendered, entry: Entry) -> str | None:
    """The path of the first thing that differs from what is desired; None if nothing does.

    Of a mapping only what is desired counts and what we own, so that the fields of others stay theirs. A
    list is compared whole: to server-side apply the lists of routes are atomic.
    """
    written = entry.written
    if written is None:
        return "metadata"
    for name, value in desired.labels.items():
        if written.labels.get(name) != value:
            return f"metadata.labels[{name}]"
    if desired.plan != written.plan:
        return "metadata.annotations[turnout.dev/plan]"
    if desired.canonical == written.body:
        return None
    wanted = orjson.loads(desired.canonical)
    return _differs(wanted, orjson.loads(written.body), "") or _unwanted(wanted, written.owned)


def _unwanted(wanted: Any, owned: Iterable[FieldPath]) -> str | None:
    """The path of the first field that we own and want no more."""
    return next((".".join(path) for path in owned if not _has(wanted, path)), None)


def _has(wanted: Any, path: FieldPath) -> bool:
    for key in path:
        if not isinstance(wanted, dict):
            return True  # it is compared whole
        if key not in wanted:
            return False
        wanted = wanted[key]
    return True


def _differs(desired: Any, found: Any, path: str) -> str | None:
    if isinstance(desired, dict) and isinstance(found, dict):
        for key, value in desired.items():
            at = f"{path}.{key}" if path else key
            if key not in found:
                return at
            if deeper := _differs(value, found[key], at):
                return deeper
        return None
    if isinstance(desired, list) and isinstance(found, list):
        return _differs_in_list(desired, found, path)
    return None if _same(desired, found) else path


def _differs_in_list(desired: list[Any], found: list[Any], path: str) -> str | None:
    for index, (left, right) in enumerate(zip(desired, found, strict=False)):
        if not _same(left, right):
            return _differs(left, right, f"{path}[{index}]") or f"{path}[{index}]"
    return f"{path}[{min(len(desired), len(found))}]" if len(desired) != len(found) else None


def _same(desired: Any, found: Any) -> bool:
    """Equality as JSON has it, in which 1 and 1.0 are one number and true is none."""
    return orjson.dumps(_numbers(desired), option=orjson.OPT_SORT_KEYS) == orjson.dumps(
        _numbers(found), option=orjson.OPT_SORT_KEYS
    )


def _numbers(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _numbers(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_numbers(item) for item in value]
    if isinstance(value, float) and value.is_integer() and abs(value) < EXACT:
        return int(value)
    return value
