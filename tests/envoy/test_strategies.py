"""What a policy says of its versions is what callers get, with every strategy."""

import time

import pytest

from tests.envoy.site import AUTHORITY, Site, matched, weighted
from tests.mesh.calls import ask, versions
from tests.mesh.load import Load, failed, split
from tests.mesh.statistics import SIGNIFICANCE, expected_split, two_sided
from turnout.plugin import Backend, Match, Rule, Share
from turnout.testing.builders import FRONTEND, plan, policy, version

CALLS = 2000
Headers = tuple[tuple[str, str], ...]


def answered(site: Site, *metadata: tuple[str, str]) -> str:
    """The version that answers a call with some headers; always the same one."""
    found = versions(ask(site.address, AUTHORITY, 10, metadata=metadata))
    assert len(found) == 1, found
    return next(iter(found))


@pytest.mark.parametrize(
    "shares",
    [
        {"wisdom-0": 1, "wisdom-1": 99},
        {"wisdom-0": 0, "wisdom-1": 100},
        {"wisdom-0": 50, "wisdom-1": 30, "wisdom-2": 20},
    ],
    ids=["1-99", "0-100", "three"],
)
def test_blue_green_splits_by_weight(site: Site, shares: dict[str, int]) -> None:
    site.serve(*shares)
    site.declare("blue-green", *weighted(shares))

    expected = {name: share for name, share in shares.items() if share}
    expected_split(lambda: versions(ask(site.address, AUTHORITY, CALLS)), expected)


def test_canary_without_a_match_takes_calls_with_the_header_traffic_test(site: Site) -> None:
    site.serve("wisdom-0", "wisdom-1")
    site.declare("canary", matched("wisdom-0"), matched("wisdom-1"))

    assert answered(site, ("traffic", "test")) == "wisdom-1"
    assert answered(site, ("traffic", "tester")) == "wisdom-0"
    assert answered(site) == "wisdom-0"


def test_canaries_take_what_matches_and_the_primary_the_rest(site: Site) -> None:
    """Exact, prefix and regex; alternatives; all headers of one match; of two matches the first version's."""
    names = ("wisdom-0", "wisdom-1", "wisdom-2")
    site.serve(*names)
    both = Match((("team", "exact", "a"), ("stage", "exact", "late")))
    site.declare(
        "canary",
        matched("wisdom-0"),
        matched("wisdom-1", Match((("user", "exact", "ann"),)), Match((("user", "prefix", "test-"),)), both),
        matched(
            "wisdom-2", Match((("user", "regex", "t[a-z]+-[0-9]{2}"),)), Match((("x-beta", "exact", "1"),))
        ),
    )

    answers: dict[Headers, str] = {
        (): "wisdom-0",
        (("user", "ann"),): "wisdom-1",
        (("user", "anna"),): "wisdom-0",
        (("user", "test-7"),): "wisdom-1",
        (("user", "team-42"),): "wisdom-2",
        (("user", "team-421"),): "wisdom-0",
        (("user", "test-42"),): "wisdom-1",
        (("team", "a"), ("stage", "late")): "wisdom-1",
        (("team", "a"),): "wisdom-0",
        (("x-beta", "1"), ("user", "ann")): "wisdom-1",
    }
    assert {headers: answered(site, *headers) for headers in answers} == answers


def test_every_call_is_copied_by_default(site: Site) -> None:
    site.serve("wisdom-0", "wisdom-1")
    site.declare("mirror", *weighted({"wisdom-0": 1, "wisdom-1": 100}))
    ask(site.address, AUTHORITY, 20)
    site.asked()
    site.forget()

    assert versions(ask(site.address, AUTHORITY, CALLS)) == {"wisdom-0": CALLS}
    assert site.asked() == {"wisdom-0": CALLS, "wisdom-1": CALLS}


def test_several_candidates_each_get_their_percentage(site: Site) -> None:
    shares = {"wisdom-1": 50, "wisdom-2": 1, "wisdom-3": 70}
    site.serve("wisdom-0", *shares)
    site.declare("mirror", *weighted({"wisdom-0": 1, **shares}))
    ask(site.address, AUTHORITY, 20)
    site.asked()
    site.forget()

    assert versions(ask(site.address, AUTHORITY, CALLS)) == {"wisdom-0": CALLS}
    found = site.asked()
    assert found.keys() == {"wisdom-0", *shares}
    for name, share in shares.items():
        assert two_sided(found[name], CALLS, share / 100) >= SIGNIFICANCE, found


def test_no_call_fails_while_weights_change(site: Site) -> None:
    """Twenty times, at 200 calls a second and with streams that outlive the changes."""
    names = ("wisdom-0", "wisdom-1", "wisdom-2")
    site.serve(*names)
    site.declare("blue-green", *weighted({"wisdom-0": 1}))
    with Load(site.address, AUTHORITY, rate=200) as load:
        for step in range(20):
            weights = {name: (step * (7 + place)) % 100 for place, name in enumerate(names)}
            site.declare("blue-green", *weighted({**weights, "wisdom-0": 5}))
            time.sleep(0.2)
    calls = load.calls()

    assert len(calls) > 500
    assert not failed(calls)
    assert {name for one in split(calls) for name in one.split(",")} == set(names)


def test_no_call_fails_while_calls_move_to_an_address_that_was_never_called(site: Site) -> None:
    """There and back, each time to a name that Envoy has yet to look up."""
    old, new = site.serve("wisdom-0"), site.serve("wisdom-1")

    def to(name: str, port: int, host: str) -> None:
        backend = Backend(host, "models", port, set_headers=(("mm-vmodel-id", name),))
        rule = Rule("default", (Share(version(name, backends={FRONTEND.name: backend}), 1),))
        site.carry(plan(rule, policy=policy(cluster_domain="localhost")))

    to("wisdom-0", old.port, "first")
    with Load(site.address, AUTHORITY, rate=200) as load:
        for step in range(5):
            time.sleep(0.4)
            to("wisdom-1", new.port, f"new-{step}")
            time.sleep(0.4)
            to("wisdom-0", old.port, f"old-{step}")
    calls = load.calls()

    assert not failed(calls)
    assert {name for one in split(calls) for name in one.split(",")} == {"wisdom-0", "wisdom-1"}
