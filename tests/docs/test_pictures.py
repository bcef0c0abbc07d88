"""Pictures are drawn from their sources as these say, or not at all, and each is on a page."""

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest
import yaml
from docs.making import pictures

from tests.docs import pages

SOURCES = sorted(pictures.FOLDER.glob("pictures/*.yaml"))
SVG = "{http://www.w3.org/2000/svg}"
TWO = """
title: Two
about: One leads to the other.
size: [200, 100]
boxes:
  one: {at: [0, 0], size: [80, 40], text: [one, small]}
  two: {at: [120, 60], size: [80, 40], look: good}
arrows:
  - {from: one.right, to: two.left, label: a & b}
"""


def test_a_picture_has_its_boxes_its_arrows_and_its_words() -> None:
    root = ElementTree.fromstring(pictures.draw("two", TWO))
    assert [box.attrib["class"] for box in root.iter(f"{SVG}rect")] == ["box", "good"]
    (arrow,) = (path for path in root.iter(f"{SVG}path") if "marker-end" in path.attrib)
    assert arrow.attrib["d"] == "M80 20 L100 20 L100 80 L120 80"
    assert [text.text for text in root.iter(f"{SVG}text")] == ["one", "small", "a & b"]
    assert [root.findtext(f"{SVG}{name}") for name in ("title", "desc")] == ["Two", "One leads to the other."]


@pytest.mark.parametrize(
    ("ends", "path"),
    [
        pytest.param("one.bottom, to: two.left", "M40 40 L40 80 L120 80", id="one-corner"),
        pytest.param("one.right, to: two.top", "M80 20 L160 20 L160 60", id="one-corner-the-other-way"),
        pytest.param("one.bottom, to: two.top", "M40 40 L40 50 L160 50 L160 60", id="two-corners"),
        pytest.param("'one.right:0.95', to: 'two.left:-0.5'", "M80 38 L120 38", id="nearly-straight"),
    ],
)
def test_an_arrow_runs_around_corners(ends: str, path: str) -> None:
    drawn = pictures.draw("two", TWO.replace("one.right, to: two.left", ends))
    assert f'd="{path}"' in drawn


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (("small", "much too long for this"), "boxes.one: “much too long for this” needs a width of"),
        (("[120, 60]", "[130, 60]"), "boxes.two reaches out of the picture"),
        (("look: good", "look: fine"), "boxes.two.look: fine is none of box, core,"),
        (("to: two", "to: three"), "there is no box three"),
        (("one.right", "one.up"), "up: a side is one of left, right, top, bottom"),
        (("label: a & b", "look: red"), "the look red is none of way,"),
    ],
)
def test_a_picture_that_cannot_be_drawn_is_an_error(change: tuple[str, str], complaint: str) -> None:
    with pytest.raises(pictures.Misdrawn, match=re.escape(complaint)):
        pictures.draw("two", TWO.replace(*change))


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.stem)
def test_every_picture_is_on_a_page(source: Path) -> None:
    link = f"](img/{source.stem}.svg)"
    assert [page for page in pages.names() if link in pages.text(page)] != []


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.stem)
def test_no_text_runs_into_another_box(source: Path) -> None:
    """Words that stand by themselves are not in the way of a box's, and the other way round."""
    picture = yaml.safe_load(source.read_text(encoding="utf-8"))
    boxes = [(*box["at"], *box["size"]) for box in picture["boxes"].values() if box.get("text")]
    for words in picture.get("words", ()):
        x, y = words["at"]
        assert not [box for box in boxes if box[0] < x < box[0] + box[2] and box[1] < y < box[1] + box[3]]
