"""Finalizers and deletion: a version leaves the routes first, and goes once no call can reach it."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from tests.runtime.draining import HELD, SLACK, SOON, SPOILT, seconds_to_go
from tests.runtime.harness import IN_FLIGHT, LIMIT, NAMESPACE, Bed, isvc, loses, refuse, rp, vs
from tests.toys import ToyHosts
from tests.toys.table import CONFIG_MAP
from turnout.names import FINALIZER_DRAIN
from turnout.plugin import Ref, VersionSpec
from turnout.testing.memory import StatusError
from turnout_istio.virtual_service import VIRTUAL_SERVICE
from turnout_kserve_modelmesh.environment import INFERENCE_SERVICE, KServeModelMesh

# the finalizer


def test_a_version_is_protected_before_it_is_routed(bed: Bed) -> None:
    """Each route that is written leads only to versions that are."""
    routed: list[bool] = []

    def look(request: Any, response: object) -> None:
        if "/virtualservices/" in request.path and request.method == "PATCH":
            routed.extend(bed.protected(name) for name in bed.shares())

    bed.cluster.on_response = look
    bed.policy()
    bed.start()
    bed.settle()
    bed.version("wisdom-0")
    bed.until(lambda: bed.shares() == {"wisdom-0": 100})
    bed.version("wisdom-1")
    bed.until(lambda: "wisdom-1" in bed.shares())
    assert routed
    assert all(routed[1:])  # the first leads to a primary that does not exist


def test_a_finalizer_that_replace_dropped_is_put_back(halves: Bed) -> None:
    """Without a write of the routes."""
    halves.cluster.patch(isvc("wisdom-0"), {"metadata": {"finalizers": None}})
    halves.until(lambda: halves.protected("wisdom-0"))
    halves.settle()
    assert halves.writes == ["patch inferenceservices/wisdom-0"]


def test_finalizers_of_others_are_kept(halves: Bed) -> None:
    """When ours is put on, and when it is taken off."""
    halves.cluster.patch(isvc("wisdom-1"), {"metadata": {"finalizers": ["kserve/own"]}})
    halves.until(lambda: halves.finalizers("wisdom-1") == ["kserve/own", FINALIZER_DRAIN])
    halves.delete(isvc("wisdom-1"))
    halves.until(lambda: halves.finalizers("wisdom-1") == ["kserve/own"])


def test_a_version_that_no_policy_names_is_left_alone(halves: Bed) -> None:
    halves.version("stranger")
    halves.settle()
    assert halves.writes == []


def test_finalizers_of_policies_that_are_gone_are_taken_off_at_start(bed: Bed) -> None:
    """Whichever policies there are, or none."""
    bed.version("orphan", finalizers=[FINALIZER_DRAIN])
    bed.start()
    bed.until(lambda: not bed.protected("orphan"))


def test_nobody_else_gets_a_finalizer_while_it_is_deleted(bed: Bed) -> None:
    """The API server would refuse it."""
    bed.version("wisdom-0", finalizers=["kserve/own"])
    bed.delete(isvc("wisdom-0"))
    bed.policy()
    bed.start()
    bed.settle()
    assert bed.finalizers("wisdom-0") == ["kserve/own"]
    assert "patch inferenceservices/wisdom-0" not in bed.writes


@pytest.mark.parametrize("happens", ["changed", "deleted", "marked", "replaced"])
def test_a_version_that_changes_before_the_finalizer_arrives_is_looked_at_again(
    bed: Bed, happens: str
) -> None:
    """The API server answers 409, 404 or 422; it ends as if it had happened before."""
    bed.version("wisdom-0", finalizers=["kserve/own"])
    bed.version("wisdom-1")
    bed.policy()
    done: list[bool] = []

    def hook(request: Any) -> None:
        if request.method != "PATCH" or "inferenceservices/wisdom-0" not in request.path or done:
            return
        done.append(True)
        if happens == "changed":
            bed.cluster.patch(isvc("wisdom-0"), {"metadata": {"labels": {"team": "a"}}})
            return
        bed.delete(isvc("wisdom-0"))
        if happens != "marked":
            bed.cluster.patch(isvc("wisdom-0"), {"metadata": {"finalizers": None}})
        if happens == "replaced":
            bed.version("wisdom-0")

    bed.cluster.on_request = hook
    bed.start()
    expected = {"wisdom-1": 50} if happens in ("deleted", "marked") else {"wisdom-0": 50, "wisdom-1": 50}
    bed.until(lambda: done and bed.shares().keys() == expected.keys())
    bed.settle()
    assert bed.protected("wisdom-0") == ("wisdom-0" in expected)
    assert bed.exists(isvc("wisdom-0")) == (happens != "deleted")


@pytest.mark.parametrize("happens", ["changed", "gone"])
def test_a_version_that_changes_before_its_release_is_looked_at_again(halves: Bed, happens: str) -> None:
    halves.delete(isvc("wisdom-1"))
    done: list[bool] = []

    def hook(request: Any) -> None:
        if request.method == "PATCH" and "inferenceservices/wisdom-1" in request.path and not done:
            done.append(True)
            change = {"finalizers": None} if happens == "gone" else {"labels": {"team": "a"}}
            halves.cluster.patch(isvc("wisdom-1"), {"metadata": change})

    halves.cluster.on_request = hook
    halves.until(lambda: done and not halves.exists(isvc("wisdom-1")))


# the drain


def test_a_deleted_version_leaves_the_routes_first_and_is_held_until_proxies_follow(halves: Bed) -> None:
    """For the propagation, counted from the write, and for the calls in flight."""
    assert HELD <= seconds_to_go(halves, "wisdom-1") < LIMIT - SLACK
    assert halves.shares() == {"wisdom-0": 100}
    assert halves.events("DrainTimedOut") == []


def test_a_version_that_was_not_routed_may_go_at_once(halves: Bed) -> None:
    """Its routes were given up long ago."""
    halves.ready("wisdom-1", False)
    halves.until(lambda: halves.shares() == {"wisdom-0": 100})
    halves.sleep(HELD + SLACK)
    assert seconds_to_go(halves, "wisdom-1") < SOON


def test_a_deleted_primary_waits_too(halves: Bed) -> None:
    assert HELD <= seconds_to_go(halves, "wisdom-0") < LIMIT - SLACK
    assert halves.shares() == {"wisdom-1": 100}


def test_a_version_is_released_at_the_limit_whatever_happens(halves: Bed) -> None:
    """Such as routes that may not be written; an event says so."""
    halves.cluster.on_request = refuse(kind=VIRTUAL_SERVICE, verb="apply")
    assert seconds_to_go(halves, "wisdom-1") > LIMIT - SLACK
    halves.until(lambda: halves.events("DrainTimedOut"))
    assert halves.events("DrainTimedOut") == [
        (
            "InferenceService models/wisdom-1 is let go: its deletion has waited as long as it may; "
            "calls of models/wisdom may fail"
        )
    ]


def test_a_drain_goes_on_after_a_restart(halves: Bed) -> None:
    """The time that has passed counts, by the API server's stamps."""
    began = halves.now()
    halves.delete(isvc("wisdom-1"))
    halves.until(lambda: halves.shares() == {"wisdom-0": 100})
    halves.sleep(HELD - SLACK)
    halves.restart()
    halves.until(lambda: not halves.exists(isvc("wisdom-1")))
    assert HELD <= (halves.now() - began).total_seconds() < 2 * HELD - SLACK


def test_a_drain_begins_after_a_restart(halves: Bed) -> None:
    """Deleted while nobody looked: first the routes, then the time for the proxies."""
    halves.stop()
    halves.delete(isvc("wisdom-1"))
    began = halves.now()
    halves.start()
    halves.until(lambda: not halves.exists(isvc("wisdom-1")))
    assert halves.shares() == {"wisdom-0": 100}
    assert HELD <= (halves.now() - began).total_seconds() < LIMIT - SLACK


def test_a_deletion_while_no_controller_ran_leaves_the_routes_time_to_move(halves: Bed) -> None:
    """However long ago it was: the version leaves the routes first, and goes once no call can reach it."""
    halves.kill()
    halves.delete(isvc("wisdom-1"))
    halves.sleep(LIMIT * 2)
    began = halves.now()
    halves.start()
    halves.until(lambda: list(halves.shares()) == ["wisdom-0"])
    assert halves.exists(isvc("wisdom-1"))
    halves.until(lambda: not halves.exists(isvc("wisdom-1")))
    assert (halves.now() - began).total_seconds() > HELD - SLACK
    assert halves.events("DrainTimedOut") == []


def test_the_limit_counts_from_the_deletion_across_restarts(halves: Bed) -> None:
    halves.cluster.on_request = refuse(kind=VIRTUAL_SERVICE, verb="apply")
    halves.delete(isvc("wisdom-1"))
    began = halves.now()
    halves.sleep(LIMIT / 2)
    halves.restart()
    halves.until(lambda: not halves.exists(isvc("wisdom-1")))
    assert LIMIT - SLACK < (halves.now() - began).total_seconds() < LIMIT + HELD


def test_a_write_whose_answer_was_lost_starts_the_drain(halves: Bed) -> None:
    """Proxies follow it like any other, and until then they send the version calls."""
    halves.sleep(2 * HELD)
    halves.cluster.on_response = loses("virtualservices")
    halves.delete(isvc("wisdom-1"))
    halves.until(lambda: list(halves.shares()) == ["wisdom-0"])
    began = halves.now()
    halves.until(lambda: not halves.exists(isvc("wisdom-1")))
    assert (halves.now() - began).total_seconds() > HELD - SLACK


def test_all_versions_may_be_deleted(halves: Bed) -> None:
    """Nothing gets stuck: the routes to the primary are held, and it goes at the limit."""
    for name in ("wisdom-0", "wisdom-1"):
        halves.delete(isvc(name))
    halves.until(lambda: not halves.exists(isvc("wisdom-0")) and not halves.exists(isvc("wisdom-1")))
    halves.until(lambda: halves.condition("Ready") == ("False", "NoVersionReady"))
    assert list(halves.shares()) == ["wisdom-0"]


def test_drain_disabled_lets_versions_go_at_once(bed: Bed) -> None:
    """No finalizer is put on, and those of before are taken off."""
    bed.version("wisdom-0")
    bed.version("wisdom-1", finalizers=[FINALIZER_DRAIN])
    bed.version("orphan", finalizers=[FINALIZER_DRAIN])
    bed.policy()
    bed.start(drain={"enabled": False})
    bed.until(lambda: bed.split() == "wisdom-0 50% / wisdom-1 50%")
    bed.settle()
    assert [bed.finalizers(name) for name in ("wisdom-0", "wisdom-1", "orphan")] == [[], [], []]


def test_a_drain_outlives_its_policy(halves: Bed) -> None:
    """Calls are in flight whether the policy exists or not: it may only have been replaced."""
    halves.delete(isvc("wisdom-1"))
    halves.until(lambda: halves.shares() == {"wisdom-0": 100})
    began = halves.now()
    halves.delete(rp())
    halves.until(lambda: not halves.exists(isvc("wisdom-1")))
    assert HELD - SLACK < (halves.now() - began).total_seconds() < HELD + SOON


def test_a_policy_that_goes_releases_its_versions_with_its_routes(halves: Bed) -> None:
    """Nothing leads to them any more, and nothing had left the routes of late."""
    halves.sleep(2 * HELD)
    halves.delete(rp())
    halves.delete(isvc("wisdom-1"))
    began = halves.now()
    halves.until(lambda: not halves.exists(isvc("wisdom-1")))
    assert (halves.now() - began).total_seconds() < SOON


@pytest.mark.parametrize("metadata", [{}, *SPOILT.values()], ids=["untouched", *SPOILT])
def test_routes_that_outlive_their_policy_hold_what_they_lead_to(
    halves: Bed, metadata: dict[str, Any]
) -> None:
    """As where another finalizer holds the policy, or its dependents are orphaned: until the limit."""
    halves.sleep(2 * HELD)
    halves.cluster.patch(rp(), {"metadata": {"finalizers": ["example.com/hold"]}})
    halves.delete(rp())
    halves.settle()
    halves.cluster.patch(vs(), {"metadata": metadata})
    halves.settle()
    halves.delete(isvc("wisdom-1"))
    began = halves.now()
    halves.until(lambda: not halves.exists(isvc("wisdom-1")))
    assert (halves.now() - began).total_seconds() > LIMIT - SLACK


@pytest.mark.parametrize("metadata", SPOILT.values(), ids=SPOILT)
def test_a_plan_that_someone_spoilt_leads_where_it_led(halves: Bed, metadata: dict[str, Any]) -> None:
    """Under suspend nothing puts it right."""
    halves.cluster.patch(rp(), {"spec": {"suspend": True}})
    halves.settle()
    halves.cluster.patch(vs(), {"metadata": metadata})
    halves.settle()
    assert seconds_to_go(halves, "wisdom-1") > LIMIT - SLACK


def test_routes_that_someone_deleted_hold_nothing_for_longer_than_proxies_need(halves: Bed) -> None:
    """Under suspend they are not put back."""
    halves.sleep(2 * HELD)
    halves.cluster.patch(rp(), {"spec": {"suspend": True}})
    halves.settle()
    halves.delete(vs())
    assert HELD - SLACK < seconds_to_go(halves, "wisdom-1") < LIMIT - SLACK


class _Maps(ToyHosts):
    """An environment whose versions are of a kind that a router writes."""

    name = "toy-maps"
    watches = (CONFIG_MAP,)
    drain = True


def test_what_is_left_behind_of_a_kind_that_a_router_writes_is_released_where_policies_reach(
    make_bed: Callable[..., Bed],
) -> None:
    """Routers' kinds are not followed in a namespace that policies only reach."""
    bed = make_bed(_Maps())
    metadata = {"name": "left", "namespace": "others", "finalizers": [FINALIZER_DRAIN]}
    bed.cluster.apply_manifest({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata})
    bed.version("wisdom-0")
    bed.policy(router="toy-table")
    bed.start(settings={"allowNamespaces": {NAMESPACE: ["others"]}})
    left = Ref(CONFIG_MAP, "others", "left")
    bed.until(lambda: not bed.get(left)["metadata"].get("finalizers"))


def test_finalizers_for_policies_elsewhere_are_left_alone(bed: Bed) -> None:
    """A controller of some namespaces does not see who needs a version: the annotation says where to look."""
    theirs, ours = {"turnout.dev/drain-for": "elsewhere"}, {"turnout.dev/drain-for": NAMESPACE}
    bed.version("theirs", finalizers=[FINALIZER_DRAIN], annotations=theirs)
    bed.version("ours", finalizers=[FINALIZER_DRAIN], annotations=ours)
    bed.start()
    bed.until(lambda: not bed.protected("ours"))
    bed.settle()
    assert bed.protected("theirs")
    bed.stop()
    bed.start(namespaces=None)
    bed.until(lambda: not bed.protected("theirs"))


def test_who_takes_the_finalizer_off_again_and_again_is_not_fought_without_end(halves: Bed) -> None:
    for _ in range(5):
        halves.cluster.patch(isvc("wisdom-1"), {"metadata": {"finalizers": None}})
        halves.until(lambda: halves.protected("wisdom-1"))
    halves.cluster.patch(isvc("wisdom-1"), {"metadata": {"finalizers": None}})
    halves.until(lambda: halves.condition("Routed") == ("False", "Contended"))
    assert not halves.protected("wisdom-1")


def test_a_version_of_two_policies_is_held_for_both(halves: Bed) -> None:
    """The one that could not move its routes decides."""
    halves.policy("other", modelVersions=[{"name": "wisdom-0"}, {"name": "wisdom-1"}])
    halves.until(lambda: halves.shares("other") == {"wisdom-0": 50, "wisdom-1": 50})
    halves.cluster.on_request = refuse(kind=VIRTUAL_SERVICE, verb="apply", name="other")
    assert seconds_to_go(halves, "wisdom-1") > LIMIT - SLACK
    assert halves.shares() == {"wisdom-0": 100}


def test_a_version_that_left_the_policy_is_held_until_proxies_follow(halves: Bed) -> None:
    """It may be deleted in the very next moment."""
    began = halves.now()
    halves.policy(modelVersions=[{"name": "wisdom-0"}])
    halves.until(lambda: not halves.protected("wisdom-1"))
    assert halves.shares() == {"wisdom-0": 100}
    assert (halves.now() - began).total_seconds() >= HELD


def test_a_version_that_left_a_suspended_policy_stays_protected_while_it_is_routed(halves: Bed) -> None:
    halves.policy(suspend=True, modelVersions=[{"name": "wisdom-0"}])
    halves.restart()
    halves.settle()
    assert halves.protected("wisdom-1")
    halves.policy(suspend=False, modelVersions=[{"name": "wisdom-0"}])
    halves.until(lambda: halves.shares() == {"wisdom-0": 100})
    halves.until(lambda: not halves.protected("wisdom-1"))


def test_suspend_leaves_the_routes_and_releases_what_is_deleted(halves: Bed) -> None:
    """At the limit, as the routes still lead there; what would be is said."""
    halves.policy(suspend=True)
    halves.until(lambda: halves.condition("Routed") == ("True", "Suspended"))
    began = halves.now()
    halves.delete(isvc("wisdom-1"))
    halves.until(lambda: halves.condition("Routed") == ("False", "Suspended"))
    assert halves.message("Routed") == "spec.suspend keeps the routes; without it: wisdom-0 100%"
    halves.until(lambda: not halves.exists(isvc("wisdom-1")))
    assert (halves.now() - began).total_seconds() > LIMIT - SLACK
    assert halves.shares() == {"wisdom-0": 50, "wisdom-1": 50}
    halves.until(lambda: halves.events("DrainTimedOut"))
    halves.until(lambda: halves.status()["versions"][1]["reason"] == "Missing")
    told = halves.status()["versions"][1]["message"]
    assert (
        told == "not ready: InferenceService models/wisdom-1 does not exist; the routes in force lead to it"
    )


def test_suspend_releases_at_once_what_is_not_routed(halves: Bed) -> None:
    halves.ready("wisdom-1", False)
    halves.until(lambda: halves.shares() == {"wisdom-0": 100})
    halves.policy(suspend=True)
    halves.sleep(HELD + SLACK)
    assert seconds_to_go(halves, "wisdom-1") < SOON


def test_suspend_that_ends_lets_the_routes_follow(halves: Bed) -> None:
    halves.policy(suspend=True)
    halves.until(lambda: halves.condition("Routed") == ("True", "Suspended"))
    halves.ready("wisdom-1", False)
    halves.settle()
    assert halves.shares() == {"wisdom-0": 50, "wisdom-1": 50}
    halves.policy(suspend=False)
    halves.until(lambda: halves.shares() == {"wisdom-0": 100})


# several controllers


@pytest.fixture
def two(halves: Bed) -> Bed:
    """The same, and a policy of another instance with versions of its own."""
    for name in ("theirs-0", "theirs-1"):
        halves.version(name, finalizers=[FINALIZER_DRAIN])
    halves.policy("theirs", labels={"turnout.dev/instance": "b"})
    return halves


def test_the_policies_of_another_instance_are_not_touched(two: Bed) -> None:
    """Nor are the finalizers of their versions."""
    two.restart()
    two.settle()
    assert two.status("theirs") == {}
    assert not two.exists(vs("theirs"))
    assert two.protected("theirs-0")
    assert two.protected("theirs-1")


def test_nor_are_those_that_only_the_other_can_read(two: Bed) -> None:
    """Such as of a strategy that is not installed here."""
    two.policy("theirs", labels={"turnout.dev/instance": "b"}, trafficStrategy="no-such")
    two.restart()
    two.settle()
    assert two.status("theirs") == {}
    assert two.protected("theirs-0")
    assert two.protected("theirs-1")


def test_two_instances_share_a_cluster(two: Bed) -> None:
    """Each serves its own, and neither undoes what the other does."""
    two.start(instance="b")
    two.until(lambda: two.shares("theirs") == {"theirs-0": 50, "theirs-1": 50})
    two.settle()
    two.forget_calls()
    two.settle()
    assert two.calls == []
    assert HELD <= seconds_to_go(two, "theirs-1") < LIMIT - SLACK
    assert two.shares("theirs") == {"theirs-0": 100}
    assert two.shares() == {"wisdom-0": 50, "wisdom-1": 50}


def test_a_policy_may_change_hands(two: Bed) -> None:
    """Its routes stay in force meanwhile."""
    two.start(instance="b")
    two.settle()
    two.cluster.patch(rp(), {"metadata": {"labels": {"turnout.dev/instance": "b"}}})
    two.settle()
    two.ready("wisdom-1", False)
    two.until(lambda: two.shares() == {"wisdom-0": 100})
    two.stop(two._running[0])
    two.ready("wisdom-1", True)
    two.until(lambda: two.shares() == {"wisdom-0": 50, "wisdom-1": 50})


def test_a_release_that_is_refused_is_tried_again(halves: Bed) -> None:
    """A deletion must not get stuck because of a busy API server."""
    refusals: list[int] = []

    def hook(request: Any) -> None:
        if request.method == "PATCH" and "inferenceservices/wisdom-1" in request.path and len(refusals) < 3:
            refusals.append(1)
            raise StatusError(500, "InternalError", "etcdserver: leader changed")

    halves.cluster.on_request = hook
    seconds_to_go(halves, "wisdom-1")
    assert len(refusals) == 3


def test_a_kind_whose_deletion_is_not_watched_is_no_obstacle(halves: Bed) -> None:
    """The kind of the versions is removed with everything in it."""
    halves.cluster.uninstall(INFERENCE_SERVICE)
    halves.until(lambda: halves.condition("Routed") == ("Unknown", "KindNotInstalled"))
    assert halves.exists(vs())
    assert halves.get(vs())["metadata"]["namespace"] == NAMESPACE


def test_routes_whose_writes_hang_do_not_lengthen_the_limit(halves: Bed) -> None:
    """Though they are of more policies than are worked on at once."""
    for number in range(40):
        halves.policy(f"p{number}", modelVersions=[{"name": "wisdom-0"}, {"name": "wisdom-1"}])
    halves.until(lambda: all(halves.shares(f"p{number}") for number in range(40)))
    halves.settle()

    async def hang(request: Any) -> None:
        if request.method == "PATCH" and "/virtualservices/" in request.path:
            await asyncio.sleep(25.0)
            raise StatusError(500, "InternalError", "failed calling webhook: context deadline exceeded")

    halves.cluster.on_request = hang
    began = halves.now()
    halves.delete(isvc("wisdom-1"))
    halves.until(lambda: not halves.exists(isvc("wisdom-1")), within=200)
    assert LIMIT - SLACK < (halves.now() - began).total_seconds() < LIMIT + HELD


def test_the_status_follows_a_release_whose_event_comes_late(halves: Bed) -> None:
    """After its answer: the version is known to be gone by then, and the policy has to hear of it."""

    async def late(request: Any) -> None:
        if request.method == "PATCH" and "inferenceservices/wisdom-1" in request.path:
            halves.cluster.end_watches(INFERENCE_SERVICE)
            await asyncio.sleep(1.0)
        elif request.query.get("watch") and "/inferenceservices" in request.path:
            await asyncio.sleep(5.0)

    halves.cluster.on_request = late
    seconds_to_go(halves, "wisdom-1")
    halves.until(lambda: halves.status()["versions"][1]["reason"] == "Missing")


class Twofold(KServeModelMesh):
    """Each version is two objects."""

    name = "twofold"

    def refs(self, version: VersionSpec, options: Any) -> tuple[Ref, ...]:
        return (isvc(version.name), isvc(f"{version.name}-helper"))


@pytest.mark.parametrize("deleted", ["wisdom-1", "wisdom-1-helper"])
def test_each_object_of_a_version_waits_until_no_call_can_reach_it(
    make_bed: Callable[..., Bed], deleted: str
) -> None:
    """Whichever of them is deleted, and however long ago the routes have last moved."""
    bed = make_bed(Twofold())
    for name in ("wisdom-0", "wisdom-0-helper", "wisdom-1", "wisdom-1-helper"):
        bed.version(name)
    bed.policy(targetEnv="twofold")
    bed.start()
    bed.until(lambda: bed.shares() == {"wisdom-0": 50, "wisdom-1": 50})
    bed.sleep(2 * HELD)

    took = seconds_to_go(bed, deleted)

    assert HELD - SLACK < took < LIMIT
    assert bed.shares() == {"wisdom-0": 100}


def test_a_router_that_needs_longer_than_the_usual_limit_gets_it(bed: Bed) -> None:
    """The table's proxies may take 90 s to follow; the limit is 60 s where nothing is set."""
    for name in ("wisdom-0", "wisdom-1"):
        bed.version(name)
    bed.policy(router="toy-table")
    bed.start(drain={"limitSeconds": None})
    bed.until(lambda: bed.split() == "wisdom-0 50% / wisdom-1 50%")
    bed.delete(isvc("wisdom-1"))
    began = bed.now()
    bed.until(lambda: not bed.exists(isvc("wisdom-1")), within=120)
    assert (bed.now() - began).total_seconds() > 90 + IN_FLIGHT - SLACK
