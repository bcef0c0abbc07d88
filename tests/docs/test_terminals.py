"""Pictures of terminals show what the commands print now, and the drawing loses nothing of it."""

import os
from pathlib import Path

import pytest
from docs.making import terminals
from docs.making.terminals import Scene, draw, elided, record, scenes, shown, write

from tests.docs import pages

ANY = Scene("any", "turnout any <x> | head", 9)


def test_every_picture_shows_what_its_command_prints_now() -> None:
    """Times are left out, and the lines by which a command tells what it waits for."""
    stale = {
        scene.name: printed
        for scene, printed in record()
        if elided(shown(pages.text(f"docs/{scene.file}"))) != elided(f"$ {scene.run}\n{printed}")
    }
    assert stale == {}, "stale: python docs/generate.py"


def test_each_picture_is_of_a_line_and_on_a_page() -> None:
    files = {f"img/{file.name}" for file in terminals.FOLDER.glob("img/terminal-*.svg")}
    assert files == {scene.file for scene in scenes()}, "python docs/generate.py; delete those without a line"
    texts = [pages.text(page) for page in pages.names()]
    assert [file for file in files if not any(f"]({file})" in text for text in texts)] == []


def test_a_picture_has_every_character_in_its_place() -> None:
    printed = "NAME   <a> & b\n\n  \x1b[32m██\x1b[0m\x1b[2m░░\x1b[0m  50%\n\x1b[1m\nbold\x1b[0m plain"
    assert (
        shown(draw(ANY, printed))
        == (
            "$ turnout any <x> | head\nNAME   <a> & b\n  ██░░  50%\nbold plain"  # lines that are empty show nothing
        )
    )


@pytest.mark.parametrize(
    ("printed", "look"),
    [
        ("\x1b[32mgreen\x1b[0m", 'fill="#3fb950">green<'),
        ("\x1b[1mfirst\nsecond\x1b[0m", 'fill="#e6edf3" font-weight="bold">second<'),
        ("\x1b[1m\x1b[0mplain", 'fill="#e6edf3">plain<'),
        ("\x1b[2mdim\x1b[0m", 'fill="#e6edf3" opacity="0.6">dim<'),
    ],
)
def test_colors_and_weights_are_the_terminal_s(printed: str, look: str) -> None:
    assert look in draw(ANY, printed)


@pytest.mark.parametrize(
    ("one", "other", "equal"),
    [
        ("wisdom  True  9s", "wisdom  True  12m", True),
        ("a\nWaiting: b\nc", "a\nc", True),
        ("wisdom-0 50%", "wisdom-0 20%", False),
        ("a", "a\nb", False),
    ],
)
def test_times_do_not_count(one: str, other: str, equal: bool) -> None:
    assert (elided(one) == elided(other)) is equal


def test_a_picture_is_not_written_anew_for_other_times(tmp_path: Path) -> None:
    (tmp_path / "img").mkdir()
    for printed, expected in (("9s", "9s"), ("12m", "9s"), ("other", "other")):
        write(ANY, printed, tmp_path)
        assert shown((tmp_path / ANY.file).read_text()).splitlines()[1:] == [expected]


def test_a_command_that_fails_is_no_picture(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match=r"`echo a; exit 3` ended with 3: a"):
        terminals.printed_by("echo a; exit 3", tmp_path, {"PATH": os.defpath})
