"""The site has every page, in an order, and leads where the pages in the repository lead.

That it can be built, and is whole by itself, is what `tox run -e site` sees to.
"""

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml
from docs.making import built, hooks

from docs import generate
from tests.docs import pages

CONFIGURATION = "mkdocs.yml"


class Loader(yaml.SafeLoader):
    """Reads mkdocs' own tags as nothing."""


Loader.add_multi_constructor("!ENV", lambda *_: None)
Loader.add_multi_constructor("tag:yaml.org,2002:python/", lambda *_: None)


def configuration() -> Any:
    return yaml.load(pages.text(CONFIGURATION), Loader)


def leaves(nav: list[Any]) -> Iterator[str]:
    for entry in nav:
        for target in entry.values():
            yield from leaves(target) if isinstance(target, list) else [target]


def test_every_page_has_its_place_on_the_site() -> None:
    shown = list(leaves(configuration()["nav"]))
    there = {Path(page).name for page in pages.names() if page.startswith("docs/")} | {*hooks.PAGES.values()}
    told = f"{CONFIGURATION}: under nav add a line for each, as `- Its title: page.md`, where a reader would look"
    assert sorted(there - {*shown}) == [], told
    assert sorted({*shown} - there) == [], f"{CONFIGURATION}: under nav are pages that do not exist"
    assert len(shown) == len({*shown}), f"{CONFIGURATION}: under nav a page is named twice"


@pytest.mark.parametrize(
    ("page", "markdown", "expected"),
    [
        pytest.param("docs/a.md", "[x](owner.md#y)", "[x](owner.md#y)", id="page-beside"),
        pytest.param(
            "docs/a.md", "[x](../README.md#the-tutorial)", "[x](tutorial.md#the-tutorial)", id="tutorial"
        ),
        pytest.param("README.md", "![x](docs/img/turnout.svg)", "![x](img/turnout.svg)", id="picture"),
        pytest.param("README.md", "[x](CONTRIBUTING.md)", "[x](contributing.md)", id="page-outside"),
        pytest.param(
            "docs/a.md", "[x](#y) [z](https://a.b/c)", "[x](#y) [z](https://a.b/c)", id="not-a-file"
        ),
        pytest.param(
            "docs/a.md",
            "[x](../.github/workflows/test.yml)",
            "[x](files/github/workflows/test.yml)",
            id="file-with-a-dot",
        ),
        pytest.param(
            "docs/a.md", "<!-- cluster -->\n```console\n$ a\n```\n", "\n```console\n$ a\n```\n", id="comment"
        ),
        pytest.param(
            "docs/a.md",
            "`[a](../b)` [`c`](../README.md)",
            "`[a](../b)` [`c`](tutorial.md)",
            id="code-as-it-is",
        ),
        pytest.param(
            "docs/a.md",
            "```text\n<!-- a -->\n[x](../nowhere)\n```\n",
            "```text\n<!-- a -->\n[x](../nowhere)\n```\n",
            id="block-as-it-is",
        ),
    ],
)
def test_links_lead_on_the_site_where_they_lead_in_the_repository(
    page: str, markdown: str, expected: str
) -> None:
    assert hooks.rewritten(markdown, page) == expected


def test_a_link_out_of_the_repository_is_an_error() -> None:
    with pytest.raises(ValueError, match=r"docs/a\.md: the link to \.\./no\.py leads to no file"):
        hooks.rewritten("[x](../no.py)", "docs/a.md")


def test_files_that_pages_link_to_are_copied() -> None:
    assert hooks.linked_files({"docs/a.md": "[x](../tox.ini) [y](../README.md) [z](owner.md)"}) == {
        "files/tox.ini": "tox.ini"
    }


@pytest.mark.parametrize(("note", "edited"), [("", "there"), (generate.NOTE, None)])
def test_what_is_generated_has_no_link_to_edit_it(note: str, edited: str | None) -> None:
    page = SimpleNamespace(edit_url="there", file=SimpleNamespace(src_uri="a.md"))
    nothing: Any = None
    hooks.on_page_markdown(f"# A\n\n{note}\n", page, nothing, nothing)
    assert page.edit_url == edited


def test_the_tutorial_is_the_readme_s() -> None:
    page = hooks.sources()["README.md"]
    assert page.startswith("# Tutorial\n\n## Try it\n")
    assert "\n## The tutorial\n" in page
    assert "**6. Clean up.**" in page
    assert "## Test it" not in page
    with pytest.raises(ValueError, match="no section Try it"):
        hooks.tutorial("# turnout\n\n## The tutorial\n")


@pytest.mark.parametrize(
    ("name", "text", "fault"),
    [
        ("a.html", '<script src="https://a.b/c.js"></script>', "<script src> is loaded from https://a.b/c.js"),
        ("a.html", '<link rel="stylesheet" href="//a.b/c.css">', "<link href> is loaded from //a.b/c.css"),
        ("a.html", '<link rel="preconnect" href="https://a.b">', "<link href> is loaded from https://a.b"),
        ("a.html", '<img alt="x" srcset="https://a.b/c.png 2x">', "<img srcset> is loaded from https://a.b/c.png 2x"),
        ("a.html", "<style>@import 'https://a.b/c';</style>", "a style is loaded from https://a.b/c"),
        ("a.html", '<p style="background: url(//a.b/c)">', "a style is loaded from //a.b/c"),
        ("a.html", '<pre class="mermaid">', '<pre class="mermaid"> has the theme load something'),
        (
            "a.html",
            '<div data-md-component="source">',
            '<div data-md-component="source"> has the theme load something',
        ),
        ("a.html", '<img src="a.svg">', "the picture a.svg has no text in its place"),
        ("a.css", "@font-face { src: url(https://a.b/c) }", "a style is loaded from https://a.b/c"),
        ("a.svg", "<style>a { src: url('https://a.b/c') }</style>", "a style is loaded from https://a.b/c"),
    ],
)  # fmt: skip
def test_what_another_host_would_serve_is_found(name: str, text: str, fault: str, tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text(
        '<a href="https://a.b/">a</a><link rel="canonical" href="https://a.b/"><img src="a.svg" alt="a">'
        "<style>a { background: url(a.png) }</style>"
    )
    assert list(built.faults(tmp_path)) == []
    (tmp_path / name).write_text(text)
    assert list(built.faults(tmp_path)) == [f"{name}: {fault}"]


def test_no_page_at_all_is_a_fault(tmp_path: Path) -> None:
    assert list(built.faults(tmp_path)) == [f"{tmp_path}: there is no page"]
