"""What the controller makes of versions that come, go and change, whenever it is started."""

from collections.abc import Callable

import pytest

from tests.runtime.harness import Bed, isvc, owners, policy, rp, service_entry, vs
from turnout.names import ANNOTATION_PLAN, FINALIZER_DRAIN, LABEL_MANAGED_BY, LABEL_POLICY


@pytest.fixture
def primary(bed: Bed) -> Bed:
    """A policy whose primary is ready and has all calls."""
    bed.version("wisdom-0")
    bed.policy()
    bed.start()
    bed.until(lambda: bed.split() == "wisdom-0 100%")
    return bed


@pytest.fixture
def halves(primary: Bed) -> Bed:
    """Two ready versions that share the calls by halves."""
    primary.version("wisdom-1", label="v1")
    primary.until(lambda: primary.split() == "wisdom-0 50% / wisdom-1 50%")
    return primary


def test_the_primary_gets_every_call(primary: Bed) -> None:
    """The VirtualService is the tutorial's: no weight where there is one destination."""
    assert primary.get(vs())["spec"] == {
        "gateways": ["mm-gateway", "mesh"],
        "hosts": ["wisdom.models", "wisdom.models.svc", "wisdom.models.svc.cluster.local"],
        "http": [
            {
                "route": [
                    {
                        "destination": {
                            "host": "modelmesh-serving.models.svc.cluster.local",
                            "port": {"number": 8033},
                        },
                        "headers": {"request": {"set": {"mm-vmodel-id": "wisdom-0"}}},
                    }
                ]
            }
        ],
    }


def test_what_is_written_says_whose_it_is(primary: Bed) -> None:
    """Labels for people, an owner for the garbage collector, the plan in force for a restart."""
    metadata = primary.get(vs())["metadata"]
    assert metadata["labels"] == {LABEL_MANAGED_BY: "turnout", LABEL_POLICY: "wisdom"}
    assert [(one["uid"], one["controller"]) for one in metadata["ownerReferences"]] == [
        (primary.get(rp())["metadata"]["uid"], True)
    ]
    assert ANNOTATION_PLAN in metadata["annotations"]
    assert owners(primary.get(service_entry())) == ["wisdom"]


def test_the_status_says_it_all(halves: Bed) -> None:
    """Roles, readiness, weights and shares of the versions, the routes, and three conditions."""
    halves.settle()
    status = halves.status()
    assert [(v["name"], v["role"], v["ready"], v["share"], v["appVersion"]) for v in status["versions"]] == [
        ("wisdom-0", "primary", "True", "50%", "v0"),
        ("wisdom-1", "candidate", "True", "50%", "v1"),
    ]
    assert [(route["kind"], route["name"]) for route in status["routes"]] == [
        ("ServiceEntry", "wisdom"),
        ("VirtualService", "wisdom"),
    ]
    assert [halves.condition(kind) for kind in ("Accepted", "Routed", "Ready")] == [
        ("True", "Valid"),
        ("True", "InForce"),
        ("True", "Ready"),
    ]
    assert status["observedGeneration"] == halves.get(rp())["metadata"]["generation"]


def test_a_candidate_gets_its_share_once_it_is_ready(primary: Bed) -> None:
    """Before that it is protected, and gets nothing."""
    primary.version("wisdom-1", ready=None)
    primary.until(lambda: primary.protected("wisdom-1"))
    primary.settle()
    assert primary.shares() == {"wisdom-0": 100}
    primary.ready("wisdom-1")
    primary.until(lambda: primary.shares() == {"wisdom-0": 50, "wisdom-1": 50})


def test_a_version_that_turns_ready_costs_one_write_and_its_status(primary: Bed) -> None:
    """The finalizer was put on before."""
    primary.version("wisdom-1", ready=False)
    primary.until(lambda: primary.protected("wisdom-1"))
    primary.settle()
    primary.forget_calls()
    primary.ready("wisdom-1")
    primary.settle()
    assert primary.writes == ["apply virtualservices/wisdom", "apply routingpolicies/wisdom/status"]


def test_a_candidate_that_is_lost_leaves_the_routes(halves: Bed) -> None:
    halves.ready("wisdom-1", False)
    halves.until(lambda: halves.shares() == {"wisdom-0": 100})


def test_candidates_carry_the_calls_of_a_primary_that_is_lost(halves: Bed) -> None:
    halves.ready("wisdom-0", False)
    halves.until(lambda: halves.shares() == {"wisdom-1": 100})


def test_promotion_sends_everything_to_the_new_primary(halves: Bed) -> None:
    """`kubectl replace` of the primary, then deletion of the candidate, which does not get stuck."""
    halves.replace("wisdom-0", "v1")
    halves.ready("wisdom-0")
    halves.delete(isvc("wisdom-1"))
    halves.until(lambda: halves.shares() == {"wisdom-0": 100})
    halves.until(lambda: not halves.exists(isvc("wisdom-1")))
    assert halves.status()["versions"][0]["appVersion"] == "v1"


def test_each_shift_is_an_event_that_says_why(halves: Bed) -> None:
    halves.settle()
    assert halves.events("Shifted") == [
        (
            "wisdom-0 100% -> wisdom-0 50% / wisdom-1 50%: "
            "wisdom-0: ready, weight 50 of 100; wisdom-1: ready, weight 50 of 100"
        )
    ]


def test_the_middle_of_three_versions_may_be_missing(bed: Bed) -> None:
    """The first and the third share by their own weights."""
    names = [{"name": "wisdom-0", "weight": 60}, {"name": "wisdom-1"}, {"name": "wisdom-2", "weight": 20}]
    bed.policy(modelVersions=names)
    for name in ("wisdom-0", "wisdom-2"):
        bed.version(name)
    bed.start()
    bed.until(lambda: bed.split() == "wisdom-0 75% / wisdom-2 25%")
    assert bed.shares() == {"wisdom-0": 60, "wisdom-2": 20}


def test_nothing_ready_sends_everything_to_the_primary_at_first(bed: Bed) -> None:
    """Somebody has to answer, if only with an error; and Ready says so."""
    bed.version("wisdom-0", ready=False)
    bed.policy()
    bed.start()
    bed.until(lambda: bed.shares() == {"wisdom-0": 100})
    bed.until(lambda: bed.condition("Ready") == ("False", "NoVersionReady"))


def test_nothing_ready_holds_the_routes_in_force(halves: Bed) -> None:
    """Two versions that fail one after the other: the last one standing keeps what it had."""
    halves.ready("wisdom-0", False)
    halves.until(lambda: halves.shares() == {"wisdom-1": 100})
    halves.ready("wisdom-1", False)
    halves.until(lambda: halves.condition("Ready") == ("False", "NoVersionReady"))
    halves.settle()
    assert halves.shares() == {"wisdom-1": 100}


def test_routes_are_held_across_a_restart(halves: Bed) -> None:
    """The plan in force is on the route itself."""
    halves.ready("wisdom-0", False)
    halves.until(lambda: halves.shares() == {"wisdom-1": 100})
    halves.ready("wisdom-1", False)
    halves.until(lambda: halves.condition("Ready") == ("False", "NoVersionReady"))
    halves.restart()
    halves.settle()
    assert halves.shares() == {"wisdom-1": 100}


def test_an_unknown_readiness_keeps_its_share_and_enters_nowhere(halves: Bed) -> None:
    """Across a restart too."""
    halves.ready("wisdom-1", None)
    halves.restart()
    halves.settle()
    assert halves.shares() == {"wisdom-0": 50, "wisdom-1": 50}
    halves.ready("wisdom-1", False)
    halves.until(lambda: halves.shares() == {"wisdom-0": 100})
    halves.ready("wisdom-1", None)
    halves.settle()
    assert halves.shares() == {"wisdom-0": 100}


def test_weight_0_excludes_a_version_from_failover_too(bed: Bed) -> None:
    """An aborted candidate is not revived because the primary stumbles."""
    for name in ("wisdom-0", "wisdom-1"):
        bed.version(name)
    bed.policy(modelVersions=[{"name": "wisdom-0"}, {"name": "wisdom-1", "weight": 0}])
    bed.start()
    bed.until(lambda: bed.shares() == {"wisdom-0": 100})
    bed.ready("wisdom-0", False)
    bed.until(lambda: bed.condition("Ready") == ("False", "NothingHasWeight"))
    assert bed.shares() == {"wisdom-0": 100}


def test_another_strategy_takes_effect(halves: Bed) -> None:
    """Canary: calls with the test header go to the candidate, all others to the primary."""
    halves.policy(trafficStrategy="canary")
    halves.until(lambda: halves.split() == "wisdom-0 100%, wisdom-1 on match")
    first, last = halves.get(vs())["spec"]["http"]
    assert first["match"] == [{"headers": {"traffic": {"exact": "test"}}}]
    assert "match" not in last


def test_other_weights_of_the_policy_take_effect(halves: Bed) -> None:
    names = [{"name": "wisdom-0", "weight": 10}, {"name": "wisdom-1", "weight": 90}]
    halves.policy(modelVersions=names)
    halves.until(lambda: halves.shares() == {"wisdom-0": 10, "wisdom-1": 90})


def test_a_version_that_is_added_to_the_policy_takes_part(halves: Bed) -> None:
    halves.version("wisdom-2")
    halves.policy(modelVersions=[{"name": f"wisdom-{number}"} for number in range(3)])
    halves.until(lambda: halves.shares() == {"wisdom-0": 50, "wisdom-1": 50, "wisdom-2": 50})


def test_a_version_that_is_taken_from_the_policy_leaves_routes_and_protection(halves: Bed) -> None:
    """The finalizer goes after the calls have."""
    halves.policy(modelVersions=[{"name": "wisdom-0"}])
    halves.until(lambda: halves.shares() == {"wisdom-0": 100})
    assert halves.protected("wisdom-1")
    halves.until(lambda: not halves.protected("wisdom-1"))


def test_the_primary_may_be_another_than_the_first(bed: Bed) -> None:
    bed.version("wisdom-1", ready=False)
    bed.policy(primary="wisdom-1")
    bed.start()
    bed.until(lambda: bed.shares() == {"wisdom-1": 100})
    bed.until(lambda: bed.status()["versions"][1]["role"] == "primary")


def test_deleting_the_policy_leaves_nothing(halves: Bed) -> None:
    """Routes and weights go with their owner, finalizers are taken off."""
    halves.weights(wisdom_0=20, wisdom_1=80)
    halves.until(lambda: halves.split() == "wisdom-0 20% / wisdom-1 80%")
    halves.delete(rp())
    halves.settle()
    assert list(halves.snapshot()) == ["InferenceService/wisdom-0", "InferenceService/wisdom-1"]
    halves.until(lambda: not halves.protected("wisdom-0") and not halves.protected("wisdom-1"))


def test_a_policy_that_was_deleted_while_nobody_looked_leaves_nothing(halves: Bed) -> None:
    halves.stop()
    halves.delete(rp())
    halves.start()
    halves.until(lambda: not halves.protected("wisdom-0") and not halves.protected("wisdom-1"))
    halves.settle()
    assert halves.writes[-2:] == ["patch inferenceservices/wisdom-0", "patch inferenceservices/wisdom-1"]


Do = Callable[[Bed], None]


def _candidate(bed: Bed) -> None:
    bed.version("wisdom-1", label="v1")


def _weights(bed: Bed) -> None:
    bed.weights(wisdom_0=20, wisdom_1=80)


def _lost(bed: Bed) -> None:
    bed.ready("wisdom-0", False)


def _promoted(bed: Bed) -> None:
    bed.replace("wisdom-0", "v1")
    bed.ready("wisdom-0")
    bed.delete(isvc("wisdom-1"))


def _edited(bed: Bed) -> None:
    bed.policy(modelVersions=[{"name": "wisdom-0", "weight": 1}, {"name": "wisdom-1", "weight": 2}])


@pytest.mark.parametrize("do", [_candidate, _weights, _lost, _promoted, _edited])
def test_what_happens_while_nobody_looks_is_made_up_for(make_bed: Callable[[], Bed], do: Do) -> None:
    """Level-triggered: it ends as if the controller had seen every event."""
    watched, missed = make_bed(), make_bed()
    for bed in (watched, missed):
        bed.version("wisdom-0")
        bed.policy()
        if do is not _candidate:
            _candidate(bed)
        bed.start()
        bed.until(lambda bed=bed: bed.condition("Ready")[0] == "True")  # type: ignore[misc]
        bed.settle()
    missed.stop()
    for bed in (watched, missed):
        do(bed)
    missed.start()
    for bed in (watched, missed):
        bed.settle(PATIENT)
    assert missed.snapshot() == watched.snapshot()


PATIENT = 9.0
"""Seconds of silence in which a drain has ended."""


def test_two_policies_do_not_touch_each_other(halves: Bed) -> None:
    """A change of one causes no call about the other."""
    halves.version("other-0")
    halves.policy("other")
    halves.until(lambda: halves.split("other") == "other-0 100%")
    halves.settle()
    halves.forget_calls()
    halves.ready("wisdom-1", False)
    halves.settle()
    assert halves.writes == ["apply virtualservices/wisdom", "apply routingpolicies/wisdom/status"]


def test_one_policy_in_each_of_two_namespaces(bed: Bed) -> None:
    """The same names mean other objects there."""
    bed.start(namespaces=None)
    for namespace in ("models", "others"):
        bed.cluster.apply_manifest(policy(), namespace=namespace)
    bed.version("wisdom-0")
    bed.until(lambda: bed.shares() == {"wisdom-0": 100})
    bed.settle()
    assert bed.get(vs())["spec"]["hosts"][0] == "wisdom.models"
    assert bed.get(vs(namespace="others"))["spec"]["hosts"][0] == "wisdom.others"
    assert FINALIZER_DRAIN in bed.finalizers("wisdom-0")
