"""Each command has a how-to, a page on which it is run and a line that leads there, and each method an example."""

import re

import pytest
from click import Context, Group

from tests.docs import pages
from tests.docs.play import INSTALL, NOTEBOOK
from tests.docs.shell import commands
from turnout.cli import main
from turnout.client import Client

PAGE = "docs/commands.md"
PARTS = ("document", "documents", "registry", "surveyed", "surveys", "weighed")
"""Methods of the client of which others are made; docs/python-api.md tells of them."""
ROW = re.compile(
    r"^\| .* \| `turnout (?P<command>[a-z ]+)` \| \[[^]]+\]\((?P<page>[a-z-]+\.md)?(?:#[^)]*)?\) \|$",
    re.MULTILINE,
)


def names() -> list[str]:
    """Of all commands, those within others too."""
    context = Context(main)
    found: list[str] = []
    for name in main.list_commands(context):
        command = main.get_command(context, name)
        inner = command.list_commands(context) if isinstance(command, Group) else ()
        found += [name, *(f"{name} {one}" for one in inner)]
    return found


def test_every_command_has_its_line() -> None:
    told = f"{PAGE}: a line for each, with the page that shows how it is used"
    assert sorted(row["command"] for row in ROW.finditer(pages.text(PAGE))) == sorted(names()), told


@pytest.mark.parametrize(
    "row", [pytest.param(row, id=row["command"]) for row in ROW.finditer(pages.text(PAGE))]
)
def test_a_command_is_run_on_the_page_that_its_line_leads_to(row: re.Match[str]) -> None:
    page = f"docs/{row['page']}" if row["page"] else PAGE
    executed = [
        block for block in pages.read(page) if block.language == "console" and INSTALL not in block.marks
    ]
    lines = [command.line for block in executed for command in commands(block.text)]
    run = re.compile(rf"\bturnout {row['command']}\b")
    assert [line for line in lines if run.search(line)] != [], (
        f"{page}: no block runs turnout {row['command']}"
    )


@pytest.mark.parametrize("method", [name for name in vars(Client) if name[0] != "_" and name not in PARTS])
def test_every_method_of_the_client_is_in_an_example_that_runs(method: str) -> None:
    examples = [
        block
        for page in pages.names()
        for block in pages.read(page)
        if block.language == "python" and (block.file or NOTEBOOK in block.marks)
    ]
    used = re.compile(rf"\b[Cc]lient\.{method}\(")
    assert [str(block) for block in examples if used.search(block.text)] != [], (
        f"docs/python.md: show {method}"
    )
