"""What the gateway says of the routes that it carries ends a drain early, or holds it for longer."""

import time
from typing import Any

import pytest
import yaml

from tests.mesh.calls import ask, versions
from tests.mesh.copies import received
from tests.mesh.load import Load, failed
from tests.mesh.site import MeshSite
from tests.support import wait_until

PROPAGATION, IN_FLIGHT = 20.0, 1.0
SOON = 15.0
"""Seconds within which a deleted version is gone if the gateway has a say: it follows within two or so."""
DEAD = "127.0.0.1:9"
HALVES = {"wisdom-0": 50, "wisdom-1": 50}


@pytest.fixture(scope="module")
def webhook() -> None:
    """None here: where istiod is stopped it would be asked, and refuse all that is written."""


def start(site: MeshSite, *addresses: str, propagation: float = PROPAGATION, **istio: Any) -> None:
    """Start a controller that asks the gateways at some addresses."""
    plugins: dict[str, Any] = {"istio": {"defaults": {"gatewayPort": site.mesh.port}, "fixed": istio}}
    if addresses:
        plugins["istio-gateway"] = {"fixed": {"addresses": addresses}}
    drain = {"inFlightSeconds": IN_FLIGHT, "propagationSeconds": {"istio": propagation}}
    site.start(settings=yaml.safe_dump({"drain": drain, "plugins": plugins}))


def share_by_halves(site: MeshSite) -> None:
    site.deploy("wisdom-0", "wisdom-1")
    site.declare("blue-green", {"name": "wisdom-0"}, {"name": "wisdom-1"})
    site.until_in_force(HALVES)


def gone(site: MeshSite) -> bool:
    return not site.get("inferenceservice", "wisdom-1")


def delete(site: MeshSite) -> float:
    """Delete the candidate. Returns when."""
    site.kubectl("delete", "inferenceservice", "wisdom-1", "--wait=false")
    return time.monotonic()


def test_a_version_goes_as_soon_as_the_gateway_has_followed(site: MeshSite) -> None:
    """Well before the time for which it would be held otherwise; and no call fails."""
    start(site, site.address, marker=True, mesh=False)
    share_by_halves(site)
    with Load(site.address, site.authority()) as load:
        time.sleep(1.0)
        began = delete(site)
        wait_until(lambda: gone(site), timeout=30, what="gone")
        assert IN_FLIGHT < time.monotonic() - began < SOON
        time.sleep(1.0)
    assert len(load.calls()) > 500
    assert not failed(load.calls())
    assert site.get("serviceentry", "wisdom") == {}


@pytest.mark.parametrize("sidecars", [False, True], ids=["gateways", "gateways and sidecars"])
def test_a_version_is_held_while_the_gateway_cannot_follow(site: MeshSite, sidecars: bool) -> None:
    """istiod is gone, so the gateway goes on as before; until it is back no time is long enough."""
    start(site, site.address, propagation=2.0, marker=True, mesh=sidecars)
    share_by_halves(site)
    time.sleep(2.0)
    with Load(site.address, site.authority()) as load:
        site.mesh.istiod.stop(kill=True)
        try:
            delete(site)
            site.until_shares({"wisdom-0": 100})
            time.sleep(3 * (2.0 + IN_FLIGHT))
            assert site.shares_in_force() == HALVES
            assert not gone(site)
            back = time.monotonic()
        finally:
            site.mesh.istiod.start()
        site.until_in_force({"wisdom-0": 100})
        wait_until(lambda: gone(site), timeout=30, what="gone")
        assert time.monotonic() - back > IN_FLIGHT
        time.sleep(1.0)
    assert not failed(load.calls())


def test_time_alone_lets_a_version_go_that_the_gateway_still_calls(site: MeshSite) -> None:
    """What the test above would come to without the probe."""
    start(site, propagation=2.0)
    share_by_halves(site)
    with Load(site.address, site.authority()) as load:
        site.mesh.istiod.stop(kill=True)
        try:
            delete(site)
            wait_until(lambda: gone(site), timeout=30, what="gone")
            time.sleep(1.0)
        finally:
            site.mesh.istiod.start()
        site.until_in_force({"wisdom-0": 100})
    assert failed(load.calls())


@pytest.mark.parametrize("dead_only", [True, False], ids=["dead", "dead and alive"])
def test_time_decides_where_a_gateway_does_not_answer(site: MeshSite, dead_only: bool) -> None:
    """Nor does one that has followed speak for another."""
    start(site, DEAD, *([] if dead_only else [site.address]), propagation=6.0, marker=True, mesh=False)
    share_by_halves(site)
    time.sleep(6.0)
    began = delete(site)
    wait_until(lambda: gone(site), timeout=30, what="gone")
    assert 6.0 + IN_FLIGHT - 1.0 < time.monotonic() - began < 6.0 + IN_FLIGHT + 10.0


def has_the_rule(site: MeshSite) -> bool:
    """Whether the routes in force begin with the rule that tells their revision."""
    (host,) = (
        host
        for config in site.mesh.ingress.routes()
        for host in config["virtual_hosts"]
        if site.authority() in host["domains"]
    )
    return "direct_response" in host["routes"][0]


def test_the_rule_takes_no_calls_from_canaries(site: MeshSite) -> None:
    """Nor does it answer to a mark that is not the policy's."""
    start(site, marker=True)
    site.deploy("wisdom-0", "wisdom-1")
    site.declare("canary", {"name": "wisdom-0"}, {"name": "wisdom-1"})

    def answered(*metadata: tuple[str, str]) -> dict[str, int]:
        return dict(versions(ask(site.address, site.authority(), 20, metadata=metadata)))

    wait_until(site.shares_in_force, timeout=20, what="any routes")
    wait_until(lambda: answered(("traffic", "test")) == {"wisdom-1": 20}, timeout=20, what="in force")
    assert has_the_rule(site)
    assert answered() == {"wisdom-0": 20}
    assert answered(("x-turnout-probe", "0" * 32)) == {"wisdom-0": 20}


def test_the_rule_takes_no_copies(site: MeshSite) -> None:
    start(site, marker=True)
    site.deploy("wisdom-0", "wisdom-1")
    site.declare("mirror", {"name": "wisdom-0"}, {"name": "wisdom-1"})
    wait_until(site.shares_in_force, timeout=20, what="any routes")
    wait_until(
        lambda: ask(site.address, site.authority(), 1) and site.asked()["wisdom-1"], timeout=20, what="copies"
    )
    assert has_the_rule(site)
    assert received(site, 100, least=200) == {"wisdom-0": 100, "wisdom-1": 100}


def test_time_decides_for_sidecars(site: MeshSite) -> None:
    """The gateway, which has followed, does not speak for them."""
    start(site, site.address, propagation=6.0, marker=True)
    share_by_halves(site)
    time.sleep(6.0)
    began = delete(site)
    wait_until(lambda: gone(site), timeout=30, what="gone")
    assert 6.0 + IN_FLIGHT - 1.0 < time.monotonic() - began < 6.0 + IN_FLIGHT + 10.0
