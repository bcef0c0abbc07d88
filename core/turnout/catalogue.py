"""What is installed, as plain data: for `turnout plugins` and for generated documentation."""

from collections.abc import Iterable, Iterator
from typing import Any

from pydantic.alias_generators import to_camel
from pydantic.fields import FieldInfo
from pydantic_core import to_jsonable_python

from turnout.errors import Problem
from turnout.expectations import Place, choices, describe
from turnout.plugin import Environment, Options, Plugin, Probe, Router, Strategy
from turnout.registry import Loaded, Registry
from turnout.shapes import AXES

_FINER = ("pattern", "min_length", "max_length")


def catalogue(registry: Registry, problems: Iterable[Problem] = ()) -> dict[str, Any]:
    """Keys: the axes in camelCase, failures, skipped, keptOut, problems; below them camelCase too. All JSON.

    `problems`: of the settings.
    """
    axes = {to_camel(name): getattr(registry, name).values() for name in AXES}
    return {
        **{name: [_plugin(loaded) for loaded in plugins] for name, plugins in axes.items()},
        "failures": [
            {
                "distribution": failure.distribution,
                "entryPoint": failure.entry_point,
                "plugin": failure.plugin,
                "message": failure.message,
            }
            for failure in registry.failures
        ],
        "skipped": list(registry.skipped),
        "keptOut": [
            {
                "name": one.loaded.name,
                "axis": to_camel(one.axis),
                "distribution": one.loaded.distribution,
                "version": one.loaded.version,
                "by": one.by,
            }
            for one in registry.kept_out
        ],
        "problems": [{"path": problem.path, "message": problem.text} for problem in problems],
    }


def _plugin(loaded: Loaded[Plugin[Any]]) -> dict[str, Any]:
    plugin = loaded.plugin
    return {
        "name": loaded.name,
        "distribution": loaded.distribution,
        "version": loaded.version,
        "summary": _first_paragraph(type(plugin).__doc__),
        **_axis(plugin),
        "options": list(_options(plugin.options)),
    }


def _axis(plugin: Plugin[Any]) -> dict[str, Any]:
    match plugin:
        case Environment():
            return {"watches": _texts(plugin.watches), "drain": plugin.drain}
        case Strategy():
            return {"uses": sorted(_texts(plugin.uses))}
        case Router():
            return {
                "writes": _texts(plugin.writes),
                "carries": sorted(_texts(plugin.carries)),
                "propagationSeconds": plugin.propagation.total_seconds(),
            }
        case Probe():
            return {"router": plugin.router}
    return {}


def _options(model: type[Options]) -> Iterator[dict[str, Any]]:
    for name, field in model.model_fields.items():
        key = str(field.validation_alias or name)
        yield {
            "name": key,
            "type": _type(model, key),
            "required": field.is_required(),
            "default": None if field.is_required() else _default(field),
            "description": field.description and " ".join(field.description.split()),
        }


def _type(model: type[Options], key: str) -> str:
    """What a value is, without the finer rules: an error tells those to whom it concerns."""
    place = Place.of(model).walk((key,))
    coarse = [item for item in place.metadata if not any(hasattr(item, rule) for rule in _FINER)]
    words = describe(place.annotation, coarse)
    if choices(place.annotation):
        return words
    return words.removeprefix("an ").removeprefix("a ")


def _default(field: FieldInfo) -> Any:
    try:
        default = field.get_default(call_default_factory=True, validated_data={})
        return to_jsonable_python(default, fallback=str)
    except Exception as error:  # noqa: BLE001  a factory is a plugin's own, and may read the other options
        return f"not known here: {type(error).__name__}"


def _texts(items: Iterable[object]) -> list[str]:
    return [str(item) for item in items]


def _first_paragraph(docstring: str | None) -> str:
    return " ".join((docstring or "").strip().partition("\n\n")[0].split())
