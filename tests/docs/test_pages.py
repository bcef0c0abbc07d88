"""The pages hang together, and the blocks in them are of kinds that somebody checks."""

import re
from pathlib import Path

import pytest
from docs.generate import NOTE

from tests.docs import pages
from tests.docs.pages import REPOSITORY, blocks
from tests.docs.play import BACKGROUND, CLUSTER, INSTALL, NOTEBOOK, STOP

CHECKED = {"console", "yaml", "toml", "python", "text"}
LONGEST = 210
CODE = re.compile(r"`[^`]*`")
LINK = re.compile(r"\]\((?!https?:)(?P<page>[^)#]*)(?:#(?P<anchor>[^)]*))?\)")


@pytest.mark.parametrize("page", pages.names())
def test_links_lead_somewhere(page: str) -> None:
    for link in LINK.finditer(CODE.sub("", pages.text(page))):
        target = Path(REPOSITORY, page).parent / link["page"] if link["page"] else REPOSITORY / page
        assert target.exists(), f"{page}: {link[0]}"
        if link["anchor"]:
            headings = re.findall(r"^#+ (.*)$", target.read_text(encoding="utf-8"), flags=re.MULTILINE)
            assert link["anchor"] in {anchor(heading) for heading in headings}, f"{page}: {link[0]}"


def anchor(heading: str) -> str:
    return re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")


@pytest.mark.parametrize("page", pages.names())
def test_blocks_are_of_kinds_that_are_checked(page: str) -> None:
    for block in pages.read(page):
        assert block.language in CHECKED, str(block)
        assert block.marks <= {CLUSTER, BACKGROUND, STOP, INSTALL, NOTEBOOK}, str(block)


def test_no_page_is_long() -> None:
    by_hand = [page for page in pages.names() if NOTE not in pages.text(page)]
    counts = {page: len(pages.text(page).splitlines()) for page in by_hand}
    assert {page: lines for page, lines in counts.items() if lines > LONGEST} == {}


def test_index_names_every_page() -> None:
    index = {link["page"] for link in LINK.finditer(pages.text("docs/index.md"))}
    there = {Path(page).name for page in pages.names() if page.startswith("docs/")} - {"index.md"}
    assert there <= index


def test_environments_of_tox_that_pages_name_exist() -> None:
    there = re.findall(r"^\[testenv:(\w+)\]", pages.text("tox.ini"), flags=re.MULTILINE)
    named = [name for page in pages.names() for name in re.findall(r"tox run -e ([\w,]+)", pages.text(page))]
    assert {name for names in named for name in names.split(",")} <= set(there)


PAGE = """\
Save this as `policy.yaml`:

```yaml
kind: RoutingPolicy
```

<!-- cluster background -->

```console
$ turnout run
```

`no.yaml`: comes first.

```text
x
```
"""


def test_block_knows_its_file_and_its_marks() -> None:
    first, second, third = blocks("page.md", PAGE)

    assert (first.file, first.language, first.text, str(first)) == (
        "policy.yaml",
        "yaml",
        "kind: RoutingPolicy\n",
        "page.md:3",
    )
    assert second.marks == {"cluster", "background"}
    assert (third.file, third.marks) == (None, frozenset())


def test_block_that_does_not_end_is_an_error() -> None:
    with pytest.raises(ValueError, match=r"page\.md:1: the block does not end"):
        list(blocks("page.md", "```yaml\nkind: x\n"))
