"""A policy gets another environment: its routes follow when that can take over, and no sooner."""

from dataclasses import replace
from datetime import datetime

import pytest

from tests.decision.world import World
from tests.toys.hosts import KNATIVE_SERVICE
from turnout.plugin import Ref
from turnout.reasons import Reason
from turnout.testing.builders import NAMESPACE, NOW, entry, observation, policy, spec
from turnout_kserve_modelmesh.environment import INFERENCE_SERVICE

HALVES = {"wisdom-0": 50, "wisdom-1": 50}


@pytest.fixture
def world() -> World:
    """50/50 between two InferenceServices, and the policy now asks for hosts, of which there are none."""
    before = World("blue-green").ready("wisdom-0", "wisdom-1")
    assert before.split() == HALVES
    return before.move("toy-hosts")


def host(world: World, name: str, ready: bool | None = True) -> None:
    """Deploy a version in the new environment."""
    seen = observation(ready, addresses=(("authority", f"{name}.example.com"),))
    ref = Ref(KNATIVE_SERVICE, NAMESPACE, name)
    world.objects[ref] = entry({"toy-hosts": seen}, uid=f"uid-of-host-{name}", finalizers=())


def routed(world: World) -> set[str]:
    """The uids of the versions to which the routes lead, once more has been decided."""
    plan = world.decide().plan
    return {version.uid for version in plan.versions()} if plan else set()


def test_the_routes_stay_while_nothing_is_there(world: World) -> None:
    outcome = world.decide()

    assert outcome.held is Reason.MOVING
    assert outcome.environment == "kserve-modelmesh"
    assert [version.name for version in outcome.awaited] == ["wisdom-0", "wisdom-1"]
    assert world.split() == HALVES
    assert routed(world) == {"uid-of-wisdom-0", "uid-of-wisdom-1"}


def test_the_routes_stay_while_one_of_them_is_missing(world: World) -> None:
    """Else the move would shift the traffic, to the candidate alone or away from it."""
    host(world, "wisdom-0")
    assert routed(world) == {"uid-of-wisdom-0", "uid-of-wisdom-1"}
    host(world, "wisdom-1", ready=None)
    outcome = world.ask()
    assert [version.name for version in outcome.awaited] == ["wisdom-1"]


def test_the_routes_follow_once_all_are_there(world: World) -> None:
    world.decide()
    for name in HALVES:
        host(world, name)

    outcome = world.decide()

    assert (outcome.held, outcome.environment) == (None, "toy-hosts")
    assert world.split() == HALVES
    assert routed(world) == {"uid-of-host-wisdom-0", "uid-of-host-wisdom-1"}


def test_a_version_with_weight_0_is_not_waited_for(world: World) -> None:
    host(world, "wisdom-0")
    world.change(policy(spec("wisdom-0"), spec("wisdom-1", 0)))

    assert world.split() == {"wisdom-0": 100}
    assert routed(world) == {"uid-of-host-wisdom-0"}


def test_a_version_that_the_policy_no_longer_names_is_not_waited_for(world: World) -> None:
    host(world, "other")
    world.change(policy("other"))

    assert routed(world) == {"uid-of-host-other"}


def test_a_version_that_is_deployed_is_waited_for_though_none_of_its_name_is_routed(world: World) -> None:
    """Else all calls would go to the first that is ready."""
    world.change(policy("one", "two", "three"))
    host(world, "one")
    host(world, "two", ready=False)
    assert [version.name for version in world.ask().awaited] == ["two"]
    host(world, "two")
    assert routed(world) == {"uid-of-host-one", "uid-of-host-two"}


def test_versions_under_other_names_are_waited_for(world: World) -> None:
    """Nothing of theirs is routed, and what is routed is not theirs: it still serves."""
    world.change(policy("other"))
    assert routed(world) == {"uid-of-wisdom-0", "uid-of-wisdom-1"}


@pytest.mark.parametrize("deleting", [NOW, None], ids=["deleting", "gone"])
def test_a_version_that_goes_meanwhile_leaves_the_routes(world: World, deleting: datetime | None) -> None:
    ref = Ref(INFERENCE_SERVICE, NAMESPACE, "wisdom-1")
    if deleting:
        world.objects[ref] = replace(world.objects[ref], deleting=deleting)
    else:
        del world.objects[ref]

    assert world.split() == {"wisdom-0": 100}
    assert world.ask().held is Reason.MOVING


def test_a_version_that_fails_meanwhile_leaves_the_routes_to_the_other(world: World) -> None:
    for name, shares in (("wisdom-1", {"wisdom-0": 100}), ("wisdom-0", {"wisdom-0": 100})):
        ref = Ref(INFERENCE_SERVICE, NAMESPACE, name)
        down = {"kserve-modelmesh": observation(False)}
        world.objects[ref] = replace(world.objects[ref], observations=down)

        assert world.split() == shares


def test_the_new_environment_has_its_turn_once_nothing_of_the_former_is_left(world: World) -> None:
    host(world, "wisdom-1")
    world.objects = {ref: known for ref, known in world.objects.items() if ref.kind == KNATIVE_SERVICE}

    assert routed(world) == {"uid-of-host-wisdom-1"}


def test_an_environment_that_is_not_installed_any_more_leaves_the_routes_as_they_are(world: World) -> None:
    assert world.carried is not None
    world.carried = replace(world.carried, environment="gone")
    world.objects.clear()

    assert routed(world) == {"uid-of-wisdom-0", "uid-of-wisdom-1"}
    assert world.ask().held is Reason.MOVING
