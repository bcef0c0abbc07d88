"""The pages that say what the code says are not older than the code."""

import pytest

from docs import generate

PAGES = generate.pages()


@pytest.mark.parametrize("name", PAGES)
def test_page_is_what_the_code_says(name: str) -> None:
    written = (generate.FOLDER / name).read_text(encoding="utf-8")
    assert written == PAGES[name], "stale: python docs/generate.py"
