"""The types that the documents' fields have.

They are as strict as the API server: "50" is no number, while 50.0 is an integer, as it is in JSON;
a null is as good as nothing; an unknown field is refused.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator
from pydantic.alias_generators import to_camel

from turnout.validation import Expected, broken, shown

LABEL = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"
SUBDOMAIN = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$"
TOKEN = r"^[A-Za-z0-9!#$%&'*+.^_`|~-]+$"  # noqa: S105 - RFC 9110's word for what a header's name is

ItemT = TypeVar("ItemT")


class Document(BaseModel):
    """A part of a document: keys in camelCase, none but those that are declared."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        strict=True,
        alias_generator=to_camel,
        validate_by_alias=True,
        validate_by_name=False,
        serialize_by_alias=True,
    )

    @model_validator(mode="before")
    @classmethod
    def _without_nulls(cls, data: Any) -> Any:
        """The API server drops the nulls of fields that it knows."""
        if not isinstance(data, Mapping):
            return data
        known = {field.validation_alias for field in cls.model_fields.values()}
        return {key: value for key, value in data.items() if value is not None or key not in known}


def without_nulls(data: Any) -> Any:
    """A map without the keys whose value is null, as the API server takes it."""
    if not isinstance(data, Mapping):
        return data
    return {key: value for key, value in data.items() if value is not None}


def _null_as_empty(data: Any) -> Any:
    """In labels and annotations the API server takes a null for an empty text."""
    if not isinstance(data, Mapping):
        return data
    return {key: "" if value is None else value for key, value in data.items()}


def _integral(value: Any) -> Any:
    """JSON has one kind of number: 50.0 is the integer 50, in a file as for the API server."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _distinct(values: tuple[str, ...]) -> tuple[str, ...]:
    for index, value in enumerate(values):
        if value in values[:index]:
            raise broken("every item once", index, found=value)
    return values


def _distinct_in_lower_case(named: dict[str, ItemT]) -> dict[str, ItemT]:
    seen: dict[str, str] = {}
    for name in named:
        other = seen.setdefault(name.lower(), name)
        if other != name:
            raise broken(f"names that differ from {shown(other)} in more than case", found=name)
    return named


def is_label(name: str) -> bool:
    """Whether a name that is a DNS subdomain of at most 63 characters is a DNS label too."""
    return "." not in name


DnsLabel = Annotated[
    str,
    Field(min_length=1, max_length=63, pattern=LABEL),
    Expected("a DNS label: at most 63 lower-case letters, digits and -"),
]
PolicyName = Annotated[
    str,
    Field(min_length=1, max_length=63, pattern=SUBDOMAIN),
    Expected("a DNS name: at most 63 lower-case letters, digits, - and ."),
]
HostName = Annotated[
    str,
    Field(min_length=1, max_length=253, pattern=SUBDOMAIN),
    Expected("a DNS name: at most 253 lower-case letters, digits, - and ."),
]
HostNames = Annotated[
    tuple[HostName, ...],
    Field(max_length=16, strict=False),
    AfterValidator(_distinct),
    Expected("a list of at most 16 DNS names"),
]
Weight = Annotated[int, Field(ge=0, le=1_000_000), BeforeValidator(_integral)]
Percentage = Annotated[float, Field(ge=0, le=100, allow_inf_nan=False), Expected("a number 0..100")]
Text = Annotated[str, Field(min_length=1, max_length=1024)]
UrlPath = Annotated[
    str,
    Field(max_length=1024, pattern="^/[^?#]*$"),
    Expected(
        "a path of at most 1024 characters that begins with /, without ? and #: a query is queryParams'"
    ),
]
Method = Literal["GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"]
Texts = Annotated[dict[str, str], BeforeValidator(_null_as_empty)]
Token = Annotated[
    str,
    Field(min_length=1, max_length=128, pattern=TOKEN),
    Expected("1 to 128 letters, digits and characters of !#$%&'*+-.^_`|~"),
]
HeaderNames = AfterValidator(_distinct_in_lower_case)
Options = Annotated[
    dict[DnsLabel, dict[str, Any]],
    Field(max_length=16),
    BeforeValidator(without_nulls),
]
"""Options by plugin name. What is inside is the plugin's to check, nulls included."""
Weights = Annotated[
    dict[DnsLabel, Weight],
    Field(min_length=1, max_length=16),
    BeforeValidator(without_nulls),
    Expected("weights by version name, for 1 to 16 versions"),
]
