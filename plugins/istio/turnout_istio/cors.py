"""Which pages of other origins may call a model from a browser."""

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, TypeAdapter, model_validator
from pydantic_core import SchemaError

from turnout.plugin import Options
from turnout.plugin.regex import regex_fault
from turnout_istio.durations import Seconds

Method = Literal["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "CONNECT", "OPTIONS", "TRACE", "*"]
Name = Annotated[str, Field(pattern=r"^(\*|[-A-Za-z0-9_.]+)$", max_length=128)]
"""A header's, or all of them."""
Text = Annotated[str, Field(min_length=1, max_length=1024)]


def _re2(pattern: str) -> str:
    """pydantic's own engine finds what else is wrong than what RE2 has not."""
    if fault := regex_fault(pattern):
        raise ValueError(fault.partition(", ")[2])
    try:
        TypeAdapter(Annotated[str, Field(pattern=pattern)])
    except SchemaError:
        raise ValueError("expected a regular expression in RE2 syntax") from None
    return pattern


class Origin(Options):
    """Istio's StringMatch. Exactly one of its fields."""

    exact: Text | None = None
    """The whole origin, such as https://example.com."""

    prefix: Text | None = None
    """How it begins."""

    regex: Annotated[Text, AfterValidator(_re2)] | None = None
    """An expression for the whole of it."""

    @model_validator(mode="after")
    def _one(self) -> Self:
        if [self.exact, self.prefix, self.regex].count(None) != 2:
            raise ValueError("expected one of exact, prefix and regex")
        return self


class CorsPolicy(Options):
    """Istio's CorsPolicy."""

    allow_origins: tuple[Origin, ...] = Field(min_length=1)
    """The origins that may call."""

    allow_methods: tuple[Method, ...] = ()
    """Access-Control-Allow-Methods."""

    allow_headers: tuple[Name, ...] = ()
    """Access-Control-Allow-Headers."""

    expose_headers: tuple[Name, ...] = ()
    """Access-Control-Expose-Headers."""

    max_age: Seconds | None = None
    """Access-Control-Max-Age, in whole seconds."""

    allow_credentials: bool | None = None
    """Access-Control-Allow-Credentials."""
