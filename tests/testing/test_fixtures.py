"""A rollout in memory with plugins that turnout does not bring: what an author of plugins gets."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.testing.conformance.sound import (
    ANYTHING,
    ENTRANCE,
    TABLE,
    WIDGET,
    SoundEnvironment,
    SoundRouter,
    SoundStrategy,
    definition,
    widget,
)
from turnout.plugin import Ref
from turnout.testing.memory import InMemoryCluster, StatusError
from turnout.testing.rollout import Rollout

pytest_plugins = ["turnout.testing.fixtures"]
Make = Callable[..., Rollout]


@pytest.fixture
def rollout(turnout_rollout: Make) -> Rollout:
    """A primary that has everything, and a controller at work."""
    made = turnout_rollout(SoundEnvironment(), SoundRouter())
    made.apply(widget("True"))
    made.policy(targetEnv="sound-widgets", trafficStrategy="blue-green", router="sound-table")
    made.start()
    made.until(lambda: made.split() == "wisdom-0 100%")
    return made


def weights(rollout: Rollout) -> dict[str, int]:
    """Those in the one route."""
    (table,) = rollout.written(TABLE)
    return {row["name"]: row["weight"] for row in table["spec"]["rules"][-1]["rows"]}


def test_a_candidate_is_split_to_weighted_promoted_and_deleted(rollout: Rollout) -> None:
    """With an environment and a router of one's own, and an installed strategy."""
    rollout.apply(widget("False", name="wisdom-1"))
    rollout.settle()
    assert weights(rollout) == {"wisdom-0": 50}
    rollout.apply(widget("True", name="wisdom-1"))
    rollout.until(lambda: weights(rollout) == {"wisdom-0": 50, "wisdom-1": 50})
    rollout.weights(wisdom_0=20, wisdom_1=80)
    rollout.until(lambda: rollout.split() == "wisdom-0 20% / wisdom-1 80%")
    rollout.apply(widget("True", generation=2))
    rollout.delete(Ref(WIDGET, "models", "wisdom-1"))
    rollout.until(lambda: weights(rollout) == {"wisdom-0": 20})
    rollout.until(lambda: not rollout.exists(Ref(WIDGET, "models", "wisdom-1")))
    assert rollout.condition("Ready") == ("True", "Ready")


def test_a_killed_controller_leaves_what_its_successor_takes_up(rollout: Rollout) -> None:
    rollout.kill()
    rollout.apply(widget("True", name="wisdom-1"))
    rollout.start()
    rollout.until(lambda: weights(rollout) == {"wisdom-0": 50, "wisdom-1": 50})


def test_what_does_not_come_about_tells_what_the_policies_say(rollout: Rollout) -> None:
    with pytest.raises(AssertionError, match=r"not within 2 s; the policies: - conditions:"):
        rollout.until(lambda: rollout.split() == "wisdom-1 100%", within=2)


def test_manifests_are_checked_by_their_definitions(turnout_rollout: Make) -> None:
    crds = (definition(TABLE, {"properties": {"rules": {"type": "string"}}}), definition(ENTRANCE, ANYTHING))
    rollout = turnout_rollout(SoundEnvironment(), SoundRouter(), crds=crds)
    rollout.apply(widget("True"))
    rollout.policy(targetEnv="sound-widgets", trafficStrategy="blue-green", router="sound-table")
    rollout.start()
    rollout.until(lambda: rollout.condition("Routed")[0] == "False")
    assert "spec.rules in body must be of type string" in rollout.message("Routed")


def test_a_plugin_stands_in_for_the_installed_one_of_its_name(turnout_rollout: Make) -> None:
    class Newer(SoundStrategy):
        """blue-green, as it will be."""

        name = "blue-green"

    newer = Newer()
    registry = turnout_rollout(newer).registry

    assert registry.strategy("blue-green").plugin is newer
    assert "canary" in registry.strategies


def test_the_cluster_knows_turnouts_own_kinds(turnout_cluster: InMemoryCluster) -> None:
    policy: dict[str, Any] = {
        "apiVersion": "turnout.dev/v1alpha1",
        "kind": "RoutingPolicy",
        "metadata": {"name": "wisdom"},
        "spec": {"targetEnv": "sound-widgets"},
    }

    with pytest.raises(StatusError, match=r"spec.modelVersions: Required value"):
        turnout_cluster.apply_manifest(policy)
