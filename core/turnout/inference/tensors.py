"""Tensors of the open inference protocol, from Python values and from JSON."""

import base64
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from turnout.shown import plain, shown

CONTENTS = {
    "BOOL": "bool_contents",
    **dict.fromkeys(("INT8", "INT16", "INT32"), "int_contents"),
    "INT64": "int64_contents",
    **dict.fromkeys(("UINT8", "UINT16", "UINT32"), "uint_contents"),
    "UINT64": "uint64_contents",
    "FP32": "fp32_contents",
    "FP64": "fp64_contents",
    "BYTES": "bytes_contents",
}
"""The field of InferTensorContents that holds the values of a datatype. FP16 has none."""

INTEGERS = {
    f"{sign}INT{bits}": range(-(2 ** (bits - 1)), 2 ** (bits - 1)) if not sign else range(2**bits)
    for sign in ("", "U")
    for bits in (8, 16, 32, 64)
}
SIZES = range(2**63)
LARGEST_FP32 = 3.4028235677973366e38
"""What is not below it is rounded to infinity."""
DEEPEST = 64
"""How many lists in one another are read."""


class TensorError(ValueError):
    """A tensor cannot be read or sent. The message says what was found, and what would be right."""


@dataclass(frozen=True, slots=True)
class Tensor:
    """One input of a model. `data`: the values, flat, in row-major order; for BYTES strings or bytes."""

    name: str
    datatype: str
    shape: Sequence[int]
    data: Sequence[Any]

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "Tensor":
        """From `{"name", "datatype", "shape", "data"}`, as REST has it, or with `contents`, as grpcurl.

        Contents are JSON of protobuf: bytes are in base64, and numbers may be strings.

        Raises TensorError.
        """
        if not isinstance(value, Mapping):
            found = type(value).__name__
            raise TensorError(f"found {found}, expected a mapping with name, datatype, shape and data")
        datatype = value.get("datatype", "")
        if not isinstance(datatype, str) or datatype not in CONTENTS:
            raise TensorError(f"datatype: found {shown(datatype)}, expected one of {', '.join(CONTENTS)}")
        name = value.get("name", "")
        if not isinstance(name, str) or not _encodes(name):
            raise TensorError(f"name: found {shown(name)}, expected a string that can be sent in UTF-8")
        data, packed = value.get("data"), False
        if data is None and isinstance(contents := value.get("contents"), Mapping):
            field, packed = CONTENTS[datatype], True
            data = contents.get(field, contents.get(_camel(field)))
        if not isinstance(data, list):
            raise TensorError(f"data: expected a list, or contents with {CONTENTS[datatype]}")
        values = [
            _value(one, datatype, f"data[{number}]", packed=packed) for number, one in enumerate(_flat(data))
        ]
        return cls(name, datatype, _shape(value.get("shape")), tuple(values))

    def as_json(self) -> dict[str, Any]:
        """As REST has it. Raises TensorError for bytes that are no text."""
        try:
            data = [one.decode() if isinstance(one, bytes) else one for one in self.data]
        except UnicodeDecodeError:
            raise TensorError(f"{plain(self.name)}: bytes that are no UTF-8 cannot be sent as JSON") from None
        return {
            "name": self.name,
            "datatype": self.datatype,
            "shape": list(self.shape),
            "data": data,
        }

    def as_input(self) -> dict[str, Any]:
        """The arguments of an InferInputTensor. Raises TensorError for a datatype without contents."""
        if self.datatype not in CONTENTS:
            raise TensorError(f"{plain(self.name)}: datatype {self.datatype} cannot be sent as contents")
        values = [one.encode() if isinstance(one, str) else one for one in self.data]
        return {
            "name": self.name,
            "datatype": self.datatype,
            "shape": self.shape,
            "contents": {CONTENTS[self.datatype]: values},
        }


def _flat(data: Sequence[Any], depth: int = 1) -> Iterator[Any]:
    for one in data:
        if not isinstance(one, list):
            yield one
        elif depth == DEEPEST:
            raise TensorError(f"data: more than {DEEPEST} lists in one another")
        else:
            yield from _flat(one, depth + 1)


def _shape(found: object) -> tuple[int, ...]:
    expected = "shape: expected a list of integers"
    if not isinstance(found, list):
        raise TensorError(expected)
    sizes = [_integer(one) for one in found]
    for size, one in zip(sizes, found, strict=True):
        if size is None or size not in SIZES:
            raise TensorError(f"{expected}, none negative and all below 2^63; found {shown(one)}")
    return tuple(size for size in sizes if size is not None)


def _value(found: Any, datatype: str, path: str, *, packed: bool) -> Any:
    """A value as it is sent. `packed`: found in JSON of protobuf."""
    value: Any = None
    if datatype == "BOOL":
        value, expected = (found if isinstance(found, bool) else None), "true or false"
    elif datatype == "BYTES":
        value, expected = (
            _bytes(found) if packed else found,
            "bytes in base64" if packed else "text that is UTF-8",
        )
        if (isinstance(value, str) and not _encodes(value)) or not isinstance(value, str | bytes):
            value = None
    elif datatype in INTEGERS:
        allowed = INTEGERS[datatype]
        value, expected = _integer(found), f"an integer from {allowed[0]} to {allowed[-1]} for {datatype}"
        if (value is not None and value not in allowed) or (isinstance(found, str) and not packed):
            value = None
    else:
        value, expected = _number(found, packed=packed), f"a number that {datatype} can hold"
        if value is not None and datatype == "FP32" and LARGEST_FP32 <= abs(value) < math.inf:
            value = None
    if value is None:
        raise TensorError(f"{path}: found {shown(found)}, expected {expected}")
    return value


def _integer(found: object) -> int | None:
    """An integer; JSON of protobuf has one of 64 bits as a string."""
    if isinstance(found, str) and re.fullmatch(r"-?[0-9]{1,20}", found):
        return int(found)
    if isinstance(found, float) and found.is_integer():
        return int(found)
    return found if isinstance(found, int) and not isinstance(found, bool) else None


def _number(found: object, *, packed: bool) -> int | float | None:
    if isinstance(found, bool) or not isinstance(found, int | float | str if packed else int | float):
        return None
    try:
        float(found)
    except (ValueError, OverflowError):
        return None
    return float(found) if isinstance(found, str) else found


def _bytes(found: object) -> bytes | None:
    """What is in base64, of either alphabet, padded or not: JSON of protobuf may be any of these."""
    if not isinstance(found, str):
        return None
    text = found.rstrip("=").translate({ord("-"): "+", ord("_"): "/"})
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except ValueError:
        return None


def _encodes(text: str) -> bool:
    """Whether it is free of lone surrogates, which JSON can escape and UTF-8 has no bytes for."""
    return not any("\ud800" <= char <= "\udfff" for char in text)


def _camel(field: str) -> str:
    first, *others = field.split("_")
    return first + "".join(map(str.title, others))
