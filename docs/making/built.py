"""Looks at the site that `mkdocs build` has made: `python docs/making/built.py FOLDER`.

A reader's browser asks no other host for anything: no font, script, style or picture. Links that a reader may
follow lead wherever they lead. Every picture tells in words what it shows.
"""

import re
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

LOADS = {"src", "srcset", "data", "poster", "background", "action"}
"""Attributes by which an element is loaded, whatever it is; `href` does so in <link>, <image> and <use>."""
LOADING = {"link", "image", "use"}
HARMLESS = {"canonical", "next", "prev", "edit"}
"""Values of <link rel> by which nothing is loaded."""
ELSEWHERE = re.compile(r"(?:https?:)?//", re.IGNORECASE)
STYLE = re.compile(r"""(?:url\(\s*["']?|@import\s+["'])(?P<url>(?:https?:)?//[^"')]*)""", re.IGNORECASE)
TRIGGERS = {"mermaid": "class", "source": "data-md-component"}
"""What the theme's script looks for to load something: a diagram's program, a repository's stars."""


class Page(HTMLParser):
    """Collects what is wrong with a page."""

    def __init__(self) -> None:
        super().__init__()
        self.faults: list[str] = []
        self._in_style = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self._in_style = tag == "style"
        for name, value in given.items():
            loads = name in LOADS or (name.endswith("href") and tag in LOADING)
            if loads and ELSEWHERE.match(value) and given.get("rel") not in HARMLESS:
                self.faults.append(f"<{tag} {name}> is loaded from {value}")
            if name == "style":
                self._style(value)
        if tag == "img" and not given.get("alt", "").strip():
            self.faults.append(f"the picture {given.get('src')} has no text in its place")
        for word, name in TRIGGERS.items():
            if word in given.get(name, "").split():
                self.faults.append(f'<{tag} {name}="{given[name]}"> has the theme load something')

    def handle_data(self, data: str) -> None:
        if self._in_style:
            self._style(data)

    def handle_endtag(self, tag: str) -> None:
        self._in_style = False

    def _style(self, text: str) -> None:
        self.faults.extend(f"a style is loaded from {found}" for found in STYLE.findall(text))


def faults(folder: Path) -> Iterator[str]:
    """What is wrong with a built site, each with its file."""
    pages = sorted(folder.rglob("*.html"))
    if not pages:
        yield f"{folder}: there is no page"
    for file in pages:
        page = Page()
        page.feed(file.read_text(encoding="utf-8"))
        yield from (f"{file.relative_to(folder)}: {fault}" for fault in page.faults)
    for file in sorted([*folder.rglob("*.css"), *folder.rglob("*.svg")]):
        for url in STYLE.findall(file.read_text(encoding="utf-8")):
            yield f"{file.relative_to(folder)}: a style is loaded from {url}"


if __name__ == "__main__":
    found = list(faults(Path(sys.argv[1])))
    sys.exit("\n".join(found) or None)
