"""No version can carry traffic: the routes in force are held."""

from dataclasses import replace
from typing import Any

import pytest

from tests.decision.world import World
from turnout.calling import Calls
from turnout.decision.render import render
from turnout.plugin import Match
from turnout.reasons import Reason
from turnout.testing.builders import observation, policy, spec


@pytest.fixture
def world() -> World:
    """Three versions in force, by 20, 30 and 50."""
    specs = [spec("wisdom-0", 20), spec("wisdom-1", 30), spec("wisdom-2", 50)]
    world = World("blue-green", policy(*specs)).ready("wisdom-0", "wisdom-1", "wisdom-2")
    assert world.split() == {"wisdom-0": 20, "wisdom-1": 30, "wisdom-2": 50}
    return world


def test_the_routes_in_force_stay_when_no_version_is_ready(world: World) -> None:
    """Not: everything to the primary, which is as broken as the others."""
    outcome = world.down("wisdom-0", "wisdom-1", "wisdom-2").ask()

    assert world.split() == {"wisdom-0": 20, "wisdom-1": 30, "wisdom-2": 50}
    assert outcome.held is Reason.NO_VERSION_READY
    assert outcome.reasons["wisdom-2"] == "it crashed"


@pytest.mark.parametrize("lost", [World.gone, World.deleting], ids=["gone", "deleting"])
def test_versions_that_are_gone_are_left_out(world: World, lost: Any) -> None:
    lost(world.down("wisdom-0", "wisdom-1"), "wisdom-2")

    assert world.split() == {"wisdom-0": 40, "wisdom-1": 60}


def test_another_object_of_the_same_name_does_not_take_the_place(world: World) -> None:
    world.down("wisdom-0", "wisdom-1").down("wisdom-2", uid="another")

    assert world.split() == {"wisdom-0": 40, "wisdom-1": 60}


def test_the_primary_gets_everything_when_all_are_gone(world: World) -> None:
    assert world.gone("wisdom-0", "wisdom-1", "wisdom-2").split() == {"wisdom-0": 100}


def test_the_primary_gets_everything_when_nothing_is_in_force() -> None:
    """The tutorial initializes the routes while the model is still being loaded."""
    world = World("blue-green").unknown("wisdom-0")

    outcome = world.ask()

    assert world.split() == {"wisdom-0": 100}
    assert outcome.held is Reason.NO_VERSION_READY


def test_nothing_is_routed_when_no_backend_is_known_for_the_primary() -> None:
    world = World("blue-green", environment="toy-hosts")

    outcome = world.decide()

    assert (outcome.plan, outcome.held) == (None, Reason.NO_VERSION_READY)


def test_an_environments_own_reason_missing_does_not_make_a_version_gone(world: World) -> None:
    """Only core knows whether an object exists."""
    for entry_of in world.accepted.refs.values():
        known = world.objects[entry_of[0]]
        seen = observation(False, reason="Missing", message="the model file is missing")
        world.objects[entry_of[0]] = replace(known, observations={"kserve-modelmesh": seen})

    assert world.split() == {"wisdom-0": 20, "wisdom-1": 30, "wisdom-2": 50}


def test_a_version_that_got_weight_0_leaves_though_nothing_is_ready(world: World) -> None:
    specs = [spec("wisdom-0", 20), spec("wisdom-1", 30), spec("wisdom-2", 0)]
    world.down("wisdom-0", "wisdom-1", "wisdom-2").change(policy(*specs))

    assert world.split() == {"wisdom-0": 40, "wisdom-1": 60}


def test_versions_of_weight_0_stay_where_nothing_else_is_left(world: World) -> None:
    specs = [spec("wisdom-0", 0), spec("wisdom-1", 0), spec("wisdom-2", 0)]
    world.down("wisdom-0", "wisdom-1").gone("wisdom-2").change(policy(*specs))

    assert world.split() == {"wisdom-0": 40, "wisdom-1": 60}


def test_all_weights_0_hold_what_is_in_force(world: World) -> None:
    specs = [spec("wisdom-0", 0), spec("wisdom-1", 0), spec("wisdom-2", 0)]

    outcome = world.change(policy(*specs)).ask()

    assert world.split() == {"wisdom-0": 20, "wisdom-1": 30, "wisdom-2": 50}
    assert outcome.held is Reason.NO_WEIGHT


def test_all_weights_0_with_nothing_in_force_go_to_the_primary() -> None:
    world = World("blue-green", policy(spec("wisdom-0", 0), spec("wisdom-1", 0)))

    outcome = world.ready("wisdom-0", "wisdom-1").ask()

    assert world.split() == {"wisdom-0": 100}
    assert outcome.held is Reason.NO_WEIGHT


def test_an_aborted_candidate_leaves_to_a_primary_that_is_not_ready() -> None:
    world = World("blue-green").ready("wisdom-0", "wisdom-1")
    world.decide()

    world.change(policy("wisdom-0", spec("wisdom-1", 0))).down("wisdom-0")

    assert world.split() == {"wisdom-0": 100}


def test_rules_with_matches_and_mirrors_are_held_too() -> None:
    world = World("canary").ready("wisdom-0", "wisdom-1")
    world.decide()

    world.down("wisdom-0", "wisdom-1").decide()

    assert world.matched() == {"wisdom-1": "wisdom-1"}


def test_a_rule_whose_version_is_gone_is_not_held() -> None:
    world = World("canary").ready("wisdom-0", "wisdom-1")
    world.decide()

    world.down("wisdom-0").gone("wisdom-1").decide()

    assert world.matched() == {}


def test_a_version_comes_back_with_its_share_when_it_is_ready_again(world: World) -> None:
    world.down("wisdom-0", "wisdom-1", "wisdom-2").decide()

    assert world.ready("wisdom-1").split() == {"wisdom-1": 100}


def test_of_the_routes_in_force_only_ready_versions_stay_where_the_primary_cannot_be_reached() -> None:
    """A canary whose primary was never seen: what is in force came from another strategy."""
    before = World("blue-green", environment="toy-hosts", of=policy("wisdom-0", "wisdom-1", "wisdom-2"))
    before.ready("wisdom-1", "wisdom-2").decide()
    world = World("canary", environment="toy-hosts", of=policy("wisdom-0", "wisdom-1", "wisdom-2"))
    world.in_force = before.in_force

    outcome = world.ready("wisdom-1").down("wisdom-2").ask()

    assert world.split() == {"wisdom-1": 100}
    assert outcome.held is Reason.NO_BACKEND


def test_what_is_held_is_not_rendered_by_a_router_that_cannot_say_it() -> None:
    """The router was changed while nothing is ready: better no new routes than wrong ones."""
    before = World("canary", of=policy("wisdom-0", spec("wisdom-1", None, Match(method="POST"))))
    before.ready("wisdom-0", "wisdom-1").decide()
    world = World("blue-green", router="toy-table")
    world.in_force = before.in_force

    outcome = world.down("wisdom-0", "wisdom-1").ask()

    assert outcome.plan is None
    assert outcome.refused
    assert outcome.refused[0] is Reason.UNSUPPORTED


def test_backends_in_force_do_not_leave_the_allowed_namespaces() -> None:
    world = World("blue-green", environment="toy-hosts").ready("wisdom-0")
    world.decide()
    assert world.in_force is not None
    share = world.in_force.rules[-1].shares[0]
    backends = dict(share.version.backends)
    backends["http"] = type(backends["http"])("secret", "kube-system", 443)
    object.__setattr__(share.version, "backends", backends)

    outcome = world.gone("wisdom-0").ask()

    assert outcome.plan is None
    assert outcome.refused
    assert outcome.refused[0] is Reason.NAMESPACE_NOT_ALLOWED


def test_a_held_plan_can_be_rendered(world: World) -> None:
    outcome = world.down("wisdom-0", "wisdom-1", "wisdom-2").decide()

    assert outcome.plan is not None
    assert [item.ref.kind.kind for item in render(outcome.plan, world.accepted, Calls())] == [
        "Gateway",
        "ServiceEntry",
        "VirtualService",
    ]
