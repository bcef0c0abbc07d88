"""Is what a hook returned a plugin? Checked once at start, so that nothing later has to doubt it.

Every message names what was found and what would be right. Plugin code may run here (a property, a
generator), so callers take any exception as a failure of the plugin.
"""

import inspect
import re
from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import Any

from turnout.plugin import (
    AdmissionCheck,
    Environment,
    Feature,
    Gate,
    Kind,
    Notifier,
    Options,
    Plugin,
    Probe,
    Router,
    Strategy,
    Uses,
)

DNS_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
DNS_SUBDOMAIN = re.compile(r"(?=.{1,253}\Z)[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")

Axis = type[Plugin[Any]]

AXES: dict[str, Axis] = {
    "environments": Environment,
    "strategies": Strategy,
    "routers": Router,
    "probes": Probe,
    "admission_checks": AdmissionCheck,
    "gates": Gate,
    "notifiers": Notifier,
}
"""The base class of the plugins that each hook returns, by the hook's name without `turnout_`."""

ASYNC = {Probe: "in_force", Gate: "may_shift", Notifier: "shifted"}
"""The method that does I/O, by base class."""


def problems(found: object, axis: Axis) -> Iterator[str]:
    """What is wrong with one object that a hook of `axis` returned; nothing if it is a plugin."""
    if inspect.isclass(found):
        yield f"found the class {found.__name__}, expected an instance: {found.__name__}()"
    elif not isinstance(found, axis):
        yield f"found {repr_of(found)}, expected an instance of turnout.plugin.{axis.__name__}"
    else:
        for problem in _attributes(found):
            yield f"{type(found).__name__}: {problem}"


def name_of(found: object) -> str | None:
    """The name that a plugin gives itself, if it gives one."""
    name = getattr(found, "name", None)
    return name if isinstance(name, str) else None


def repr_of(value: object) -> str:
    """A value for a message: short, and with its type where its text would not tell."""
    try:
        text = repr(value)
    except Exception:  # noqa: BLE001  a plugin's own
        return f"an instance of {type(value).__name__}"
    text = text if len(text) <= 60 else f"{text[:59]}…"
    return text if value is None or isinstance(value, str | int | float) else f"{type(value).__name__} {text}"


def _attributes(plugin: Plugin[Any]) -> Iterator[str]:
    name = getattr(plugin, "name", None)
    if not isinstance(name, str) or not DNS_LABEL.fullmatch(name):
        yield f"name: found {repr_of(name)}, expected a DNS label: up to 63 of a-z, 0-9 and '-'"
    yield from _options(getattr(plugin, "options", None))
    match plugin:
        case Environment():
            yield from _kinds("watches", getattr(plugin, "watches", None))
            if not isinstance(plugin.drain, bool):
                yield f"drain: found {repr_of(plugin.drain)}, expected True or False"
        case Strategy():
            yield from _members("uses", plugin.uses, Uses)
        case Router():
            yield from _kinds("writes", getattr(plugin, "writes", None))
            yield from _members("carries", getattr(plugin, "carries", None), Feature)
            if not isinstance(plugin.propagation, timedelta) or plugin.propagation < timedelta(0):
                yield f"propagation: found {repr_of(plugin.propagation)}, expected a timedelta of 0 or more"
        case Probe():
            router = getattr(plugin, "router", None)
            if not isinstance(router, str) or not DNS_LABEL.fullmatch(router):
                yield f"router: found {repr_of(router)}, expected the name of a router"
    for axis, name in ASYNC.items():
        if isinstance(plugin, axis):
            if not inspect.iscoroutinefunction(getattr(plugin, name)):
                parameters = ", ".join(inspect.signature(getattr(axis, name)).parameters)
                yield f"{name} is not async, expected async def {name}({parameters})"
            return
    for method in _public_methods(type(plugin)):
        if inspect.iscoroutinefunction(method) or inspect.isasyncgenfunction(method):
            yield f"{method.__name__} is async, expected a plain method: plugins of this axis do no I/O"


def _options(options: object) -> Iterator[str]:
    if not (inspect.isclass(options) and issubclass(options, Options)):
        yield f"options: found {repr_of(options)}, expected a subclass of turnout.plugin.Options"
        return
    config = options.model_config
    if config.get("extra") != "forbid" or not config.get("frozen"):
        yield f"options: {options.__name__} changes model_config, expected extra='forbid' and frozen=True"
    for name, field in options.model_fields.items():
        if not isinstance(field.validation_alias, str):
            # Several keys for one option would let a policy get around a value that is fixed.
            yield f"options: {options.__name__}.{name} has no single key, expected one alias of type str"


def _kinds(attribute: str, found: object) -> Iterator[str]:
    if not isinstance(found, tuple) or not found:
        yield f"{attribute}: found {repr_of(found)}, expected a tuple of at least one Kind"
        return
    for kind in found:
        if not isinstance(kind, Kind):
            yield f"{attribute}: found {repr_of(kind)} in it, expected instances of Kind"
        elif not _is_kind(kind):
            yield f'{attribute}: found {repr_of(kind)}, expected Kind("group", ("v1",), "Widget", "widgets")'


def _is_kind(kind: Kind) -> bool:
    versions: object = kind.versions
    if not isinstance(versions, tuple) or not versions or not isinstance(kind.group, str):
        return False
    return all(isinstance(text, str) and text for text in (*versions, kind.kind, kind.plural))


def _members(attribute: str, found: object, enum: type[Feature] | type[Uses]) -> Iterator[str]:
    if not isinstance(found, frozenset):
        yield f"{attribute}: found {repr_of(found)}, expected a frozenset of {enum.__name__}"
        return
    for member in found:
        if not isinstance(member, enum):
            yield f"{attribute}: found {repr_of(member)} in it, expected members of {enum.__name__}"


def _public_methods(cls: type) -> Iterable[Any]:
    return (
        method for name, method in inspect.getmembers(cls, inspect.isfunction) if not name.startswith("_")
    )
