"""Reads from a pydantic model what would be right at a place in a document, in words."""

import difflib
import types
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo

_SCALARS = {int: "an integer", float: "a number", str: "a string", bool: "true or false"}
_OTHERS: dict[Any, str] = {
    timedelta: "a duration in seconds or as PT1M30S",
    SecretStr: "a string",
    Callable: "a function",
}


@dataclass(frozen=True, slots=True)
class Expected:
    """In a field's `Annotated`: what is right there, completing the words "found …, expected …"."""

    text: str


@dataclass(frozen=True, slots=True)
class Place:
    """A place in a document: the keys that lead to it, and what its model says of it."""

    keys: tuple[str | int, ...]
    annotation: Any
    metadata: tuple[Any, ...] = ()

    @classmethod
    def of(cls, model: type[BaseModel]) -> "Place":
        """The document as a whole."""
        return cls((), model)

    def walk(self, location: Sequence[str | int]) -> "Place":
        """The place that a pydantic location leads to, from here."""
        place = self
        for key in location:
            following = place._child(key)
            if following is None:  # a member of a union: the location goes on with pydantic's own names
                return place
            place = following
        return place

    def names(self) -> tuple[str, ...]:
        """The fields that there are, by the keys of the document."""
        return tuple(_keys(self.annotation)) if _is_model(self.annotation) else ()

    def expected(self, found: object = None) -> str:
        """What would be right, with the nearest valid value if there are few."""
        words, known = describe(self.annotation, self.metadata), choices(self.annotation)
        near = nearest(found, known) if isinstance(found, str) and len(known) > 1 else None
        return f'{words}; did you mean "{near}"?' if near else words

    def expected_key(self) -> str:
        """What would be right for a key of this object."""
        key, *_ = get_args(self.annotation) or (str,)
        return describe(*_flat(key))

    def _child(self, key: str | int) -> "Place | None":
        origin = get_origin(self.annotation)
        if isinstance(key, str) and _is_model(self.annotation):
            field = _field(self.annotation, key)
            return self._to(key, Any) if field is None else self._to(key, field.annotation, field.metadata)
        if isinstance(key, int) and _is_list(origin):
            items = get_args(self.annotation)
            return self._to(key, items[0] if items else Any)
        if isinstance(key, str) and _is_mapping(origin):
            return self._to(key, get_args(self.annotation)[1])
        return self._to(key, Any) if self.annotation is Any else None

    def _to(self, key: str | int, annotation: Any, metadata: Iterable[Any] = ()) -> "Place":
        return Place((*self.keys, key), *_flat(annotation, metadata))


def describe(annotation: Any, metadata: Sequence[Any] = ()) -> str:
    """What a value of this annotation is, such as "an integer 0..1000000"."""
    for item in metadata:
        if isinstance(item, Expected):
            return item.text
    if found := choices(annotation):
        return alternatives(found)
    origin = get_origin(annotation)
    if _is_union(origin):
        members = (member for member in get_args(annotation) if member is not types.NoneType)
        return " or ".join(dict.fromkeys(describe(*_flat(member)) for member in members))
    if annotation in (int, float):
        return _SCALARS[annotation] + _range(metadata)
    if annotation is str:
        pattern = _first(metadata, "pattern")
        return f"a string{_size(metadata, 'character')}" + (f" that matches {pattern}" if pattern else "")
    if _is_list(origin or annotation):
        return f"a list{_size(metadata, 'item')}"
    if _is_mapping(origin or annotation):
        return f"an object{_size(metadata, 'key')}"
    if _is_model(annotation):
        return "an object"
    if words := _SCALARS.get(annotation) or _OTHERS.get(origin or annotation):
        return words
    return getattr(annotation, "__name__", str(annotation)).lower()


def choices(annotation: Any) -> tuple[str, ...]:
    """The values that there are, where they can be listed."""
    if get_origin(annotation) is Literal:
        return tuple(str(value) for value in get_args(annotation))
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return tuple(str(member.value) for member in annotation)
    return ()


def alternatives(names: Iterable[str]) -> str:
    """ "a, b or c"."""
    *others, last = names
    return f"{', '.join(others)} or {last}" if others else last


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name that is most like this one, whatever its case; None if none is much like it."""
    by_lower = {one.lower(): one for one in known}
    near = difflib.get_close_matches(name[:100].lower(), by_lower, n=1, cutoff=0.5)
    return by_lower[near[0]] if near else None


def _flat(annotation: Any, metadata: Iterable[Any] = ()) -> tuple[Any, tuple[Any, ...]]:
    """An annotation without Annotated and without None, and all metadata, that of fields unpacked."""
    collected = list(_metadata(metadata))
    while True:
        members = [member for member in get_args(annotation) if member is not types.NoneType]
        if get_origin(annotation) is Annotated:
            annotation, *inner = get_args(annotation)
            collected += _metadata(inner)
        elif _is_union(get_origin(annotation)) and len(members) == 1:
            annotation = members[0]
        else:
            return annotation, tuple(collected)


def _metadata(items: Iterable[Any]) -> Iterator[Any]:
    for item in items:
        yield from item.metadata if isinstance(item, FieldInfo) else (item,)


def _range(metadata: Sequence[Any]) -> str:
    low, high = _first(metadata, "ge"), _first(metadata, "le")
    above, below = _first(metadata, "gt"), _first(metadata, "lt")
    if low is not None and high is not None:
        return f" {low}..{high}"
    words = {"of at least": low, "of at most": high, "above": above, "below": below}
    said = [f"{word} {bound}" for word, bound in words.items() if bound is not None]
    return f" {' and '.join(said)}" if said else ""


def _size(metadata: Sequence[Any], unit: str) -> str:
    low, high = _first(metadata, "min_length") or 0, _first(metadata, "max_length")
    if high is not None:
        return f" of {low} to {high} {unit}s" if low else f" of at most {high} {unit}s"
    return f" of at least {low} {unit}{'s' if low > 1 else ''}" if low else ""


def _first(metadata: Sequence[Any], name: str) -> Any:
    return next((found for item in metadata if (found := getattr(item, name, None)) is not None), None)


def _field(model: type[BaseModel], key: str) -> FieldInfo | None:
    return next((f for name, f in model.model_fields.items() if key in (_key(name, f), name)), None)


def _keys(model: type[BaseModel]) -> Iterator[str]:
    return (_key(name, field) for name, field in model.model_fields.items())


def _key(name: str, field: FieldInfo) -> str:
    return field.validation_alias if isinstance(field.validation_alias, str) else name


def _is_model(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def _is_union(origin: Any) -> bool:
    return origin in (Union, types.UnionType)


def _is_list(origin: Any) -> bool:
    kinds = (list, tuple, AbstractSet, set, frozenset, Sequence)
    return origin is not str and isinstance(origin, type) and issubclass(origin, kinds)


def _is_mapping(origin: Any) -> bool:
    return isinstance(origin, type) and issubclass(origin, Mapping)
