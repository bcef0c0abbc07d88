"""Reads the documents of files, folders and standard input, as `kubectl -f` does."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from turnout import yaml_input
from turnout.errors import Invalid, Problem
from turnout.validation import shown

SUFFIXES = frozenset({".yaml", ".yml", ".json"})
MISSING = "is neither a file nor a folder"


class Sourced(NamedTuple):
    """A document, and the file that it is from."""

    source: str
    content: Mapping[str, Any]

    @property
    def subject(self) -> str:
        """`wisdom.yaml: RoutingPolicy wisdom`, for messages."""
        metadata = self.content.get("metadata")
        name = metadata.get("name", "") if isinstance(metadata, Mapping) else ""
        return f"{self.source}: {self.content.get('kind', 'document')} {name}".rstrip()


def read(sources: Iterable[str]) -> list[Sourced]:
    """All documents of all sources; the items of lists each as one.

    A folder stands for the YAML and JSON files right in it. Raises Invalid for what cannot be read.
    """
    return [found for source in sources for file in _files(source) for found in _documents(file)]


def _files(source: str) -> Iterator[str]:
    path = Path(source)
    if source == yaml_input.STDIN or path.is_file():
        yield source
    elif path.is_dir():
        files = sorted(file for file in path.iterdir() if file.suffix in SUFFIXES and file.is_file())
        if not files:
            raise Invalid(source, [Problem("", f"has no {', '.join(sorted(SUFFIXES))} file")])
        yield from map(str, files)
    else:
        raise Invalid(source, [Problem("", MISSING)])


def _documents(file: str) -> Iterator[Sourced]:
    subject = yaml_input.subject(file)
    loaded = yaml_input.documents(yaml_input.read(file), subject)
    for document in loaded:
        if document is None:
            continue
        if not isinstance(document, Mapping):
            raise Invalid(subject, [Problem("", found=shown(document), expected="a Kubernetes object")])
        yield from _flat(subject, document)


def _flat(subject: str, document: Mapping[str, Any]) -> Iterator[Sourced]:
    items = document.get("items")
    if not str(document.get("kind", "")).endswith("List") or not isinstance(items, list):
        yield Sourced(subject, document)
        return
    for index, item in enumerate(items):
        if not isinstance(item, Mapping):
            raise Invalid(subject, [Problem(f"items[{index}]", found=shown(item), expected="an object")])
        yield from _flat(subject, item)
