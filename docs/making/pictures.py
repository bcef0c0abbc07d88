"""Draws the pictures of the concepts: from docs/pictures/NAME.yaml docs/img/NAME.svg, for light and for dark.

A picture is boxes at places, arrows between their sides, and words:

    title, about    what it is, and what it shows in words, for those who do not see it
    size: [W, H]
    boxes:   {name: {at: [X, Y], size: [W, H], look: LOOK, text: [its name, small line, ...]}}
    arrows:  [{from: box.side, to: box.side, label: words, look: LOOK}]
    words:   [{at: [X, Y], text: words, look: LOOK}]

A side is left, right, top or bottom, and `left:0.2` a place along it, from its top; without one the middle.
An arrow runs straight, or around one corner or two.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from html import escape
from itertools import pairwise
from math import dist
from pathlib import Path
from typing import Any

import yaml

FOLDER = Path(__file__).resolve().parents[1]
NOTE = "<!-- Written by docs/generate.py from docs/pictures/{name}.yaml; do not edit. -->"
XMLNS = 'xmlns="http://www.w3.org/2000/svg"'
LOOKS = {
    "box": ("#f6f8fa", "#818b98", "#151b23", "#656c76"),
    "core": ("#ddf4ff", "#0969da", "#0c2d4d", "#4493f8"),
    "mark": ("#ddf4ff", "#0969da", "#0c2d4d", "#4493f8"),
    "plugin": ("#ffffff", "#0969da", "#0d1117", "#4493f8"),
    "good": ("#dafbe1", "#1a7f37", "#12261e", "#3fb950"),
    "wait": ("#fff8c5", "#9a6700", "#272115", "#d29922"),
    "gone": ("none", "#818b98", "none", "#656c76"),
}
"""Fill and stroke of boxes, in light and in dark. A `core` is around others, with its name in its corner."""
LINES = {
    "way": ("#59636e", "#9198a1"),
    "write": ("#0969da", "#4493f8"),
    "quiet": ("#818b98", "#656c76"),
}
"""Colors of arrows, in light and in dark."""
NAME, SMALL = 15, 13
WIDE = {NAME: 0.57, SMALL: 0.52}
"""How wide a character of a size is, on the average and for its size, in the fonts that readers have."""
MARGIN = 12
CROOKED = 3
"""Ends that are closer than this are meant to be on one line."""
HEAD = 9
SIDES = {"left": (0.0, None), "right": (1.0, None), "top": (None, 0.0), "bottom": (None, 1.0)}


class Misdrawn(ValueError):  # noqa: N818 - reads as what happened
    """A picture that cannot be drawn as it is described."""


@dataclass(frozen=True)
class Box:
    x: float
    y: float
    width: float
    height: float
    look: str
    lines: tuple[str, ...]

    def side(self, said: str) -> tuple[float, float]:
        """The place on a side, as `left` or `left:0.2`."""
        name, _, along = said.partition(":")
        if name not in SIDES:
            raise Misdrawn(f"{said}: a side is one of {', '.join(SIDES)}")
        right, down = SIDES[name]
        part = float(along or 0.5)
        return (
            self.x + self.width * (part if right is None else right),
            self.y + self.height * (part if down is None else down),
        )


def draw(name: str, text: str) -> str:
    """A picture's SVG from its source. Raises Misdrawn."""
    picture = yaml.safe_load(text)
    boxes = {key: _box(key, said) for key, said in picture["boxes"].items()}
    width, height = picture["size"]
    lines = [
        f'<svg {XMLNS} width="{width}" height="{height}" viewBox="0 0 {width} {height}" role="img">',
        f"  {NOTE.format(name=name)}",
        f"  <title>{escape(picture['title'])}</title>",
        f"  <desc>{escape(' '.join(picture['about'].split()))}</desc>",
        *_style(),
    ]
    for key, box in boxes.items():
        if box.x < 0 or box.y < 0 or box.x + box.width > width or box.y + box.height > height:
            raise Misdrawn(f"boxes.{key} reaches out of the picture")
        lines += _drawn(box)
    for arrow in picture.get("arrows", ()):
        lines += _arrow(arrow, boxes)
    for words in picture.get("words", ()):
        x, y = words["at"]
        lines.append(_text(x, y, words["text"], words.get("look", "small"), words.get("anchor", "start")))
    return "\n".join([*lines, "</svg>", ""])


def drawn() -> dict[str, str]:
    """All pictures, by their files in docs/."""
    sources = sorted(FOLDER.glob("pictures/*.yaml"))
    return {f"img/{one.stem}.svg": draw(one.stem, one.read_text(encoding="utf-8")) for one in sources}


def _box(key: str, said: Mapping[str, Any]) -> Box:
    look = said.get("look", "box")
    if look not in LOOKS:
        raise Misdrawn(f"boxes.{key}.look: {look} is none of {', '.join(LOOKS)}")
    lines = tuple(said.get("text", ()))
    (x, y), (width, height) = said["at"], said["size"]
    box = Box(x, y, width, height, look, lines)
    for number, line in enumerate(lines):
        size = SMALL if number else NAME
        wide = len(line) * size * WIDE[size] + MARGIN
        if wide > box.width:
            raise Misdrawn(f"boxes.{key}: “{line}” needs a width of {wide:.0f}, and has {box.width}")
    return box


def _drawn(box: Box) -> Iterator[str]:
    yield (
        f'  <rect class="{box.look}" x="{box.x:g}" y="{box.y:g}"'
        f' width="{box.width:g}" height="{box.height:g}" rx="7"/>'
    )
    top = box.look == "core"
    heights = [0, *(19 for _ in box.lines[1:])]
    y = box.y + 24 if top else box.y + (box.height - sum(heights)) / 2 + NAME * 0.35
    for number, line in enumerate(box.lines):
        y += heights[number]
        x = box.x + (MARGIN + 2 if top else box.width / 2)
        yield _text(x, y, line, "small" if number else "name", "start" if top else "middle")


def _arrow(arrow: Mapping[str, Any], boxes: Mapping[str, Box]) -> Iterator[str]:
    look = arrow.get("look", "way")
    if look not in LINES:
        raise Misdrawn(f"arrows: the look {look} is none of {', '.join(LINES)}")
    places = []
    for end in (arrow["from"], arrow["to"]):
        key, _, side = end.partition(".")
        if key not in boxes:
            raise Misdrawn(f"arrows: there is no box {key}")
        places.append((boxes[key].side(side), side.partition(":")[0]))
    path = _path(*places[0], *places[1])
    points = " ".join(f"{'L' if number else 'M'}{x:g} {y:g}" for number, (x, y) in enumerate(path))
    yield f'  <path class="line {look}" d="{points}" marker-end="url(#{look})"/>'
    if label := arrow.get("label"):
        yield _label(path, label)


def _path(
    start: tuple[float, float], leaves: str, end: tuple[float, float], enters: str
) -> list[tuple[float, float]]:
    """The corners of an arrow: straight, or with corners where it has to turn."""
    across = ("left", "right")
    (x1, y1), (x2, y2) = start, end
    if leaves in across and enters in across and abs(y1 - y2) < CROOKED:
        return [start, (x2, y1)]
    if leaves not in across and enters not in across and abs(x1 - x2) < CROOKED:
        return [start, (x1, y2)]
    if leaves in across and enters in across:
        middle = (x1 + x2) / 2
        return [start, (middle, y1), (middle, y2), end]
    if leaves not in across and enters not in across:
        middle = (y1 + y2) / 2
        return [start, (x1, middle), (x2, middle), end]
    return [start, (x2, y1) if leaves in across else (x1, y2), end]


def _label(path: list[tuple[float, float]], label: str) -> str:
    """Words at the longest part of an arrow: above it, or on its right."""
    (x1, y1), (x2, y2) = max(pairwise(path), key=lambda ends: dist(*ends))
    if y1 == y2:
        return _text((x1 + x2) / 2, y1 - 7, label, "small", "middle")
    return _text(x1 + 8, (y1 + y2) / 2 + 4, label, "small", "start")


def _text(x: float, y: float, text: str, look: str, anchor: str) -> str:
    return f'  <text class="{look}" x="{x:g}" y="{y:g}" text-anchor="{anchor}">{escape(str(text))}</text>'


def _style() -> Iterator[str]:
    yield "  <style>"
    yield '    text { font-family: system-ui, -apple-system, "Segoe UI", Helvetica, Arial, sans-serif; }'
    yield f"    .name {{ font-size: {NAME}px; font-weight: 600; fill: #1f2328; }}"
    yield f"    .small {{ font-size: {SMALL}px; fill: #59636e; }}"
    yield "    rect { stroke-width: 1.4; } .gone { stroke-dasharray: 5 4; }"
    yield "    .line { fill: none; stroke-width: 1.8; } .quiet { stroke-dasharray: 5 4; }"
    yield from _colors(0)
    yield "    @media (prefers-color-scheme: dark) {"
    yield "      .name { fill: #f0f6fc; } .small { fill: #9198a1; }"
    yield from (f"  {line}" for line in _colors(1))
    yield "    }"
    yield "  </style>"
    yield "  <defs>"
    for look in LINES:
        yield (
            f'    <marker id="{look}" viewBox="0 0 10 10" refX="9" refY="5" markerUnits="userSpaceOnUse"'
            f' markerWidth="{HEAD}" markerHeight="{HEAD}" orient="auto">'
            f'<path class="{look}-head" d="M0 0 L10 5 L0 10 z"/></marker>'
        )
    yield "  </defs>"


def _colors(dark: int) -> Iterator[str]:
    for look, colors in LOOKS.items():
        fill, stroke = colors[2 * dark : 2 * dark + 2]
        yield f"    rect.{look} {{ fill: {fill}; stroke: {stroke}; }}"
    for look, shades in LINES.items():
        yield f"    .line.{look} {{ stroke: {shades[dark]}; }} .{look}-head {{ fill: {shades[dark]}; }}"
