"""A policy gets another environment: its routes follow when that can take over, and no sooner."""

from dataclasses import replace
from datetime import datetime

import pytest

from tests.decision.world import World
from tests.toys.hosts import KNATIVE_SERVICE
from turnout.calling import Calls
from turnout.decision.accept import Refused
from turnout.decision.assess import Assessment, Assessor
from turnout.decision.declare import Admitted, WeightsVerdict
from turnout.decision.stored import dump
from turnout.plugin import Ref
from turnout.reasons import Reason
from turnout.settings import Settings
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


def former(world: World, name: str, ready: bool | None, **fields: object) -> None:
    """What becomes of a version of the former environment."""
    ref = Ref(INFERENCE_SERVICE, NAMESPACE, name)
    seen = {"kserve-modelmesh": observation(ready)}
    world.objects[ref] = replace(world.objects[ref], observations=seen, **fields)  # type: ignore[arg-type]


def test_a_version_that_fails_meanwhile_leaves_the_routes_to_the_other(world: World) -> None:
    for name, shares in (("wisdom-1", {"wisdom-0": 100}), ("wisdom-0", {"wisdom-0": 100})):
        former(world, name, ready=False)

        assert world.split() == shares


def test_a_version_that_recovers_meanwhile_has_its_share_again(world: World) -> None:
    """Whatever was written while it was down: every decision starts from what was in force at first."""
    former(world, "wisdom-0", ready=False)
    assert world.split() == {"wisdom-1": 100}
    former(world, "wisdom-0", ready=True)
    assert world.split() == HALVES


@pytest.mark.parametrize(
    ("ready", "fields"),
    [(None, {}), (True, {"finalizers": ()}), (True, {"uid": "another"})],
    ids=["unknown", "unprotected", "another object"],
)
def test_a_version_that_has_left_comes_back_only_as_any_version_enters(
    world: World, ready: bool | None, fields: dict[str, object]
) -> None:
    former(world, "wisdom-0", ready=False)
    assert world.split() == {"wisdom-1": 100}
    former(world, "wisdom-0", ready=ready, **fields)
    assert world.split() == {"wisdom-1": 100}


def test_a_version_of_unknown_readiness_keeps_its_share(world: World) -> None:
    former(world, "wisdom-0", ready=None)
    assert world.split() == HALVES


def test_the_last_one_keeps_the_calls_when_it_fails_as_well(world: World) -> None:
    """Nothing enters the routes that is not ready."""
    for name in HALVES:
        former(world, name, ready=False)
        world.decide()

    assert world.split() == {"wisdom-1": 100}


def test_a_version_that_gets_weight_0_leaves_the_routes(world: World) -> None:
    world.change(policy("wisdom-0", spec("wisdom-1", 0)))
    assert world.split() == {"wisdom-0": 100}
    former(world, "wisdom-0", ready=False)
    assert world.split() == {"wisdom-0": 100}
    former(world, "wisdom-0", ready=True)
    world.change(policy("wisdom-0", "wisdom-1"))
    assert world.split() == HALVES


def test_what_is_in_force_is_not_rewritten_by_the_move(world: World) -> None:
    outcome = world.ask()
    assert world.carried is not None
    assert outcome.carried is not None
    assert dump(outcome.carried) == dump(world.carried)


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


STATEFUL = {"deployment": {"workload": "StatefulSet", "serviceSuffix": "-calls"}}


@pytest.fixture
def stateful() -> World:
    """20/80 between two StatefulSets, and the policy now asks for InferenceServices, and says no more."""
    split = policy(spec("wisdom-0", 20), spec("wisdom-1", 80))
    before = World("blue-green", split, environment="deployment", config=STATEFUL)
    before.ready("wisdom-0", "wisdom-1").decide()
    before.config = {}
    return before.move("kserve")


def test_the_options_of_the_former_environment_may_go_in_the_same_edit(stateful: World) -> None:
    """By the default options its versions would be Deployments, of which there are none."""
    outcome = stateful.decide()

    assert (outcome.held, outcome.environment) == (Reason.MOVING, "deployment")
    assert stateful.split() == {"wisdom-0": 20, "wisdom-1": 80}
    stateful.objects = {ref: one for ref, one in stateful.objects.items() if "wisdom-1" not in ref.name}
    assert stateful.split() == {"wisdom-0": 100}


def test_options_that_the_routes_do_not_tell_are_the_policys(stateful: World) -> None:
    """An earlier turnout has written them."""
    assert stateful.carried is not None
    stateful.carried = replace(stateful.carried, config={})
    stateful.config = STATEFUL

    assert stateful.move("kserve").split() == {"wisdom-0": 20, "wisdom-1": 80}


def test_options_that_the_former_environment_does_not_take_leave_the_routes_as_they_are(
    stateful: World,
) -> None:
    assert stateful.carried is not None
    stateful.carried = replace(stateful.carried, config={"deployment": {"workload": "Job"}})
    stateful.objects.clear()

    assert stateful.split() == {"wisdom-0": 20, "wisdom-1": 80}


def assess(world: World) -> Assessment:
    admitted = Admitted(world.accepted, False, WeightsVerdict())
    assessor = Assessor(world.registry, world.settings)
    return assessor.assess(admitted, {}, world.carried, world.objects.get, world.now, Calls())


def test_a_router_that_cannot_carry_what_is_in_force_leaves_it_as_it_is() -> None:
    """Copies to ModelMesh need a header, which HTTPRoutes cannot set; to other environments they do not."""
    world = World("mirror").ready("wisdom-0", "wisdom-1")
    world.decide()
    world.names[2] = "gateway-api"
    found = assess(world.move("kserve", policy("pod-0", "pod-1")))

    assert found.failure is None
    assert found.outcome is not None
    assert found.outcome.held is Reason.MOVING
    assert found.rendered == ()
    world.ready("pod-0").down("pod-1")
    assert assess(world).rendered == ()
    world.ready("pod-1")
    assert [item.ref.kind.kind for item in assess(world).rendered] == ["Gateway", "HTTPRoute"]


def test_routes_into_a_namespace_that_is_allowed_no_more_stay_as_they_are() -> None:
    """The policy asks for nothing there any more."""
    settings = Settings.of({"allowNamespaces": {NAMESPACE: ["modelmesh-serving"]}})
    config = {"kserve-modelmesh": {"namespace": "modelmesh-serving"}}
    world = World("blue-green", config=config, settings=settings).ready("wisdom-0", "wisdom-1")
    assert world.split() == HALVES
    world.settings = Settings()
    found = assess(world.move("toy-hosts"))

    assert found.failure is None
    assert found.outcome is not None
    assert (found.outcome.held, found.rendered) == (Reason.MOVING, ())


def test_a_router_that_cannot_carry_what_the_policy_asks_is_refused_while_it_moves(world: World) -> None:
    world.names = ["toy-hosts", "mirror", "toy-table"]
    with pytest.raises(Refused) as refused:
        world.change(policy()).ask()
    assert refused.value.reason is Reason.UNSUPPORTED
