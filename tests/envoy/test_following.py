"""Envoy follows new routes under load without a failed call."""

import time

from tests.envoy.site import AUTHORITY, Site
from tests.mesh.load import Load, failed, split
from turnout.plugin import Backend, Rule, Share
from turnout.testing.builders import FRONTEND, plan, policy, version


def test_no_call_fails_while_weights_change(site: Site) -> None:
    """Twenty times, at 200 calls a second and with streams that outlive the changes."""
    names = ("wisdom-0", "wisdom-1", "wisdom-2")
    site.serve(*names)
    site.split({"wisdom-0": 1})
    with Load(site.address, AUTHORITY, rate=200) as load:
        for step in range(20):
            weights = {name: (step * (7 + place)) % 100 for place, name in enumerate(names)}
            site.split({**weights, "wisdom-0": 5})
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
