"""What `mkdocs build` needs besides the pages in docs/: pages and files from elsewhere in the repository.

The pages are written for people who read them on GitHub too. So links lead to files of the repository there;
on the site they lead to the page, or to a copy of the file, that stands for it.
"""

import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mkdocs.structure.files import Files

REPOSITORY = Path(__file__).resolve().parents[2]
PAGES = {
    "README.md": "tutorial.md",
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
    "deploy/helm/turnout/README.md": "chart.md",
    "examples/turnout-steps/README.md": "example-plugin.md",
}
"""Pages outside docs/, by the names that they have on the site."""
TUTORIAL = ("Try it", "The tutorial")
"""The README's sections that make up the tutorial's page; the others tell what the site's other pages do."""
FILES = "files/"
"""Where the site has copies of what pages link to and what is no page."""
GENERATED = "<!-- Written by docs/generate.py"
FENCE = re.compile(r"^(```.*?^```\n?)", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"`[^`]+`|\]\((?P<target>(?!https?:|#)[^)#]+)")
"""Code, in which nothing is a link, or the target of a link."""
COMMENT = re.compile(r"^ *<!--.*?-->\n?", re.MULTILINE)


def tutorial(readme: str) -> str:
    """The page of the tutorial, out of the README. Raises ValueError where a section is missing."""
    parts = re.split(r"^(?=## )", readme, flags=re.MULTILINE)
    sections = {part.partition("\n")[0].removeprefix("## "): part for part in parts}
    if missing := [title for title in TUTORIAL if title not in sections]:
        raise ValueError(f"README.md: no section {missing[0]}, of which the tutorial is made")
    return "\n".join(["# Tutorial\n", *(sections[title].rstrip() + "\n" for title in TUTORIAL)])


def site_path(target: str, page: str) -> str:
    """The site's path for what `page` links to; both are paths, the page's from the repository's root.

    Raises ValueError for what is not in the repository.
    """
    path = _normal(PurePosixPath(page).parent / target)
    if path in PAGES:
        return PAGES[path]
    if path.startswith("docs/"):
        return path.removeprefix("docs/")
    if not (REPOSITORY / path).is_file():
        raise ValueError(f"{page}: the link to {target} leads to no file of the repository")
    # A web server may keep names with a leading dot to itself.
    return FILES + "/".join(part.lstrip(".") for part in path.split("/"))


def rewritten(markdown: str, page: str) -> str:
    """A page as the site needs it: its links lead to the site, and comments for the tests are gone."""
    return "".join(
        part if FENCE.fullmatch(part) else COMMENT.sub("\n", _linked(part, page))
        for part in FENCE.split(markdown)
    )


def linked_files(pages: dict[str, str]) -> dict[str, str]:
    """Copies that the site needs: their paths there, and those in the repository. By the texts of pages."""
    return {there: here for page, text in pages.items() for there, here in _copies(text, page)}


def sources(folder: Path = REPOSITORY) -> dict[str, str]:
    """The texts of all pages, by their paths in the repository."""
    paths = [*PAGES, *(f"docs/{one.name}" for one in sorted(folder.glob("docs/*.md")))]
    texts = {path: (folder / path).read_text(encoding="utf-8") for path in paths}
    return texts | {"README.md": tutorial(texts["README.md"])}


def on_files(files: "Files", config: Any) -> "Files":
    """mkdocs: add what is outside docs/."""
    from mkdocs.exceptions import PluginError
    from mkdocs.structure.files import File

    try:
        texts = sources()
        copies = linked_files(texts)
    except ValueError as error:
        raise PluginError(str(error)) from None
    for path, name in PAGES.items():
        page = File.generated(config, name, content=texts[path])
        page.edit_uri = f"../{path}"
        files.append(page)
    for there, here in copies.items():
        files.append(File.generated(config, there, abs_src_path=str(REPOSITORY / here)))
    return files


def on_page_markdown(markdown: str, page: Any, config: Any, files: "Files") -> str:
    """mkdocs: make a page of the repository one of the site, with a link to edit it if anybody may."""
    if GENERATED in markdown:
        page.edit_url = None
    outside = {name: path for path, name in PAGES.items()}
    return rewritten(markdown, outside.get(page.file.src_uri, f"docs/{page.file.src_uri}"))


def _linked(text: str, page: str) -> str:
    return LINK.sub(lambda link: f"]({site_path(link['target'], page)}" if link["target"] else link[0], text)


def _copies(text: str, page: str) -> Iterator[tuple[str, str]]:
    for part in FENCE.split(text):
        for link in () if FENCE.fullmatch(part) else LINK.finditer(part):
            if not link["target"]:
                continue
            there = site_path(link["target"], page)
            if there.startswith(FILES):
                yield there, _normal(PurePosixPath(page).parent / link["target"])


def _normal(path: PurePosixPath) -> str:
    parts: list[str] = []
    for part in path.parts:
        if part == "..":
            parts.pop()
        else:
            parts.append(part)
    return "/".join(parts)
