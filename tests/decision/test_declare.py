"""A policy's document with TrafficWeights over it: they count whole or not at all."""

from typing import Any

import pytest

from tests.decision.world import REGISTRY, World
from turnout.calling import Calls
from turnout.decision.accept import Refused
from turnout.decision.declare import Admitted, admit
from turnout.reasons import Reason
from turnout.settings import Settings

API = {"apiVersion": "turnout.dev/v1alpha1", "metadata": {"name": "wisdom", "namespace": "models"}}


def document(strategy: str = "blue-green", **versions: Any) -> dict[str, Any]:
    """A policy; `versions` are fields of wisdom-0 and wisdom-1, as `v0` and `v1`."""
    named = [{"name": f"wisdom-{n}", **versions.get(f"v{n}", {})} for n in (0, 1)]
    spec = {"targetEnv": "kserve-modelmesh", "trafficStrategy": strategy, "modelVersions": named}
    return {**API, "kind": "RoutingPolicy", "spec": spec}


def weights(**spec: Any) -> dict[str, Any]:
    return {**API, "kind": "TrafficWeights", "spec": spec}


def taken(policy: dict[str, Any], over: dict[str, Any] | None = None) -> Admitted:
    return admit(policy, over, REGISTRY, Settings(), Calls())


def weights_of(admitted: Admitted) -> list[int | None]:
    return [version.weight for version in admitted.accepted.policy.versions]


def test_without_traffic_weights_the_policys_own_count() -> None:
    assert weights_of(taken(document(v1={"weight": 30}))) == [None, 30]


def test_traffic_weights_override_the_policys() -> None:
    admitted = taken(document(v0={"weight": 1}), weights(weights={"wisdom-0": 20, "wisdom-1": 80}))

    assert (weights_of(admitted), admitted.weights.counts) == ([20, 80], True)


def test_a_version_that_traffic_weights_do_not_name_keeps_the_policys() -> None:
    assert weights_of(taken(document(v0={"weight": 7}), weights(weights={"wisdom-1": 3}))) == [7, 3]


def test_traffic_weights_for_a_version_that_the_policy_does_not_have_change_nothing() -> None:
    admitted = taken(document(v0={"weight": 7}), weights(weights={"wisdom-0": 1, "wisdom-9": 1}))

    assert weights_of(admitted) == [7, None]
    assert (admitted.weights.reason, admitted.weights.message) == (
        Reason.UNKNOWN_VERSION,
        "spec.weights: the policy has no version wisdom-9; it has wisdom-0, wisdom-1",
    )


@pytest.mark.parametrize(
    ("strategy", "spec", "reason", "message"),
    [
        pytest.param(
            "blue-green",
            {"mirrorPercentage": 30},
            Reason.NOT_USED,
            "spec.mirrorPercentage: strategy blue-green does not mirror",
            id="a mirror percentage where nothing is mirrored",
        ),
        pytest.param(
            "toy-steps",
            {"weights": {"wisdom-1": 5}},
            Reason.INVALID_SPEC,
            "with these weights, spec.modelVersions[1].weight: strategy toy-steps has no use for weights;"
            " leave it out",
            id="weights that the strategy does not read",
        ),
        pytest.param(
            "mirror",
            {"weights": {"wisdom-1": 500}},
            Reason.INVALID_SPEC,
            "with these weights, spec.modelVersions[1].weight: found 500, expected 0..100: a candidate's"
            " weight is its mirror percentage",
            id="a weight that is no percentage",
        ),
        pytest.param(
            "blue-green",
            {"weights": {"wisdom-1": -1}},
            Reason.INVALID_SPEC,
            "spec.weights.wisdom-1: found -1, expected an integer 0..1000000",
            id="a weight that is none",
        ),
        pytest.param(
            "mirror",
            {"weights": {"wisdom-1": 1}, "mirrorPercentage": 5},
            Reason.INVALID_SPEC,
            'spec: found {"weights": {"wisdom-1": 1}, "mirrorPercentage": 5}, expected either weights or…',
            id="both",
        ),
    ],
)
def test_traffic_weights_that_do_not_fit_leave_the_policy_as_it_is(
    strategy: str, spec: Any, reason: Reason, message: str
) -> None:
    admitted = taken(document(strategy), weights(**spec))

    assert weights_of(admitted) == [None, None]
    assert admitted.accepted.policy.mirror_percentage is None
    assert admitted.weights.reason is reason
    assert admitted.weights.message.startswith(message.removesuffix("…"))


@pytest.mark.parametrize("weight", [{}, {"weight": 0}, {"weight": 50}], ids=["none", "0", "50"])
def test_a_mirror_percentage_overrides_the_candidates_weight(weight: dict[str, int]) -> None:
    """Also the 0 with which a policy in git keeps a candidate out."""
    admitted = taken(document("mirror", v1=weight), weights(mirrorPercentage=30))
    world = World("mirror", admitted.accepted.policy).ready("wisdom-0", "wisdom-1")
    world.decide()

    assert world.mirrored() == {"wisdom-1": 30}


def test_a_mirror_percentage_of_0_mirrors_nothing() -> None:
    admitted = taken(document("mirror", v1={"weight": 50}), weights(mirrorPercentage=0))
    world = World("mirror", admitted.accepted.policy).ready("wisdom-0", "wisdom-1")
    world.decide()

    assert world.mirrored() == {}
    assert world.ask().reasons["wisdom-1"] == "gets a copy of 0% of the calls"


def test_a_policy_that_is_wrong_is_refused_with_its_path() -> None:
    with pytest.raises(Refused) as caught:
        taken(document(v1={"weight": "a lot"}))

    assert (caught.value.reason, str(caught.value)) == (
        Reason.INVALID_SPEC,
        'spec.modelVersions[1].weight: found "a lot", expected an integer 0..1000000',
    )


@pytest.mark.parametrize("suspend", [True, False])
def test_suspend_is_passed_on(suspend: bool) -> None:
    policy = document()
    policy["spec"]["suspend"] = suspend

    assert taken(policy).suspend is suspend


def test_the_clusters_domain_is_the_administrators() -> None:
    settings = Settings.of({"clusterDomain": "cluster.test"})

    admitted = admit(document(), None, REGISTRY, settings, Calls())

    assert admitted.accepted.frontends[0].hosts[-1] == "wisdom.models.svc.cluster.test"
