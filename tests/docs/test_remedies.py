"""Each reason has its paragraph on what to do, under the heading of what it is a reason of, and no other word has."""

import re
from collections.abc import Iterator

from docs.generate import REMEDIES, WHERE, documented

from tests.docs import pages
from turnout import reasons
from turnout.reasons import Reason


def told() -> Iterator[tuple[str, str, str, str]]:
    """Page, section, reason and paragraph."""
    for page in sorted(set(REMEDIES.values())):
        for section in re.split(r"^## ", pages.text(f"docs/{page}"), flags=re.MULTILINE)[1:]:
            title, *parts = re.split(r"^### ", section, flags=re.MULTILINE)
            for part in parts:
                reason, _, paragraph = part.partition("\n")
                yield page, title.partition("\n")[0], reason, paragraph.strip()


def test_every_reason_is_told_once_where_it_would_be_looked_for() -> None:
    source = pages.text("core/turnout/reasons.py")
    titles = {group: title.removesuffix(", in `status.versions`") for group, title in WHERE.items()}
    there = [
        (REMEDIES[group], titles[group], reason) for group, reason, _ in documented(reasons.Reason, source)
    ]
    here = [one[:3] for one in told()]
    assert {"missing": set(there) - set(here), "unknown": set(here) - set(there)} == {
        "missing": set(),
        "unknown": set(),
    }
    assert len(here) == len(there) == len(Reason)
    assert [reason for *_, reason, paragraph in told() if not paragraph] == []
