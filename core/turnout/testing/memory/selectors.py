"""Label and field selectors: which objects a list or watch is about."""

import re
from collections.abc import Callable, Mapping, Sequence

from turnout.testing.memory.errors import Object, bad_request
from turnout.testing.memory.resources import Resource

Matches = Callable[[Object], bool]

_FIELDS = ("metadata.name", "metadata.namespace")
_FIELDS_OF_EVENTS = ("involvedObject.kind", "involvedObject.name", "involvedObject.uid", "reason")

_SET = re.compile(r"(?P<key>\S+)\s+(?P<how>in|notin)\s*\((?P<values>[^)]*)\)")
_EQUAL = re.compile(r"(?P<key>[^=!\s]+)\s*(?P<how>==|=|!=)\s*(?P<value>\S*)")
_REQUIREMENT = re.compile(r",\s*(?![^(]*\))")
"""A comma that separates requirements, and not the values of a set."""


def selection(query: Mapping[str, str], resource: Resource) -> Matches:
    """Return what the selectors of a request's query match: everything if it has none.

    Field selectors are those that every kind has, metadata.name and metadata.namespace, and some of events.
    Raises 400.
    """
    events = (resource.kind.group, resource.kind.kind) == ("", "Event")
    labels = [_label(text) for text in _requirements(query, "labelSelector")]
    fields = [_field(text, events) for text in _requirements(query, "fieldSelector")]
    return lambda document: all(holds(document) for holds in (*labels, *fields))


def _requirements(query: Mapping[str, str], name: str) -> list[str]:
    return [text.strip() for text in _REQUIREMENT.split(query.get(name, "")) if text.strip()]


def _labels(document: Object) -> Mapping[str, str]:
    found: Mapping[str, str] = document["metadata"].get("labels", {})
    return found


def _label(text: str) -> Matches:
    if in_set := _SET.fullmatch(text):
        key, wanted = in_set["key"], in_set["how"] == "in"
        values = {value.strip() for value in in_set["values"].split(",")}
        return lambda document: (_labels(document).get(key) in values) == wanted
    if equal := _EQUAL.fullmatch(text):
        key, value, wanted = equal["key"], equal["value"], equal["how"] != "!="
        return lambda document: (_labels(document).get(key) == value) == wanted
    if re.fullmatch(r"!?[^\s!=()]+", text):
        key, wanted = text.lstrip("!"), not text.startswith("!")
        return lambda document: (key in _labels(document)) == wanted
    raise bad_request(f"unable to parse requirement: {text}")


def _field(text: str, events: bool) -> Matches:
    parsed = _EQUAL.fullmatch(text)
    if parsed is None or parsed["key"] not in (*_FIELDS, *(_FIELDS_OF_EVENTS if events else ())):
        raise bad_request(f"field label not supported: {text.partition('=')[0]}")
    path, value, wanted = parsed["key"].split("."), parsed["value"], parsed["how"] != "!="
    return lambda document: (_at(document, path) == value) == wanted


def _at(document: Object, path: Sequence[str]) -> object:
    found: object = document
    for key in path:
        found = found.get(key, "") if isinstance(found, Mapping) else ""
    return found
