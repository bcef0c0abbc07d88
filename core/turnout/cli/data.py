"""Data on stdout, for scripts.

It is UTF-8 as it is; where it holds what a terminal would not print as characters, or the stream cannot
encode, all of it is escaped: then it is the same data in ASCII.
"""

import json
import sys
from typing import IO, Any

import click


def dump(data: dict[str, Any], output: str, stream: IO[str] | None = None) -> None:
    """Print a document as `json` or `yaml`."""
    if output == "json":
        click.echo(as_json(data, stream, indent=2), file=stream)
    else:
        import yaml

        plain = _fits(json.dumps(data, ensure_ascii=False), stream)
        click.echo(yaml.safe_dump(data, sort_keys=False, allow_unicode=plain), file=stream, nl=False)


def piece(data: dict[str, Any], output: str, stream: IO[str]) -> None:
    """Print one of several documents: JSON on a line of its own, YAML behind `---`."""
    if output == "json":
        click.echo(as_json(data, stream), file=stream)
    else:
        click.echo("---", file=stream)
        dump(data, output, stream)


def as_json(data: dict[str, Any], stream: IO[str] | None = None, *, indent: int | None = None) -> str:
    """JSON for a stream, by default stdout."""
    text = json.dumps(data, indent=indent, ensure_ascii=False)
    return text if _fits(text, stream) else json.dumps(data, indent=indent)


def _fits(text: str, stream: IO[str] | None) -> bool:
    if not text.replace("\n", "").isprintable():
        return False
    try:
        text.encode(getattr(stream or sys.stdout, "encoding", None) or "utf-8")
    except (LookupError, UnicodeEncodeError):
        return False
    return True
