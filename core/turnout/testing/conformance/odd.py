"""Documents that nobody expects, and those in which something changed that matters to nobody."""

import importlib
from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from typing import Any

Document = dict[str, Any]
Keys = tuple[str | int, ...]

VALUES: tuple[Any, ...] = (
    None,
    True,
    0,
    -1.5,
    2**63,
    "",
    "text",
    [],
    [None],
    ["x"],
    {},
    {"x": None},
    [{"x": []}],
)
"""Of every type that JSON has."""
TIMES = ("lastTransitionTime", "lastUpdateTime", "lastProbeTime", "lastHeartbeatTime")
HEAD = ("apiVersion", "kind")
LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
HUGE = 2**16
"""Characters of a text that is too long to keep."""


def oddities(document: Mapping[str, Any]) -> Iterator[tuple[str, Document]]:
    """The document with one value replaced by one of another type, or left out; and where that is.

    Not its kind, by which the API server has found it.
    """
    yield "nothing at all", _head(document)
    for keys in _paths(document):
        if keys[0] in HEAD:
            continue
        where = ".".join(map(str, keys))
        for value in VALUES:
            yield f"{where} = {value!r}", replaced(document, keys, value)
        yield f"{where} left out", _without(document, keys)


def any_document(of: Mapping[str, Any], holds: Callable[[Document], object], examples: int) -> None:
    """Try what has to hold on so many objects of any shape, of `of`'s kind, if hypothesis is installed."""
    if not examples:
        return
    try:
        hypothesis = importlib.import_module("hypothesis")
    except ImportError:
        return
    st = hypothesis.strategies
    leaf = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5)
    conditions = st.fixed_dictionaries(
        {}, optional=dict.fromkeys(("type", "status", "reason", "message"), leaf)
    )
    json = st.recursive(
        leaf | conditions,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
        max_leaves=10,
    )
    keys = ("metadata", "spec", "status", "data")
    documents = st.fixed_dictionaries(
        {}, optional=dict.fromkeys(keys, json | st.dictionaries(st.text(), json))
    )
    # The same examples every time, kept nowhere: what passes today passes tomorrow.
    steady = hypothesis.settings(max_examples=examples, deadline=None, database=None, derandomize=True)

    def try_it(document: Document) -> None:
        holds({**_head(of), **document})

    steady(hypothesis.given(documents)(try_it))()


def heartbeats(document: Mapping[str, Any]) -> Iterator[tuple[str, Document]]:
    """The document after a write that changed nothing of what it says, and what was written."""
    for key, value in (
        ("resourceVersion", "999999"),
        ("managedFields", [{"manager": "kubectl", "operation": "Update", "time": "2026-01-01T00:00:00Z"}]),
    ):
        yield f"another metadata.{key}", replaced(document, ("metadata", key), value)
    note = ("metadata", "annotations", "example.com/note")
    yield "another annotation", replaced(document, note, "x")
    yield "another label", replaced(document, ("metadata", "labels", "example.com/note"), "x")
    if isinstance(document.get("status"), Mapping):
        yield "a new field of status", replaced(document, ("status", "heartbeat"), "x")
    for keys in _paths(document):
        if keys[-1] in TIMES:
            yield f"another {keys[-1]}", replaced(document, keys, "2026-01-01T00:00:00Z")


def inflated(document: Mapping[str, Any]) -> Iterator[tuple[str, Document]]:
    """The document with one text of its status made very long, and where that is."""
    for keys in _paths(document):
        text = _value(document, keys)
        if keys[0] == "status" and isinstance(text, str):
            yield ".".join(map(str, keys)), replaced(document, keys, text + "x" * HUGE)


def renamed(document: Mapping[str, Any], old: str, new: str) -> Document:
    """The document of another version: all texts in it say its name."""
    return _mapped(document, lambda text: text.replace(old, new))  # type: ignore[no-any-return]


def replaced(document: Mapping[str, Any], keys: Keys, value: Any) -> Document:
    """A copy with another value at a place, which is made where it is not there."""
    copy: Any = deepcopy(dict(document))
    inner = copy
    for key in keys[:-1]:
        inner = inner.setdefault(key, {}) if isinstance(inner, dict) else inner[key]
    inner[keys[-1]] = value
    return copy  # type: ignore[no-any-return]


def _head(document: Mapping[str, Any]) -> Document:
    return {key: document[key] for key in HEAD if key in document}


def _without(document: Mapping[str, Any], keys: Keys) -> Document:
    copy = deepcopy(dict(document))
    del _value(copy, keys[:-1])[keys[-1]]
    return copy


def _value(document: Any, keys: Keys) -> Any:
    for key in keys:
        document = document[key]
    return document


def _paths(value: Any, keys: Keys = ()) -> Iterator[Keys]:
    pairs: Iterator[tuple[str | int, Any]]
    pairs = iter(value.items()) if isinstance(value, Mapping) else iter(())
    pairs = enumerate(value) if isinstance(value, list) else pairs
    for key, inner in pairs:
        yield (*keys, key)
        yield from _paths(inner, (*keys, key))


def _mapped(value: Any, change: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return change(value)
    if isinstance(value, Mapping):
        return {key: _mapped(inner, change) for key, inner in value.items()}
    return [_mapped(inner, change) for inner in value] if isinstance(value, list) else value


def with_secret(document: Mapping[str, Any], secret: str) -> Document:
    """The document with a secret at each place where Kubernetes has some."""
    variable = {"name": "PASSWORD", "value": secret}
    copy = replaced(document, ("metadata", "annotations", LAST_APPLIED), f'{{"value": "{secret}"}}')
    copy |= {key: {**copy.get(key, {}), "password": secret} for key in ("data", "stringData")}
    for keys in list(_paths(copy)):
        inner = _value(copy, keys)
        if keys[0] == "spec" and isinstance(inner, dict):
            before = inner.get("env")
            inner["env"] = [*(before if isinstance(before, list) else ()), variable]
    return copy
