"""Which versions may carry traffic: what their objects say, and what they carry already."""

from collections.abc import Callable

import pytest

from tests.decision.world import World
from turnout.plugin import Observation, Ref
from turnout.reasons import Reason
from turnout.settings import Settings
from turnout.testing.builders import entry, observation, policy, spec
from turnout_kserve.address import SERVICE
from turnout_kserve_modelmesh.environment import INFERENCE_SERVICE, KServeModelMesh


@pytest.fixture
def world() -> World:
    """Two versions that share by halves."""
    world = World("blue-green").ready("wisdom-0", "wisdom-1")
    assert world.split() == {"wisdom-0": 50, "wisdom-1": 50}
    return world


def test_a_ready_version_gets_its_share() -> None:
    """The tutorial: everything to the primary, and halves once the candidate is ready."""
    world = World("blue-green").ready("wisdom-0")
    assert world.split() == {"wisdom-0": 100}

    assert world.ready("wisdom-1").split() == {"wisdom-0": 50, "wisdom-1": 50}


def test_a_version_that_is_not_ready_gets_nothing(world: World) -> None:
    assert world.down("wisdom-1").split() == {"wisdom-0": 100}


def test_a_version_whose_readiness_is_unknown_keeps_its_share(world: World) -> None:
    outcome = world.unknown("wisdom-1").decide()

    assert world.split() == {"wisdom-0": 50, "wisdom-1": 50}
    assert outcome.reasons["wisdom-1"] == "readiness unknown, keeps its share, weight 50 of 100"


def test_a_version_whose_readiness_is_unknown_does_not_enter() -> None:
    world = World("blue-green").ready("wisdom-0").unknown("wisdom-1")

    assert world.split() == {"wisdom-0": 100}
    assert world.ask().reasons["wisdom-1"] == "not ready: it has not said"


def test_a_version_that_left_does_not_come_back_by_being_unknown(world: World) -> None:
    world.down("wisdom-1").decide()

    assert world.unknown("wisdom-1").split() == {"wisdom-0": 100}


def test_a_version_without_an_object_gets_nothing(world: World) -> None:
    assert world.gone("wisdom-1").split() == {"wisdom-0": 100}
    assert world.ask().reasons["wisdom-1"] == "not ready: InferenceService models/wisdom-1 does not exist"


def test_a_version_that_is_being_deleted_leaves_at_once_though_it_still_is_ready(world: World) -> None:
    assert world.deleting("wisdom-1").split() == {"wisdom-0": 100}
    assert world.ask().reasons["wisdom-1"] == "not ready: InferenceService models/wisdom-1 is being deleted"


@pytest.mark.parametrize("lost", [World.down, World.gone, World.deleting], ids=["down", "gone", "deleting"])
def test_a_primary_that_is_lost_leaves_everything_to_the_candidate(
    world: World, lost: Callable[..., World]
) -> None:
    assert lost(world, "wisdom-0").split() == {"wisdom-1": 100}


def test_a_ready_version_does_not_enter_before_its_deletion_can_wait() -> None:
    world = World("blue-green").ready("wisdom-0").unprotected("wisdom-1")

    assert world.split() == {"wisdom-0": 100}
    version = world.ask().versions[1]
    assert (version.ready, version.available, version.reason) == (True, False, Reason.UNPROTECTED)


def test_a_version_in_force_that_lost_its_finalizer_stays(world: World) -> None:
    """`kubectl replace` drops the finalizer; that must not drop calls."""
    assert world.unprotected("wisdom-1").split() == {"wisdom-0": 50, "wisdom-1": 50}


def test_no_finalizer_is_asked_for_where_the_administrator_has_no_drain() -> None:
    world = World("blue-green", settings=Settings.of({"drain": {"enabled": False}}))

    assert world.unprotected("wisdom-0", "wisdom-1").split() == {"wisdom-0": 50, "wisdom-1": 50}


def test_another_object_of_the_same_name_has_to_become_ready_first(world: World) -> None:
    """Deleted and made anew: it is in force by its name, not by its uid."""
    assert world.unknown("wisdom-1", uid="another").split() == {"wisdom-0": 100}


def test_another_object_of_the_same_name_has_to_be_protected_first(world: World) -> None:
    assert world.ready("wisdom-1", uid="another", finalizers=()).split() == {"wisdom-0": 100}

    assert world.ready("wisdom-1", uid="another").split() == {"wisdom-0": 50, "wisdom-1": 50}


def test_an_object_that_no_plugin_has_read_is_unknown() -> None:
    world = World("blue-green").ready("wisdom-0")
    world.objects[world.accepted.refs["wisdom-1"][0]] = entry({}, uid="uid-of-wisdom-1")

    assert world.ask().versions[1].ready is None


def test_a_readiness_that_is_neither_true_nor_false_is_unknown() -> None:
    """A plugin that says "False" must not be taken for one that says True."""
    world = World("blue-green").ready("wisdom-0")
    seen = observation("False")  # type: ignore[arg-type]
    world.objects[world.accepted.refs["wisdom-1"][0]] = entry({"kserve-modelmesh": seen})

    assert world.ask().versions[1].ready is None


def test_a_version_without_a_backend_for_a_frontend_is_not_ready() -> None:
    world = World("blue-green", environment="toy-hosts").ready("wisdom-0", "wisdom-1")
    world.objects[world.accepted.refs["wisdom-1"][0]] = entry({"toy-hosts": observation(True)})

    assert world.split() == {"wisdom-0": 100}
    version = world.ask().versions[1]
    assert (version.ready, version.reason, version.message) == (
        False,
        Reason.NO_BACKEND,
        "it has no backend for http",
    )


def test_a_version_without_a_backend_tells_what_its_objects_say_of_it() -> None:
    world = World("blue-green", environment="toy-hosts").ready("wisdom-0")
    seen = observation(True, message="its status names no address")
    world.objects[world.accepted.refs["wisdom-1"][0]] = entry({"toy-hosts": seen})

    told = world.ask().versions[1].message

    assert told == "it has no backend for http: its status names no address"


def test_of_versions_with_the_same_backends_only_the_first_is_one() -> None:
    """Such as one with a status that was copied: the first would answer its calls."""
    world = World("blue-green", environment="kserve")
    for name in ("wisdom-0", "wisdom-1"):
        seen = Observation(True, "Ready", addresses=((SERVICE, "wisdom-0-predictor"),))
        world.objects[world.accepted.refs[name][0]] = entry({"kserve": seen})

    assert world.split() == {"wisdom-0": 100}
    _, version = world.ask().versions
    assert (version.ready, version.reason) == (False, Reason.NO_BACKEND)
    assert version.message == "it has the same backends as wisdom-0, which would answer its calls"


class Twofold(KServeModelMesh):
    """Each version is two objects."""

    name = "twofold"

    def refs(self, version: object, options: object) -> tuple[Ref, ...]:
        return tuple(
            Ref(INFERENCE_SERVICE, "models", f"{version.name}{end}")  # type: ignore[attr-defined]
            for end in ("", "-helper")
        )


@pytest.mark.parametrize(
    ("main", "helper", "verdict"),
    [
        pytest.param(True, True, True, id="both ready"),
        pytest.param(True, False, False, id="one not ready"),
        pytest.param(True, None, None, id="one unknown"),
        pytest.param(None, False, False, id="one unknown and one not ready"),
        pytest.param(None, True, None, id="the main one unknown"),
        pytest.param(True, "missing", False, id="one missing"),
    ],
)
def test_of_several_objects_the_worst_decides(
    main: bool | None, helper: bool | str | None, verdict: bool | None
) -> None:
    world = World("blue-green", policy("wisdom-0"), environment=Twofold())
    for ref, ready in zip(world.accepted.refs["wisdom-0"], (main, helper), strict=True):
        if not isinstance(ready, str):
            world.objects[ref] = entry({"twofold": observation(ready)}, uid=ref.name)

    assert world.ask().versions[0].ready is verdict


def test_a_version_says_the_revisions_of_all_its_objects_and_the_first_ones_label() -> None:
    world = World("blue-green", policy("wisdom-0"), environment=Twofold())
    main, helper = world.accepted.refs["wisdom-0"]
    world.objects[main] = entry({"twofold": Observation(True, "Ready", revision="3", app_version="v1")})
    world.objects[helper] = entry({"twofold": Observation(True, "Ready", revision="7", app_version="v9")})

    version = world.ask().versions[0]

    assert (version.revision, version.app_version) == ("3/7", "v1")


def test_a_version_does_not_enter_before_the_deletion_of_all_its_objects_can_wait() -> None:
    world = World("blue-green", policy("wisdom-0"), environment=Twofold())
    main, helper = world.accepted.refs["wisdom-0"]
    world.objects[main] = entry({"twofold": observation(True)})
    world.objects[helper] = entry({"twofold": observation(True)}, finalizers=())

    version = world.ask().versions[0]

    assert (version.available, version.reason, version.message) == (
        False,
        Reason.UNPROTECTED,
        "the finalizer turnout.dev/drain is not on InferenceService models/wisdom-0-helper yet",
    )


def test_versions_are_in_the_policys_order_whatever_the_primary() -> None:
    world = World("blue-green", policy(spec("b"), spec("a"), primary="a")).ready("a", "b")

    assert [version.name for version in world.ask().versions] == ["b", "a"]
