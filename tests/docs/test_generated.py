"""The pages that say what the code says are not older than the code."""

from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
import yaml

from docs import generate
from tests.docs import pages
from turnout.loading import load
from turnout.registry import OWN

PAGES = generate.pages()


@pytest.mark.parametrize("name", PAGES)
def test_page_is_what_the_code_says(name: str) -> None:
    written = (generate.FOLDER / name).read_text(encoding="utf-8")
    assert written == PAGES[name], "stale: python docs/generate.py"


def test_every_built_in_plugin_has_one_page_of_its_own() -> None:
    """Which shows its options, and is not the one that shows all of them."""
    shown = [plugin for page in pages.names() for plugin in generate.shown(pages.text(page))]
    assert sorted(shown) == sorted(one.name for one in load(allow=[OWN]))


@pytest.mark.parametrize("page", pages.names())
def test_no_table_of_options_is_written_by_hand(page: str) -> None:
    by_hand = "" if Path(page).name == "options.md" else generate.SHOWN.sub("", pages.text(page))
    assert [line for line in by_hand.splitlines() if line.startswith("| Option")] == []


def test_the_crds_descriptions_are_whole() -> None:
    """Each is a sentence: what comes after ` #` is a comment to YAML, wherever it stands."""
    texts = files("turnout").joinpath("crds").iterdir()
    said = [told for text in texts for told in descriptions(yaml.safe_load(text.read_text(encoding="utf-8")))]
    assert len(said) > 50
    assert [one for one in said if not one.endswith(".")] == []


def descriptions(node: Any) -> Iterator[str]:
    match node:
        case {"description": str(said), **rest}:
            yield said
            yield from descriptions(rest)
        case dict():
            for inner in node.values():
                yield from descriptions(inner)
        case list():
            for inner in node:
                yield from descriptions(inner)
