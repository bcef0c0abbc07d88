"""The pages of the documentation, and the fenced blocks in them.

Three things that a page says about a block count here. Its language. The line before it, where that
ends with a file's name as in "`policy.yaml`:". And a comment before it: `<!-- cluster -->` for commands
that need an API server, `<!-- cluster background -->` for one that runs until the page ends or a
`<!-- cluster stop -->` comes, where the reader ends it, `<!-- install -->` for one that installs turnout
itself, and `<!-- notebook -->` for a cell of a notebook, in Python, and for what it prints, as text.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
FENCE = "```"
COMMENT = re.compile(r"<!--(?P<marks>[a-z ]+)-->")
FILE = re.compile(r"`(?P<file>[^`]+)`:")


@dataclass(frozen=True)
class Block:
    """A fenced block. `line` is that of its first fence, `file` the name under which a reader saves it."""

    page: str
    line: int
    language: str
    text: str
    marks: frozenset[str] = frozenset()
    file: str | None = None

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


def blocks(page: str, text: str) -> Iterator[Block]:
    """The fenced blocks of a page, in their order. Raises ValueError for one that does not end."""
    lines = iter(enumerate(text.splitlines(), start=1))
    before, marks = "", frozenset[str]()
    for number, line in lines:
        if comment := COMMENT.fullmatch(line.strip()):
            marks = frozenset(comment["marks"].split())
        elif line.startswith(FENCE):
            file = FILE.search(before) if before.endswith("`:") else None
            body = "".join(f"{inside}\n" for inside in _until_fence(lines, f"{page}:{number}"))
            yield Block(page, number, line.removeprefix(FENCE), body, marks, file["file"] if file else None)
            before, marks = "", frozenset()
        elif line.strip():
            before = line.rstrip()


def names() -> list[str]:
    """Every page, by its path in the repository."""
    docs = (f"docs/{page.name}" for page in REPOSITORY.glob("docs/*.md"))
    return ["README.md", "CONTRIBUTING.md", *sorted(docs)]


def text(page: str) -> str:
    return (REPOSITORY / page).read_text(encoding="utf-8")


def read(page: str) -> list[Block]:
    """The blocks of one page."""
    return list(blocks(page, text(page)))


def every(*languages: str) -> list[object]:
    """All blocks in these languages, as parameters of a test that are named for their places."""
    found = [block for page in names() for block in read(page) if block.language in languages]
    return [pytest.param(block, id=str(block)) for block in found]


def _until_fence(lines: Iterator[tuple[int, str]], where: str) -> Iterator[str]:
    for _, line in lines:
        if line == FENCE:
            return
        yield line
    raise ValueError(f"{where}: the block does not end")
