"""What the gateway says of the routes that it carries ends a drain early, or holds it for longer."""

import time
from typing import Any

import pytest
import yaml

from tests.mesh.calls import ask, versions
from tests.mesh.load import Load, failed
from tests.mesh.town import Town
from tests.support import wait_until

PROPAGATION, IN_FLIGHT = 20.0, 1.0
SOON = 10.0
"""Seconds within which a deleted version is gone if the gateway has a say: it follows within two or so."""
DEAD = "127.0.0.1:9"
HALVES = {"wisdom-0": 50, "wisdom-1": 50}


def start(town: Town, *addresses: str, propagation: float = PROPAGATION, **istio: Any) -> None:
    """Start a controller that asks the gateways at some addresses."""
    plugins: dict[str, Any] = {"istio": {"defaults": {"gatewayPort": town.mesh.port}, "fixed": istio}}
    if addresses:
        plugins["istio-gateway"] = {"fixed": {"addresses": addresses}}
    drain = {"inFlightSeconds": IN_FLIGHT, "propagationSeconds": {"istio": propagation}}
    town.start(settings=yaml.safe_dump({"drain": drain, "plugins": plugins}))


def share_by_halves(town: Town) -> None:
    town.deploy("wisdom-0", "wisdom-1")
    town.declare("blue-green", {"name": "wisdom-0"}, {"name": "wisdom-1"})
    town.until_in_force(HALVES)


def gone(town: Town) -> bool:
    return not town.get("inferenceservice", "wisdom-1")


def delete(town: Town) -> float:
    """Delete the candidate. Returns when."""
    town.kubectl("delete", "inferenceservice", "wisdom-1", "--wait=false")
    return time.monotonic()


def test_a_version_goes_as_soon_as_the_gateway_has_followed(town: Town) -> None:
    """Well before the time for which it would be held otherwise; and no call fails."""
    start(town, town.address, marker=True, mesh=False)
    share_by_halves(town)
    with Load(town.address, town.authority()) as load:
        time.sleep(1.0)
        began = delete(town)
        wait_until(lambda: gone(town), timeout=30, what="gone")
        assert IN_FLIGHT < time.monotonic() - began < SOON
        time.sleep(1.0)
    assert len(load.calls()) > 500
    assert not failed(load.calls())
    assert town.get("serviceentry", "wisdom") == {}


@pytest.mark.parametrize("sidecars", [False, True], ids=["gateways", "gateways and sidecars"])
def test_a_version_is_held_while_the_gateway_cannot_follow(town: Town, sidecars: bool) -> None:
    """istiod is gone, so the gateway goes on as before; until it is back no time is long enough."""
    start(town, town.address, propagation=2.0, marker=True, mesh=sidecars)
    share_by_halves(town)
    time.sleep(2.0)
    with Load(town.address, town.authority()) as load:
        town.mesh.istiod.stop(kill=True)
        try:
            delete(town)
            town.until_shares({"wisdom-0": 100})
            time.sleep(3 * (2.0 + IN_FLIGHT))
            assert town.shares_in_force() == HALVES
            assert not gone(town)
            back = time.monotonic()
        finally:
            town.mesh.istiod.start()
        town.until_in_force({"wisdom-0": 100})
        wait_until(lambda: gone(town), timeout=30, what="gone")
        assert time.monotonic() - back > IN_FLIGHT
        time.sleep(1.0)
    assert not failed(load.calls())


def test_time_alone_lets_a_version_go_that_the_gateway_still_calls(town: Town) -> None:
    """What the test above would come to without the probe."""
    start(town, propagation=2.0)
    share_by_halves(town)
    with Load(town.address, town.authority()) as load:
        town.mesh.istiod.stop(kill=True)
        try:
            delete(town)
            wait_until(lambda: gone(town), timeout=30, what="gone")
            time.sleep(1.0)
        finally:
            town.mesh.istiod.start()
        town.until_in_force({"wisdom-0": 100})
    assert failed(load.calls())


@pytest.mark.parametrize("dead_only", [True, False], ids=["dead", "dead and alive"])
def test_time_decides_where_a_gateway_does_not_answer(town: Town, dead_only: bool) -> None:
    """Nor does one that has followed speak for another."""
    start(town, DEAD, *([] if dead_only else [town.address]), propagation=6.0, marker=True, mesh=False)
    share_by_halves(town)
    time.sleep(6.0)
    began = delete(town)
    wait_until(lambda: gone(town), timeout=30, what="gone")
    assert 6.0 + IN_FLIGHT - 1.0 < time.monotonic() - began < 6.0 + IN_FLIGHT + 3.0


def test_the_rule_takes_no_calls_from_canaries(town: Town) -> None:
    """Nor does it answer to a mark that is not the policy's."""
    start(town, marker=True)
    town.deploy("wisdom-0", "wisdom-1")
    town.declare("canary", {"name": "wisdom-0"}, {"name": "wisdom-1"})

    def answered(*metadata: tuple[str, str]) -> dict[str, int]:
        return dict(versions(ask(town.address, town.authority(), 20, metadata=metadata)))

    wait_until(town.shares_in_force, timeout=20, what="any routes")
    wait_until(lambda: answered(("traffic", "test")) == {"wisdom-1": 20}, timeout=20, what="in force")
    assert answered() == {"wisdom-0": 20}
    assert answered(("x-turnout-probe", "0" * 32)) == {"wisdom-0": 20}


def test_the_rule_takes_no_copies(town: Town) -> None:
    start(town, marker=True)
    town.deploy("wisdom-0", "wisdom-1")
    town.declare("mirror", {"name": "wisdom-0"}, {"name": "wisdom-1"})
    wait_until(town.shares_in_force, timeout=20, what="any routes")
    wait_until(
        lambda: ask(town.address, town.authority(), 1) and town.asked()["wisdom-1"], timeout=20, what="copies"
    )
    time.sleep(0.5)
    town.forget()
    assert versions(ask(town.address, town.authority(), 100)) == {"wisdom-0": 100}
    wait_until(lambda: town.asked() == {"wisdom-0": 100, "wisdom-1": 100}, what="as many copies")


def test_time_decides_for_sidecars(town: Town) -> None:
    """The gateway, which has followed, does not speak for them."""
    start(town, town.address, propagation=6.0, marker=True)
    share_by_halves(town)
    time.sleep(6.0)
    began = delete(town)
    wait_until(lambda: gone(town), timeout=30, what="gone")
    assert 6.0 + IN_FLIGHT - 1.0 < time.monotonic() - began < 6.0 + IN_FLIGHT + 3.0
