"""Calls and their copies, told apart from all that come before them and beside them by a header."""

import secrets
import time
from collections import Counter
from collections.abc import Callable

from tests.mesh.calls import ask, versions
from tests.mesh.site import BATCH, MeshSite
from tests.support import wait_until

QUIET = 1.0
"""Seconds without another one after which no more are expected."""


def received(
    site: MeshSite, number: int, *, least: int = 0, address: str = "", authority: str = ""
) -> Counter[str]:
    """Make so many calls, which wisdom-0 answers. Returns what the models' server had of them, by version.

    `least`: so many calls and copies are waited for in any case. `address`, `authority`: where and whom to
    ask; by default the gateway, for the model wisdom.
    """
    batch = secrets.token_hex(4)
    where = address or site.address, authority or site.authority()
    assert versions(ask(*where, number, metadata=[(BATCH, batch)])) == {"wisdom-0": number}
    wait_until(lambda: site.asked(batch).total() >= least, timeout=20, what=f"{least} calls and copies")
    return settled(lambda: site.asked(batch))


def settled(look: Callable[[], Counter[str]]) -> Counter[str]:
    """What is seen once it has been the same for a while."""
    found, since = look(), time.monotonic()
    while time.monotonic() - since < QUIET:
        time.sleep(0.1)
        if (seen := look()) != found:
            found, since = seen, time.monotonic()
    return found
