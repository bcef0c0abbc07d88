"""What a policy's status says, read."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given

from tests.client.policies import status
from tests.decision.generating import JSON
from turnout.rollout import Rollout, Route

POLICY: dict[str, Any] = {
    "metadata": {
        "namespace": "models",
        "name": "wisdom",
        "generation": 1,
        "creationTimestamp": "2026-01-02T03:04:05Z",
    },
    "spec": {
        "targetEnv": "kserve",
        "trafficStrategy": "blue-green",
        "router": "istio",
        "modelVersions": [{"name": "wisdom-0"}, {"name": "wisdom-1"}],
    },
}
MOVING = ("False", "Moving", "waits for wisdom-1")


def rollout(said: dict[str, Any] | None = None) -> Rollout:
    return Rollout.read({**POLICY, "status": said} if said else POLICY)


def test_all_that_a_policy_says() -> None:
    said = status("20%", "80%")
    said["versions"][1] |= {
        "appVersion": "v1",
        "weight": 80,
        "reason": "Ready",
        "message": "weight 80 of 100",
    }
    route = {"apiVersion": "v1", "kind": "ConfigMap", "namespace": "models", "name": "wisdom-envoy"}
    found = rollout({**said, "routes": [route]})

    assert (found.environment, found.strategy, found.router) == ("kserve", "blue-green", "istio")
    assert found.created == found.conditions["Ready"].since == datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    assert found.names == ("wisdom-0", "wisdom-1")
    second = found.versions[1]
    assert (second.role, second.ready, second.app_version) == ("candidate", True, "v1")
    assert (second.weight, second.share, second.message) == (80, "80%", "weight 80 of 100")
    assert found.routes == (Route("v1", "ConfigMap", "models", "wisdom-envoy"),)
    assert {name: share.middle for name, share in found.shares.items()} == {"wisdom-0": 0.2, "wisdom-1": 0.8}
    assert found.data()["versions"][1]["appVersion"] == "v1"
    assert found.data()["routes"] == [route]


@pytest.mark.parametrize(
    ("said", "ready", "in_force", "awaits"),
    [
        pytest.param(None, None, False, "no controller has looked at it yet", id="nobody has looked"),
        pytest.param(status("100%"), True, True, "", id="well"),
        pytest.param(
            status("100%", generation=0),
            None,
            False,
            "the controller has not yet seen the policy as it is now",
            id="of another spec",
        ),
        pytest.param(
            status("100%", routed=MOVING),
            True,
            False,
            "Routed is False: Moving: waits for wisdom-1",
            id="moving, and ready",
        ),
        pytest.param(
            status("100%", routed=("True", "Moving", "being removed")),
            True,
            False,
            "Routed is True: Moving: being removed",
            id="something is left over",
        ),
        pytest.param(status("100%", ready="Unknown"), None, True, "Ready is Unknown: Ready", id="unknown"),
    ],
)
def test_what_it_is_and_what_it_waits_for(
    said: dict[str, Any] | None, ready: bool | None, in_force: bool, awaits: str
) -> None:
    found = rollout(said)
    assert (found.ready, found.in_force, found.awaits) == (ready, in_force, awaits)


@pytest.mark.parametrize(
    ("shares", "weights", "holds"),
    [
        pytest.param(("20%", "80%"), {"wisdom-0": 20, "wisdom-1": 80}, True, id="as percentages"),
        pytest.param(("20%", "80%"), {"wisdom-0": 1, "wisdom-1": 4}, True, id="relative"),
        pytest.param(("33.3%", "66.7%"), {"wisdom-0": 1, "wisdom-1": 2}, True, id="rounded"),
        pytest.param(("33.2%", "66.8%"), {"wisdom-0": 1, "wisdom-1": 2}, False, id="a tenth off"),
        pytest.param(("100%", "0%"), {"wisdom-0": 1}, True, id="one is not named, and has none"),
        pytest.param(("20%", "80%"), {"wisdom-0": 1}, False, id="one is not named, and has some"),
        pytest.param(("100%",), {"wisdom-0": 1, "wisdom-1": 0}, False, id="one of which nothing is said"),
        pytest.param(("100%", "match"), {"wisdom-0": 1, "wisdom-1": 0}, True, id="calls of a match apart"),
    ],
)
def test_how_calls_are_shared(shares: tuple[str, ...], weights: dict[str, float], holds: bool) -> None:
    assert rollout(status(*shares)).shared_by(weights) == holds
    assert not rollout(status(*shares, routed=MOVING)).shared_by(weights)


@given(JSON, JSON, JSON)
def test_an_object_of_any_shape_is_read(metadata: Any, spec: Any, said: Any) -> None:
    found = Rollout.read({"metadata": metadata, "spec": spec, "status": said})
    assert not found.ready or found.conditions
    assert found.data()["name"] == found.name
