"""Every command of the README and the docs that needs no cluster runs, and prints what is shown."""

from pathlib import Path

import pytest

from tests.docs import pages
from tests.docs.play import environment, play, prepare
from tests.docs.shell import Shell
from tests.support.answering import Answering


@pytest.mark.parametrize("page", pages.names())
def test_commands_print_what_the_page_shows(page: str, tmp_path: Path) -> None:
    prepare(tmp_path)
    with (
        Answering(_0=20, _1=80) as mesh,
        Shell(tmp_path, environment(tmp_path, GATEWAY=mesh.address)) as shell,
    ):
        play(shell, pages.read(page), cluster=False)
