"""What a CustomResourceDefinition's schema says about values, for the keywords that CRDs use.

Not here: rules in CEL (x-kubernetes-validations), `format`, and `oneOf`, `anyOf`, `allOf` and `not`.
"""

import re
from collections.abc import Callable, Iterator
from typing import Any

import orjson

from turnout.testing.memory.errors import Cause
from turnout.testing.memory.schema import ANYTHING, Schema, element, field, is_granular, items

_TYPES: dict[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "boolean": (bool,),
    "integer": (int,),
    "number": (int, float),
}
_LIMITS: dict[str, tuple[Callable[[Any, Any], bool], str]] = {
    "minimum": (lambda value, limit: value >= limit, "should be greater than or equal to {}"),
    "maximum": (lambda value, limit: value <= limit, "should be less than or equal to {}"),
    "minLength": (lambda value, limit: len(value) >= limit, "should be at least {} chars long"),
    "maxLength": (lambda value, limit: len(value) <= limit, "should be at most {} chars long"),
    "pattern": (lambda value, limit: bool(re.search(limit, value)), "should match '{}'"),
    "minItems": (lambda value, limit: len(value) >= limit, "should have at least {} items"),
    "maxItems": (lambda value, limit: len(value) <= limit, "should have at most {} items"),
    "minProperties": (lambda value, limit: len(value) >= limit, "should have at least {} properties"),
    "maxProperties": (lambda value, limit: len(value) <= limit, "should have at most {} properties"),
}


def faults(schema: Schema, value: Any, at: str = "") -> Iterator[Cause]:
    """Yield what is wrong with a value and with what is in it."""
    if value is None and schema.get("nullable"):
        return
    wanted = "" if schema.get("x-kubernetes-int-or-string") else schema.get("type", "")
    if wanted and not _is(value, wanted):
        given = _shown(next((name for name in _TYPES if _is(value, name)), "null"))
        message = f"Invalid value: {given}: {at} in body must be of type {wanted}: {given}"
        yield Cause(at, message, "FieldValueTypeInvalid")
        return
    yield from _own_faults(schema, value, at)
    if isinstance(value, dict):
        for name in schema.get("required", ()):
            if name not in value:
                yield Cause(f"{at}.{name}".lstrip("."), "Required value", "FieldValueRequired")
        for name, child in sorted(value.items()):
            yield from faults(field(schema, name) or ANYTHING, child, f"{at}.{name}".lstrip("."))
    elif isinstance(value, list):
        yield from _duplicates(schema, value, at)
        for index, item in enumerate(value):
            yield from faults(items(schema), item, f"{at}[{index}]")


def _own_faults(schema: Schema, value: Any, at: str) -> Iterator[Cause]:
    if "enum" in schema and value not in schema["enum"]:
        supported = ", ".join(_shown(known) for known in schema["enum"])
        message = f"Unsupported value: {_shown(value)}: supported values: {supported}"
        yield Cause(at, message, "FieldValueNotSupported")
    for keyword, (holds, text) in _LIMITS.items():
        if keyword in schema and not holds(value, schema[keyword]):
            message = f"Invalid value: {_shown(value)}: {at} in body {text.format(schema[keyword])}"
            yield Cause(at, message)


def _duplicates(schema: Schema, value: list[Any], at: str) -> Iterator[Cause]:
    seen: set[str] = set()
    for index, item in enumerate(value if is_granular(schema, value) else ()):
        step = element(schema, item)
        if step in seen:
            yield Cause(f"{at}[{index}]", f"Duplicate value: {step[2:]}", "FieldValueDuplicate")
        seen.add(step)


def _is(value: Any, wanted: str) -> bool:
    if isinstance(value, bool):
        return wanted == "boolean"
    return isinstance(value, _TYPES[wanted]) or (
        wanted == "integer" and isinstance(value, float) and value.is_integer()
    )


def _shown(value: Any) -> str:
    return orjson.dumps(value).decode()
