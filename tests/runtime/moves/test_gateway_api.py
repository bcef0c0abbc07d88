"""Moves with the router gateway-api: Gateways and routes that its controller has, or has not, a word on."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.runtime.serving import serve
from tests.support.kserve import standard
from turnout.plugin import Ref
from turnout.testing.builders import NAMESPACE
from turnout.testing.rollout import Rollout
from turnout_gateway_api.gateway import GATEWAY
from turnout_gateway_api.routes import GRPC_ROUTE, HTTP_ROUTE

pytest_plugins = ["turnout.testing.fixtures"]
HTTP, GRPC = (Ref(kind, NAMESPACE, "wisdom") for kind in (HTTP_ROUTE, GRPC_ROUTE))
SETTINGS = {"drain": {"inFlightSeconds": 1, "propagationSeconds": {"gateway-api": 1}}}


def word(rollout: Rollout, ref: Ref, status: str = "True") -> None:
    """What a controller of Gateways says of a route as it is now."""
    route = rollout.get(ref)
    conditions = [
        {
            "type": kind,
            "status": status,
            "reason": "Told",
            "observedGeneration": route["metadata"]["generation"],
        }
        for kind in ("Accepted", "ResolvedRefs")
    ]
    parents = [
        {
            "parentRef": route["spec"]["parentRefs"][0],
            "controllerName": "example.com/one",
            "conditions": conditions,
        }
    ]
    rollout.cluster.set_status(ref, {"parents": parents})


def backends(rollout: Rollout, ref: Ref) -> set[str]:
    if not rollout.exists(ref):
        return set()
    return {one["name"] for one in rollout.get(ref)["spec"]["rules"][-1]["backendRefs"]}


def policy(rollout: Rollout, **config: Any) -> None:
    said = {name.replace("_", "-"): options for name, options in config.items()}
    rollout.policy(targetEnv="kserve", trafficStrategy="blue-green", router="gateway-api", config=said)


@pytest.fixture
def rollout(turnout_rollout: Callable[..., Rollout]) -> Rollout:
    rollout = turnout_rollout()
    for name in ("wisdom-0", "wisdom-1"):
        serve(rollout, name, standard)
    return rollout


BOTH = {"wisdom-0-predictor", "wisdom-1-predictor"}


def test_the_old_route_follows_while_that_of_another_protocol_is_not_taken(rollout: Rollout) -> None:
    """The same router writes a route of another kind."""
    policy(rollout, kserve={"protocol": "grpc"})
    rollout.start(settings=SETTINGS)
    rollout.until(lambda: backends(rollout, GRPC) == BOTH)
    word(rollout, GRPC)
    rollout.until(lambda: rollout.condition("Routed") == ("True", "InForce"))
    policy(rollout, kserve={"protocol": "http"})
    rollout.until(lambda: backends(rollout, HTTP) == BOTH)
    rollout.until(lambda: rollout.condition("Routed") == ("Unknown", "Pending"))
    serve(rollout, "wisdom-1", standard, ready="False")
    rollout.until(lambda: backends(rollout, HTTP) == {"wisdom-0-predictor"})
    rollout.settle()
    assert backends(rollout, GRPC) == {"wisdom-0-predictor"}


@pytest.mark.parametrize("said", ["False", "Unknown"])
def test_a_route_stays_with_its_gateway_while_the_new_one_is_not_programmed(
    rollout: Rollout, said: str
) -> None:
    policy(rollout)
    rollout.start(settings=SETTINGS)
    rollout.until(lambda: backends(rollout, HTTP) == BOTH)
    word(rollout, HTTP)
    rollout.until(lambda: rollout.condition("Routed") == ("True", "InForce"))
    policy(rollout, gateway_api={"gateway": "public"})
    public = Ref(GATEWAY, NAMESPACE, "public")
    rollout.until(lambda: rollout.exists(public))
    conditions = [
        {"type": "Programmed", "status": said, "reason": "AddressNotAssigned", "message": "none yet"}
    ]
    rollout.cluster.set_status(public, {"conditions": conditions})
    rollout.sleep(30)
    assert rollout.get(HTTP)["spec"]["parentRefs"][0]["name"] == "model-gateway"


def test_a_gateway_given_up_that_others_use(rollout: Rollout) -> None:
    for name in ("other-0", "other-1"):
        serve(rollout, name, standard)
    policy(rollout)
    rollout.policy("other", targetEnv="kserve", trafficStrategy="blue-green", router="gateway-api")
    rollout.start(settings=SETTINGS)
    other = Ref(HTTP_ROUTE, NAMESPACE, "other")
    rollout.until(lambda: rollout.exists(HTTP) and rollout.exists(other))
    word(rollout, HTTP)
    word(rollout, other)
    rollout.until(lambda: rollout.condition("Routed") == ("True", "InForce"))
    policy(rollout, gateway_api={"gateway": "public"})
    rollout.until(lambda: rollout.get(HTTP)["spec"]["parentRefs"][0]["name"] == "public")
    word(rollout, HTTP)
    rollout.sleep(60)
    assert rollout.condition("Routed") == ("True", "InForce")
