"""The values of options that are secrets, which nothing that others read may hold."""

from collections.abc import Iterator, Mapping

from pydantic import BaseModel, SecretBytes, SecretStr


def secrets_in(value: object) -> Iterator[str]:
    """The secrets in options, wherever they are."""
    if isinstance(value, SecretStr):
        yield from filter(None, (value.get_secret_value(),))
    elif isinstance(value, SecretBytes):
        yield from filter(None, (value.get_secret_value().decode(errors="replace"),))
    elif isinstance(value, BaseModel):
        yield from secrets_in(dict(value))
    elif isinstance(value, Mapping):
        yield from (secret for one in value.values() for secret in secrets_in(one))
    elif isinstance(value, list | tuple | set | frozenset):
        yield from (secret for one in value for secret in secrets_in(one))
