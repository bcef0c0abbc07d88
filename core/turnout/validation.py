"""Validates data that people write, and says what is wrong with it in one line a fault.

For any pydantic model: the API's documents, plugins' options, settings, values. A line names the
field by the keys of the document, what was found there and what would be right. What would be right
is read from the field's annotation, or from an `Expected` in it where words say it better.
"""

from collections.abc import Iterable, Iterator, Mapping, Sized
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails, PydanticCustomError

from turnout.errors import Invalid, Problem
from turnout.expectations import Expected, Place, alternatives, nearest
from turnout.shown import shown

__all__ = ["Expected", "alternatives", "broken", "nearest", "parse", "path_of", "problems", "shown"]

ModelT = TypeVar("ModelT", bound=BaseModel)

_RULE = "turnout_rule"
_DESCRIBED = frozenset(
    {
        "enum",
        "finite_number",
        "greater_than",
        "greater_than_equal",
        "int_from_float",
        "int_parsing_size",
        "less_than",
        "less_than_equal",
        "literal_error",
        "string_pattern_mismatch",
        "string_too_long",
        "string_too_short",
        "too_long",
        "too_short",
    }
)
"""Pydantic's errors, besides those of types and parsing, that a field's annotation explains."""
_IDENTIFIER = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-")


def parse(model: type[ModelT], data: object, *, subject: str, prefix: str = "") -> ModelT:
    """Validate data. Raises Invalid, whose problems have paths that begin with `prefix`."""
    try:
        return model.model_validate(data)
    except ValidationError as error:
        raise Invalid(subject, problems(error, model, prefix=prefix)) from None


def problems(error: ValidationError, model: type[BaseModel], *, prefix: str = "") -> tuple[Problem, ...]:
    """Translate pydantic's errors, one problem a place, in the order of the model's fields."""
    errors = error.errors(include_url=False)
    return tuple(dict.fromkeys(_problem(one, model, prefix) for one in errors if not _echo(one, errors)))


def broken(expected: str, *at: str | int, found: object = ...) -> PydanticCustomError:
    """An error for a model's own validators to raise: a rule over several fields.

    `at`: keys from the validated value to the field to blame; `found`: what is there, unless it is
    the value itself.
    """
    context: dict[str, Any] = {"expected": expected, "at": at}
    if found is not ...:
        context["found"] = shown(found)
    return PydanticCustomError(_RULE, "expected {expected}", context)


def path_of(keys: Iterable[str | int], prefix: str = "") -> str:
    """Join keys: spec, modelVersions, 1, weight to spec.modelVersions[1].weight; odd keys are quoted."""
    path = prefix
    for key in keys:
        if isinstance(key, int):
            path += f"[{key}]"
        elif key and _IDENTIFIER.issuperset(key):
            path += f".{key}" if path else key
        else:
            path += f"[{shown(key)}]"
    return path


def _problem(error: ErrorDetails, model: type[BaseModel], prefix: str) -> Problem:
    kind, context = error["type"], error.get("ctx", {})
    location, in_key = _split(error["loc"])
    if kind == _RULE:
        path = path_of((*Place.of(model).walk(location).keys, *context["at"]), prefix)
        return Problem(path, found=context.get("found", shown(error["input"])), expected=context["expected"])
    if kind == "extra_forbidden":
        place = Place.of(model).walk(location[:-1])
        return Problem(path_of(place.keys, prefix), _unknown(str(location[-1]), place.names()))
    place = Place.of(model).walk(location)
    path = path_of(place.keys, prefix)
    if kind == "missing":
        return Problem(path, expected=place.expected())
    if kind == "invalid_key":
        parent = path_of(place.keys[:-1], prefix)
        return Problem(parent, found=f"key {shown(error['input'])}", expected="a string")
    if in_key:
        named = Place.of(model).walk(location[:-1])
        found = f"key {shown(error['input'])}"
        return Problem(path_of(named.keys, prefix), found=found, expected=named.expected_key())
    found = _size(error["input"]) if kind == "too_long" else shown(error["input"])
    if kind in _DESCRIBED or kind.endswith(("_type", "_parsing")):
        return Problem(path, found=found, expected=place.expected(error["input"]))
    return Problem(path, f"found {found}: {context.get('error') or error['msg']}")


def _size(value: object) -> str:
    """Of what has too many parts, their number says more than the first of them."""
    if isinstance(value, Mapping):
        return f"{len(value)} keys"
    return f"{len(value)} items" if isinstance(value, Sized) else shown(value)


def _echo(error: ErrorDetails, errors: Iterable[ErrorDetails]) -> bool:
    """Whether a list is too short only because pydantic did not count the items that are wrong."""
    location = error["loc"]
    return error["type"] == "too_short" and any(
        len(other["loc"]) > len(location) and other["loc"][: len(location)] == location for other in errors
    )


def _split(location: tuple[str | int, ...]) -> tuple[tuple[str | int, ...], bool]:
    """The location, and whether the error is about the last key itself, which pydantic marks."""
    in_key = len(location) > 1 and location[-1] == "[key]"
    return (location[:-1], True) if in_key else (location, False)


def _unknown(name: str, known: Iterable[str]) -> str:
    return f"unknown field {shown(name)}; " + "; ".join(_hints(name, tuple(known)))


def _hints(name: str, known: tuple[str, ...]) -> Iterator[str]:
    near = nearest(name, known)
    yield f'did you mean "{near}"?' if near else f"known: {', '.join(known) or 'none'}"
