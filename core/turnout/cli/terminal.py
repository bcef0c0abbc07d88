"""Lines on a terminal: in colours where there are any, and in place of those that were there before."""

import os
import shutil
from collections.abc import Mapping, Sequence
from typing import IO, Any

import click

from turnout.cli.status_text import BAD, GOOD, OPEN, QUIET, SHARE, Cell, Line

STYLES: Mapping[str, dict[str, Any]] = {
    GOOD: {"fg": "green"},
    BAD: {"fg": "red"},
    OPEN: {"fg": "yellow"},
    QUIET: {"dim": True},
    SHARE: {"fg": "cyan"},
    "": {},
}

UP, CLEAR_LINE, CLEAR_BELOW, CLEAR_ALL = "\x1b[{}A", "\x1b[K", "\x1b[J", "\x1b[H\x1b[2J"
CUT, WRAP = "\x1b[?7l", "\x1b[?7h"
"""What the terminal does with a line that is too long: some characters are as wide as two."""


def coloured(stream: IO[str], environ: Mapping[str, str] = os.environ) -> bool:
    """Whether colours are wanted: only on a terminal, and not with NO_COLOR set, as no-color.org has it."""
    return moves(stream, environ) and not environ.get("NO_COLOR")


def moves(stream: IO[str], environ: Mapping[str, str] = os.environ) -> bool:
    """Whether lines there can be written over."""
    return stream.isatty() and environ.get("TERM") != "dumb"


def painted(line: Line, *, colours: bool, width: int | None = None, blocks: bool = True) -> str:
    """One line, of at most so many characters. `blocks`: whether the terminal can show those of bars."""
    left = sum(len(cell.text) for cell in line) if width is None else width
    text = ""
    for cell in _trimmed(line):
        piece = cell.text[:left]
        left -= len(piece)
        piece = piece if blocks else piece.replace("█", "#").replace("░", ".")
        text += click.style(piece, **STYLES[cell.style]) if colours and cell.style else piece
    return text


def encodes_blocks(stream: IO[str]) -> bool:
    """Whether the characters of bars can be written there."""
    try:
        "█░".encode(getattr(stream, "encoding", None) or "ascii")
    except (LookupError, UnicodeEncodeError):
        return False
    return True


class Screen:
    """A terminal of which the last lines are ours. One write for each frame, so that nothing flickers."""

    def __init__(self, stream: IO[str], *, colours: bool) -> None:
        self._stream = stream
        self._colours = colours
        self._blocks = encodes_blocks(stream)
        self._height = 0
        self._size: os.terminal_size | None = None

    def show(self, lines: Sequence[Line]) -> None:
        """Show these lines in place of those shown last, cut to the terminal's size."""
        size = shutil.get_terminal_size()
        kept = list(lines[: max(1, size.lines - 1)])
        if hidden := len(lines) - len(kept):
            kept[-1] = (Cell(f"{hidden + 1} more lines", QUIET),)
        rows = [
            painted(line, colours=self._colours, width=size.columns - 1, blocks=self._blocks) + CLEAR_LINE
            for line in kept
        ]
        up = UP.format(self._height) if self._height else ""
        if self._size not in (None, size):  # where lines are now, terminals decide each in their own way
            up = CLEAR_ALL
        self._size = size
        self._stream.write("".join((up, CUT, *(f"{row}\n" for row in rows), WRAP, CLEAR_BELOW)))
        self._stream.flush()
        self._height = len(rows)


def _trimmed(line: Line) -> Line:
    """Without the spaces at its end."""
    found = list(line)
    while found and not found[-1].text.strip():
        found.pop()
    if found:
        last = found[-1]
        found[-1] = Cell(last.text.rstrip(), last.style)
    return tuple(found)
