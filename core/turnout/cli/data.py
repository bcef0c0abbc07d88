"""Data on stdout, for scripts."""

import json
from typing import IO, Any

import click


def dump(data: dict[str, Any], output: str, stream: IO[str] | None = None) -> None:
    """Print a document as `json` or `yaml`."""
    if output == "json":
        click.echo(json.dumps(data, indent=2, ensure_ascii=False), file=stream)
    else:
        import yaml

        click.echo(yaml.safe_dump(data, sort_keys=False, allow_unicode=True), file=stream, nl=False)


def piece(data: dict[str, Any], output: str, stream: IO[str]) -> None:
    """Print one of several documents: JSON on a line of its own, YAML behind `---`."""
    if output == "json":
        click.echo(json.dumps(data, ensure_ascii=False), file=stream)
    else:
        click.echo("---", file=stream)
        dump(data, output, stream)
