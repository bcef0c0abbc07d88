"""Versions whose objects ask the router for what it cannot carry: what the controller says of them, and does."""

from collections.abc import Callable

import pytest

from tests.runtime.serving import serve
from tests.support.kserve import knative, standard
from turnout.plugin import Ref
from turnout.testing.builders import NAMESPACE
from turnout.testing.rollout import Rollout
from turnout_gateway_api.routes import HTTP_ROUTE

pytest_plugins = ["turnout.testing.fixtures"]
ROUTE = Ref(HTTP_ROUTE, NAMESPACE, "wisdom")
SETTINGS = {"drain": {"inFlightSeconds": 1, "propagationSeconds": {"gateway-api": 1}}}


@pytest.fixture
def rollout(turnout_rollout: Callable[..., Rollout]) -> Rollout:
    return turnout_rollout()


def backends(rollout: Rollout) -> set[str]:
    """The Services to which the route leads."""
    if not rollout.exists(ROUTE):
        return set()
    return {ref["name"] for ref in rollout.get(ROUTE)["spec"]["rules"][-1]["backendRefs"]}


def test_a_version_in_another_mode_holds_up_nobody(rollout: Rollout) -> None:
    """Deployed while two share: it is told why it gets nothing, and the others still stand in for each other."""
    versions = [{"name": f"wisdom-{number}"} for number in range(3)]
    for name in ("wisdom-0", "wisdom-1"):
        serve(rollout, name, standard)
    rollout.policy(
        targetEnv="kserve", trafficStrategy="blue-green", router="gateway-api", modelVersions=versions
    )
    rollout.start(settings=SETTINGS)
    rollout.until(lambda: backends(rollout) == {"wisdom-0-predictor", "wisdom-1-predictor"})

    serve(rollout, "wisdom-2", knative, ready="False")
    rollout.settle()
    assert rollout.condition("Accepted") == ("True", "Valid")
    serve(rollout, "wisdom-2", knative)
    rollout.until(lambda: rollout.status()["versions"][2].get("reason") == "Unsupported")
    told = rollout.status()["versions"][2]
    assert told["ready"] == "False"
    assert told["message"].endswith(
        "gateway-api cannot carry authority-per-share, which kserve with blue-green needs here; "
        "routers that can: envoy, istio"
    )
    assert rollout.condition("Accepted") == ("True", "Valid")
    assert backends(rollout) == {"wisdom-0-predictor", "wisdom-1-predictor"}

    serve(rollout, "wisdom-0", standard, ready="False")
    rollout.until(lambda: backends(rollout) == {"wisdom-1-predictor"})


def test_where_no_version_can_be_carried_routed_says_so(rollout: Rollout) -> None:
    """The policy is accepted: another object of that name may be one that can."""
    config = {"kserve": {"protocol": "grpc"}}
    serve(rollout, "wisdom-0", knative)
    rollout.policy(targetEnv="kserve", trafficStrategy="blue-green", router="gateway-api", config=config)
    rollout.start(settings=SETTINGS)
    rollout.until(lambda: rollout.condition("Routed") == ("False", "Unsupported"))

    assert rollout.condition("Accepted") == ("True", "Valid")
    assert rollout.condition("Ready")[0] == "False"
    assert rollout.message("Routed").endswith("routers that can: envoy, istio; the routes stay as they are")
    assert rollout.status()["versions"][0]["reason"] == "Unsupported"
    assert rollout.cluster.objects(HTTP_ROUTE) == []
