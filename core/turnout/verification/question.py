"""What is asked, and who answered. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import quote

from turnout.inference.protocol import MODEL_INFER
from turnout.inference.tensors import Tensor


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
        """Who answered: by the headers of an answer (lower case), or by the model's name in it."""
        if not self.header:
            return model
        told = headers.get(self.header.lower(), "")
        return self.named.get(told, told)


def infer_path(model: str, *, over_http: bool) -> str:
    """The path of a call's URL."""
    return f"/v2/models/{quote(model, safe='')}/infer" if over_http else MODEL_INFER.path
