"""A policy's Gateway gets another name under load: not one call fails."""

import time

import pytest

from tests.mesh.load import Load, failed
from tests.mesh.site import MeshSite
from tests.support import wait_until

WEIGHTS = ({"name": "wisdom-0", "weight": 20}, {"name": "wisdom-1", "weight": 80})


def named(site: MeshSite, name: str) -> None:
    """Declare the policy with a Gateway of that name."""
    site.declare("blue-green", *WEIGHTS, istio={"externalGateway": name})


@pytest.mark.parametrize("attempt", range(3))
def test_a_gateway_is_renamed_without_a_failed_call(site: MeshSite, attempt: int) -> None:
    """A new one arrives before the routes that name it, and the old one goes after them."""
    site.deploy("wisdom-0", "wisdom-1")
    site.start()
    named(site, "one")
    site.until_in_force({"wisdom-0": 20, "wisdom-1": 80})
    with Load(site.address, site.authority()) as load:
        time.sleep(1)
        named(site, "two")
        wait_until(
            lambda: site.names("gateways.networking.istio.io") == ["two"], timeout=30, what="it is renamed"
        )
        time.sleep(4)
    assert not failed(load.calls())
