"""What a body must be to become an object, and how it is made one. Nothing here is stored."""

import re
from typing import Any

import orjson

from turnout.testing.memory import errors
from turnout.testing.memory.errors import Cause, Object, bad_request
from turnout.testing.memory.paths import Target
from turnout.testing.memory.resources import Resource
from turnout.testing.memory.schema import fill_defaults, prune
from turnout.testing.memory.validation import faults

_NAME = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_BAD_NAME = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must "
    "start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is "
    f"'{_NAME.pattern}')"
)


def copied(document: Any) -> Any:
    """Return a deep copy of JSON data."""
    return orjson.loads(orjson.dumps(document))


def merge_patch(value: Any, patch: Any) -> Any:
    """Apply a JSON merge patch (RFC 7386)."""
    if not isinstance(patch, dict):
        return patch
    merged = dict(value) if isinstance(value, dict) else {}
    for name, child in patch.items():
        if child is None:
            merged.pop(name, None)
        else:
            merged[name] = merge_patch(merged.get(name), child)
    return merged


def checked(resource: Resource, target: Target, body: Any) -> Object:
    """Return a copy of a body that is of the kind, version, name and namespace of its path."""
    if not isinstance(body, dict):
        raise bad_request(f"the object provided is unrecognized (must be of type {resource.kind.kind})")
    document: Object = copied(body)
    metadata = document.setdefault("metadata", {})
    given = document.get("apiVersion", "")
    if given != target.api_version:
        expected = f"does not match the expected API version ({target.api_version})"
        raise bad_request(f"the API version in the data ({given}) {expected}")
    if document.get("kind") != resource.kind.kind:
        cause = Cause("kind", f'Invalid value: "{document.get("kind")}": must be {resource.kind.kind}')
        raise errors.invalid(target.group, document.get("kind", ""), metadata.get("name", ""), [cause])
    name = metadata.setdefault("name", target.name or "")
    if target.name and name != target.name:
        raise bad_request(
            f"the name of the object ({name}) does not match the name on the URL ({target.name})"
        )
    if metadata.get("namespace", target.namespace) != target.namespace:
        why = "does not match the namespace sent on the request"
        raise bad_request(f"the namespace of the provided object {why}")
    if target.namespace:
        metadata["namespace"] = target.namespace
    return document


def checked_patch(resource: Resource, target: Target, body: Any) -> Object:
    """Return a copy of what is applied, which must be of the kind and version of its path."""
    given = body if isinstance(body, dict) else {}
    api_version, kind = given.get("apiVersion"), given.get("kind")
    if (api_version, kind) != (target.api_version, resource.kind.kind):
        raise bad_request(f"invalid object type: {api_version}, Kind={kind}")
    patch: Object = copied(body)
    patch.setdefault("metadata", {})
    return patch


def completed(resource: Resource, target: Target, document: Object) -> Object:
    """Return an object pruned, with defaults, without managedFields and without empty metadata."""
    schema = resource.schema(target.version)
    new: Object = prune(schema, document)
    fill_defaults(schema, new)
    resource.default(new)
    metadata = {name: value for name, value in new["metadata"].items() if value not in (None, {}, [], "")}
    metadata.pop("managedFields", None)
    return {**new, "metadata": metadata}


def refuse_invalid(resource: Resource, target: Target, document: Object, causes: list[Cause]) -> None:
    if resource.checks_schema:
        causes += faults(resource.schema(target.version), document)
    for path, message in resource.validate(copied(document)):
        causes.append(Cause(path, message))
    if causes:
        name = target.name or document["metadata"].get("name", "")
        raise errors.invalid(target.group, resource.kind.kind, name, causes)


def name_faults(name: str) -> list[Cause]:
    if not name:
        required = "Required value: name or generateName is required"
        return [Cause("metadata.name", required, "FieldValueRequired")]
    if len(name) > 253 or not _NAME.fullmatch(name):
        return [Cause("metadata.name", f'Invalid value: "{name}": {_BAD_NAME}')]
    return []


def uid_faults(old: Object, new: Object) -> list[Cause]:
    if new.get("uid", old["uid"]) == old["uid"]:
        return []
    return [Cause("metadata.uid", f'Invalid value: "{new["uid"]}": field is immutable')]


def finalizer_faults(old: Object, new: Object) -> list[Cause]:
    added = [name for name in new.get("finalizers", ()) if name not in old.get("finalizers", ())]
    if not added or "deletionTimestamp" not in old:
        return []
    listed = ", ".join(f'"{name}"' for name in sorted(added))
    why = "no new finalizers can be added if the object is being deleted, found new finalizers"
    message = f"Forbidden: {why} []string{{{listed}}}"
    return [Cause("metadata.finalizers", message, "FieldValueForbidden")]
