"""Tensors of the open inference protocol, from Python values and from JSON."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

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


class TensorError(ValueError):
    """A tensor cannot be read or sent. The message says what was found, and what would be right."""


@dataclass(frozen=True, slots=True)
class Tensor:
    """One input of a model. `data`: the values, flat, in row-major order; strings for BYTES."""

    name: str
    datatype: str
    shape: Sequence[int]
    data: Sequence[Any]

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "Tensor":
        """From `{"name", "datatype", "shape", "data"}`, as REST has it, or with `contents`, as grpcurl.

        Raises TensorError.
        """
        if not isinstance(value, Mapping):
            found = type(value).__name__
            raise TensorError(f"found {found}, expected a mapping with name, datatype, shape and data")
        datatype = str(value.get("datatype", ""))
        if datatype not in CONTENTS:
            raise TensorError(f"datatype: found {datatype!r}, expected one of {', '.join(CONTENTS)}")
        data = value.get("data")
        if data is None and isinstance(contents := value.get("contents"), Mapping):
            data = contents.get(CONTENTS[datatype])
        if not isinstance(data, list):
            raise TensorError(f"data: expected a list, or contents with {CONTENTS[datatype]}")
        try:
            shape = tuple(int(size) for size in value["shape"])
        except (KeyError, TypeError, ValueError):
            raise TensorError("shape: expected a list of integers") from None
        return cls(str(value.get("name", "")), datatype, shape, tuple(_flat(data)))

    def as_json(self) -> dict[str, Any]:
        """As REST has it."""
        return {
            "name": self.name,
            "datatype": self.datatype,
            "shape": list(self.shape),
            "data": list(self.data),
        }

    def as_input(self) -> dict[str, Any]:
        """The arguments of an InferInputTensor. Raises TensorError for a datatype without contents."""
        if self.datatype not in CONTENTS:
            raise TensorError(f"{self.name}: datatype {self.datatype} cannot be sent as contents")
        values = [one.encode() if isinstance(one, str) else one for one in self.data]
        return {
            "name": self.name,
            "datatype": self.datatype,
            "shape": self.shape,
            "contents": {CONTENTS[self.datatype]: values},
        }


def _flat(data: Sequence[Any]) -> list[Any]:
    return [value for one in data for value in (_flat(one) if isinstance(one, list) else [one])]
