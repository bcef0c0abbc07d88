"""Which calls a version gets: `spec.modelVersions[].match`, and what plugins are told of it."""

from collections.abc import Mapping
from typing import Annotated, Self

from pydantic import BeforeValidator, Field, model_validator

from turnout.api.fields import Document, HeaderNames, Method, Text, Token, UrlPath, without_nulls
from turnout.plugin import Match, MatchType
from turnout.validation import Expected, broken


class ValueMatch(Document):
    """How a value is compared."""

    exact: Text | None = None
    prefix: Text | None = None
    regex: Text | None = None

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if len(self.model_fields_set) != 1:
            raise broken("exactly one of exact, prefix and regex")
        return self

    def condition(self) -> tuple[MatchType, str]:
        """How, and with what."""
        if self.exact is not None:
            return "exact", self.exact
        return ("prefix", self.prefix) if self.prefix is not None else ("regex", self.regex or "")


class PathMatch(ValueMatch):
    """How the path of a URL is compared."""

    exact: UrlPath | None = None
    prefix: UrlPath | None = None


Values = Annotated[dict[Token, ValueMatch], Field(min_length=1, max_length=8), BeforeValidator(without_nulls)]


class CallMatch(Document):
    """A call matches when all that is said here does."""

    headers: Annotated[Values, HeaderNames] | None = None
    method: Method | None = None
    path: PathMatch | None = None
    query_params: Values | None = None

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not self.model_fields_set:
            raise broken("at least one of headers, method, path and queryParams")
        return self

    def to_match(self) -> Match:
        """The match as plugins see it.

        Conditions are in the order of their names, which is what the API server keeps, and header
        names in lower case: they have none, networks compare them so, and equal matches are equal.
        """
        return Match(
            headers=tuple(sorted((name.lower(), *how) for name, how in _conditions(self.headers))),
            query=tuple(sorted((name, *how) for name, how in _conditions(self.query_params))),
            path=self.path.condition() if self.path else None,
            method=self.method,
        )


CallMatches = Annotated[
    tuple[CallMatch, ...],
    Field(min_length=1, max_length=8, strict=False),
    Expected("a list of 1 to 8 matches"),
]


def _conditions(values: Mapping[str, ValueMatch] | None) -> list[tuple[str, tuple[MatchType, str]]]:
    return [(name, value.condition()) for name, value in (values or {}).items()]
