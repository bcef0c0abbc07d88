"""Pictures of what commands print, from real runs: of each line of docs/terminals.yaml one in docs/img.

A picture is written anew only where more than times has changed in it.
"""

import fcntl
import os
import pty
import re
import shutil
import struct
import subprocess
import sys
import termios
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from html import escape
from math import ceil
from pathlib import Path
from tempfile import TemporaryDirectory
from xml.etree import ElementTree

import yaml
from docs.making.pictures import XMLNS
from docs.making.served import served

FOLDER = Path(__file__).resolve().parents[1]
TUTORIAL = FOLDER.parent / "core" / "turnout" / "demo" / "tutorial"
PREPARE = "turnout template -f 2-initialize-values.yaml > policy.yaml"
COLUMNS = 128
SECONDS = 60
CUT = "…"
SGR = re.compile(r"\x1b\[([0-9;]*)m")
"""How a terminal is told of colors and weights."""
NOTE = "<!-- Written by docs/generate.py from docs/terminals.yaml; do not edit. -->"
CHANGING = re.compile(r"\d+(\.\d+)? ?(ms|s|m|h|d)\b")
"""How long something took, or how old it is."""
COLORS = {31: "#ff7b72", 32: "#3fb950", 33: "#d29922", 34: "#58a6ff", 35: "#bc8cff", 36: "#39c5cf"}
TEXT, BOX = "#e6edf3", 'fill="#0d1117" stroke="#3d444d"'
WIDTH, HEIGHT, SIZE, MARGIN = 7.8, 18, 13, 14
"""Of a character in pixels, of a line, of the font, and around the text."""
NBSP = "\xa0"
"""Browsers make one of several blanks otherwise."""
FONT = "ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace"


@dataclass(frozen=True)
class Scene:
    """A command, and how many rows of it are shown at most."""

    name: str
    run: str
    rows: int

    @property
    def file(self) -> str:
        return f"img/terminal-{self.name}.svg"


def scenes() -> list[Scene]:
    said = yaml.safe_load((FOLDER / "terminals.yaml").read_text(encoding="utf-8"))
    return [
        Scene(name, one["run"], one["rows"]) if isinstance(one, dict) else Scene(name, one, 100)
        for name, one in said.items()
    ]


def record() -> Iterator[tuple[Scene, str]]:
    """Run all, in their order; what each prints on a terminal. Raises RuntimeError where one fails."""
    with TemporaryDirectory() as made:
        folder = Path(made, "tutorial")
        shutil.copytree(TUTORIAL, folder)
        kubeconfig = Path(made, "kubeconfig")
        programs = os.pathsep.join([str(Path(sys.executable).parent), os.defpath])
        env = {"PATH": programs, "HOME": made, "LANG": "C.UTF-8", "TERM": "xterm-256color"}
        with served(kubeconfig):
            env["KUBECONFIG"] = str(kubeconfig)
            printed_by(PREPARE, folder, env)
            for scene in scenes():
                yield scene, _cut(printed_by(scene.run, folder, env), scene.rows)


def draw(scene: Scene, printed: str) -> str:
    """The picture of a terminal in which a command was given and has printed something, with its colors."""
    lines = [f"\x1b[32;1m$ \x1b[0m\x1b[1m{scene.run}\x1b[0m", *printed.splitlines()]
    columns = max(len(SGR.sub("", line)) for line in lines)
    width, height = ceil(columns * WIDTH) + 2 * MARGIN, len(lines) * HEIGHT + 2 * MARGIN
    return "\n".join(
        [
            f'<svg {XMLNS} width="{width}" height="{height}" viewBox="0 0 {width} {height}" role="img">',
            f"  {NOTE}",
            f"  <title>{escape(scene.run)}</title>",
            f'  <rect x="0.5" y="0.5" width="{width - 1}" height="{height - 1}" rx="8" {BOX}/>',
            f'  <g font-family="{FONT}" font-size="{SIZE}">',
            *_texts("\n".join(lines)),
            "  </g>",
            "</svg>",
            "",
        ]
    )


def _texts(printed: str) -> Iterator[str]:
    """What is printed in one look, each where a terminal has it, whatever the font."""
    row, column, codes = 0, 0, set[int]()
    for number, part in enumerate(SGR.split(printed)):
        if number % 2:
            given = {int(code or 0) for code in part.split(";")}
            codes = given - {0} if 0 in given else codes | given
            continue
        for place, line in enumerate(part.split("\n")):
            row, column = (row + 1, 0) if place else (row, column)
            if text := line.strip(" "):
                yield _text(text, row, column + len(line) - len(line.lstrip(" ")), codes)
            column += len(line)


def _text(text: str, row: int, column: int, codes: Collection[int]) -> str:
    color = next((color for code, color in COLORS.items() if code in codes), TEXT)
    look = f' fill="{color}"' + (' font-weight="bold"' if 1 in codes else "")
    look += ' opacity="0.6"' if 2 in codes else ""
    x, y = MARGIN + column * WIDTH, MARGIN + HEIGHT * (row + 0.75)
    length = f'textLength="{len(text) * WIDTH:.1f}" lengthAdjust="spacingAndGlyphs"'
    return f'    <text x="{x:.1f}" y="{y:.1f}" {length}{look}>{escape(text.replace(" ", NBSP))}</text>'


def shown(svg: str) -> str:
    """The text that a picture shows, line by line."""
    lines: dict[float, str] = {}
    for text in ElementTree.fromstring(svg).iter("{http://www.w3.org/2000/svg}text"):
        y, column = float(text.attrib["y"]), round((float(text.attrib["x"]) - MARGIN) / WIDTH)
        lines[y] = lines.get(y, "").ljust(column) + (text.text or "")
    return "\n".join(lines[y].replace(NBSP, " ") for y in sorted(lines))


def elided(text: str) -> str:
    """A text without what differs from one run to the next: times, and what is waited for meanwhile."""
    lines = (CHANGING.sub(CUT, SGR.sub("", line)).split() for line in text.splitlines())
    return "\n".join(" ".join(words) for words in lines if words and words[0] != "Waiting:")


def write(scene: Scene, printed: str, folder: Path = FOLDER) -> None:
    """Write a picture, unless the one that is there shows the same."""
    file = folder / scene.file
    svg = draw(scene, printed)
    if not file.exists() or elided(shown(file.read_text(encoding="utf-8"))) != elided(shown(svg)):
        file.write_text(svg, encoding="utf-8")


def printed_by(command: str, folder: Path, env: Mapping[str, str]) -> str:
    """What a command prints on a terminal."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, COLUMNS, 0, 0))
    with subprocess.Popen(
        ["bash", "-c", command],
        cwd=folder,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    ) as process:
        os.close(theirs)
        with os.fdopen(ours, "rb") as terminal:
            printed = b"".join(_read(terminal.fileno()))
        status = process.wait(SECONDS)
    text = printed.decode().replace("\r\n", "\n").strip("\n")
    if status:
        raise RuntimeError(f"`{command}` ended with {status}: {text}")
    return text


def _read(terminal: int) -> Iterator[bytes]:
    """All that is printed. A terminal whose programs have ended answers with an error."""
    try:
        while chunk := os.read(terminal, 65536):
            yield chunk
    except OSError:
        return


def _cut(text: str, rows: int) -> str:
    lines = text.splitlines()
    return text if len(lines) <= rows else "\n".join([*lines[:rows], CUT])
