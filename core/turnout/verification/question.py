"""What is asked, and who answered. Pure."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import quote

from turnout.inference.protocol import MODEL_INFER
from turnout.inference.tensors import Tensor

MODELMESH = re.compile(r"(?P<service>.+)__[a-z]+-[0-9a-f]+")
"""How ModelMesh names a model in its answers: the service, where it is from, a digest of its spec."""


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked, and where. `header`: the response header that names the version; empty for the model.

    `named`: versions by what that header says of them, where it does not say their names.
    `address`: host:port. `authority`: the host that is asked for. `tls`: True for the system's authorities,
    or theirs in PEM. `metadata`: request headers. `timeout`: seconds for a call.
    """

    address: str
    authority: str
    model: str
    tensors: Sequence[Tensor] = ()
    metadata: Sequence[tuple[str, str]] = ()
    header: str = ""
    named: Mapping[str, str] = field(default_factory=dict)
    tls: bool | bytes = False
    timeout: float = 5.0

    def version(self, model: str, headers: Mapping[str, str]) -> str:
        """The version that answered, by the model's name in an answer and its headers (lower case)."""
        if not self.header:
            return version_of(model)
        told = headers.get(self.header.lower(), "")
        return self.named.get(told, told)


def version_of(model: str) -> str:
    """The version that a model's name in an answer stands for."""
    found = MODELMESH.fullmatch(model)
    return found["service"] if found else model


def infer_path(model: str, *, over_http: bool) -> str:
    """The path of a call's URL."""
    return f"/v2/models/{quote(model, safe='')}/infer" if over_http else MODEL_INFER.path
