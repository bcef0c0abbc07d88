"""Copies reach the candidate with its own header, in the share asked for, and cost callers nothing."""

import time

import pytest

from tests.mesh.calls import ask, versions
from tests.mesh.copies import received
from tests.mesh.load import TIMEOUT, Load, failed, split
from tests.mesh.site import BATCH, STANDALONE, MeshSite
from tests.mesh.statistics import expected_split
from tests.support import wait_until

CALLS = 1500
SLOW = TIMEOUT + 2.0
"""Seconds in which a slow candidate answers: a call that waited for it would fail."""
by_each_that_copies = pytest.mark.parametrize("router", ["istio", STANDALONE])
"""Each router that copies calls to ModelMesh's versions."""
STATUS = {"slow": "CANCELLED", "failing": "INTERNAL", "missing": "NOT_FOUND"}
"""What copies get."""


def mirroring(site: MeshSite, percentage: float, *names: str) -> None:
    """Wait until copies arrive."""
    site.deploy("wisdom-0", *names)
    site.start()
    site.declare(
        "mirror", *({"name": name} for name in ("wisdom-0", *names)), mirror={"percentage": percentage}
    )
    until_copied(site, names[-1])


def until_copied(site: MeshSite, name: str) -> None:
    """Wait until copies reach a version."""
    wait_until(site.shares_in_force, timeout=20, what="any routes")
    wait_until(
        lambda: ask(site.address, site.authority(), 20) and site.asked()[name] > 0,
        timeout=20,
        what=f"copies reach {name}",
    )


@by_each_that_copies
def test_every_call_is_copied_by_default(site: MeshSite) -> None:
    mirroring(site, 100, "wisdom-1")
    assert received(site, CALLS, least=2 * CALLS) == {"wisdom-0": CALLS, "wisdom-1": CALLS}


@by_each_that_copies
@pytest.mark.parametrize("percentage", [30, 1.5])
def test_the_percentage_holds(site: MeshSite, percentage: float) -> None:
    mirroring(site, percentage, "wisdom-1")
    shares = {"wisdom-0": 100, "wisdom-1": percentage}
    expected_split(lambda: received(site, CALLS, least=CALLS), shares, of=CALLS)


@by_each_that_copies
def test_several_candidates_each_get_their_copies(site: MeshSite) -> None:
    """Each is asked with its own header, in a share of its own; by istio in a chain."""
    shares = {"wisdom-1": 50, "wisdom-2": 20, "wisdom-3": 70}
    site.deploy("wisdom-0", *shares)
    site.start()
    candidates = [{"name": name, "weight": share} for name, share in shares.items()]
    site.declare("mirror", {"name": "wisdom-0"}, *candidates)
    until_copied(site, "wisdom-3")
    expected_split(lambda: received(site, CALLS, least=CALLS), {"wisdom-0": 100, **shares}, of=CALLS)


@by_each_that_copies
@pytest.mark.parametrize("others", [(), ("wisdom-2", "wisdom-3")], ids=["alone", "first of three"])
@pytest.mark.parametrize("trouble", ["slow", "failing", "missing"])
def test_a_candidate_in_trouble_costs_callers_nothing(
    site: MeshSite, trouble: str, others: tuple[str, ...]
) -> None:
    """Neither an error nor time, nor the other candidates their copies."""
    mirroring(site, 100, "wisdom-1", *others)
    if trouble == "slow":
        site.slow("wisdom-1", SLOW)
    elif trouble == "failing":
        site.failing("wisdom-1")
    else:
        site.processes[-1].kill()  # else the routes would leave it before it goes
        site.remove("wisdom-1")
    began, asked = time.monotonic(), site.asked()
    with Load(site.address, site.authority(), rate=150) as load:
        time.sleep(4.0)
    calls = load.calls()
    assert not failed(calls)
    assert set(split(calls)) == {"wisdom-0"}
    wait_until(
        lambda: STATUS[trouble] in site.outcomes("wisdom-1"), timeout=SLOW, what="the trouble has been met"
    )
    if trouble == "slow":
        assert max(call.ended for call in calls) < min(site.ended("wisdom-1", began)), "a call has waited"
    for name in others:
        wait_until(lambda name=name: site.asked()[name] - asked[name] > 400, what=f"{name} has its copies")  # type: ignore[misc]


def test_a_caller_cannot_reach_the_candidate_by_a_mark_of_its_own(site: MeshSite) -> None:
    mirroring(site, 100, "wisdom-1")
    guess = [("x-turnout-mirror", "0" * 32), (BATCH, "guess")]
    assert versions(ask(site.address, site.authority(), 20, metadata=guess)) == {"wisdom-0": 20}
    both = {"wisdom-0": 20, "wisdom-1": 20}
    wait_until(lambda: site.asked("guess") == both, what="it is copied as any call")
