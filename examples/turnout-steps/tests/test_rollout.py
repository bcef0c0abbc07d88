"""A rollout by steps, with the controller and an API server in memory."""

from collections.abc import Callable
from functools import partial

import pytest

from turnout.plugin import Kind, Ref
from turnout.testing.rollout import Rollout

pytest_plugins = ["turnout.testing.fixtures"]

MODELS = Kind("serving.kserve.io", ("v1beta1",), "InferenceService", "inferenceservices")
MODEL = """
apiVersion: serving.kserve.io/v1beta1
kind: InferenceService
metadata: {name: %s, namespace: models}
status: {conditions: [{type: Ready, status: "%s"}]}
"""
STEPS = [{"weight": 10, "pause": "20s"}, {"weight": 50, "pause": "20s"}, {"weight": 100}]


@pytest.fixture
def rollout(turnout_rollout: Callable[..., Rollout]) -> Rollout:
    """A policy by steps with its primary; the plugin is the one that is installed."""
    made = turnout_rollout()
    made.apply(MODEL % ("wisdom-0", "True"))
    made.policy(
        targetEnv="kserve-modelmesh",
        trafficStrategy="steps",
        router="istio",
        config={"steps": {"steps": STEPS}},
    )
    made.start()
    made.until(lambda: made.split() == "wisdom-0 100%")
    return made


def reaches(rollout: Rollout, *splits: str) -> None:
    for split in splits:
        rollout.until(partial(_is, rollout, split))


def _is(rollout: Rollout, split: str) -> bool:
    return rollout.split() == split


def test_a_candidate_gains_step_by_step_without_anybody_doing_anything(rollout: Rollout) -> None:
    rollout.apply(MODEL % ("wisdom-1", "True"))

    reaches(rollout, "wisdom-0 90% / wisdom-1 10%")
    rollout.sleep(15)
    assert rollout.split() == "wisdom-0 90% / wisdom-1 10%"
    reaches(rollout, "wisdom-0 50% / wisdom-1 50%", "wisdom-1 100%")


def test_a_candidate_that_is_replaced_begins_again(rollout: Rollout) -> None:
    rollout.apply(MODEL % ("wisdom-1", "True"))
    reaches(rollout, "wisdom-0 90% / wisdom-1 10%", "wisdom-0 50% / wisdom-1 50%")

    rollout.delete(Ref(MODELS, "models", "wisdom-1"))
    reaches(rollout, "wisdom-0 100%")
    rollout.until(lambda: not rollout.exists(Ref(MODELS, "models", "wisdom-1")), within=120)
    rollout.apply(MODEL % ("wisdom-1", "True"))

    reaches(rollout, "wisdom-0 90% / wisdom-1 10%")


def test_another_controller_goes_on_where_the_first_was_killed(rollout: Rollout) -> None:
    rollout.apply(MODEL % ("wisdom-1", "True"))
    reaches(rollout, "wisdom-0 90% / wisdom-1 10%", "wisdom-0 50% / wisdom-1 50%")

    rollout.restart()
    rollout.sleep(10)

    assert rollout.split() == "wisdom-0 50% / wisdom-1 50%"
    reaches(rollout, "wisdom-1 100%")
