"""Traffic weights: they hold for as long as they exist, and say whether they count."""

import pytest

from tests.runtime.harness import NAMESPACE, Bed, isvc, owners, rp, tw
from turnout.runtime.transport import Request
from turnout.testing.outcome import condition_of


@pytest.fixture
def shifted(halves: Bed) -> Bed:
    """The same at 20 to 80, by traffic weights."""
    halves.weights(wisdom_0=20, wisdom_1=80)
    halves.until(lambda: halves.split() == "wisdom-0 20% / wisdom-1 80%")
    halves.until(lambda: accepted(halves) == ("True", "Valid"))
    halves.settle()
    halves.forget_calls()
    return halves


def accepted(bed: Bed, name: str = "wisdom") -> tuple[str, str]:
    found = condition_of(bed.get(tw(name)).get("status", {}), "Accepted")
    return str(found.get("status", "")), str(found.get("reason", ""))


def message(bed: Bed, name: str = "wisdom") -> str:
    return str(condition_of(bed.get(tw(name)).get("status", {}), "Accepted").get("message", ""))


def test_weights_shift_the_traffic(shifted: Bed) -> None:
    """The status of the policy has the weights that count."""
    assert shifted.shares() == {"wisdom-0": 20, "wisdom-1": 80}
    assert [version["weight"] for version in shifted.status()["versions"]] == [20, 80]


def test_weights_belong_to_their_policy(shifted: Bed) -> None:
    assert owners(shifted.get(tw())) == ["wisdom"]
    shifted.delete(rp())
    shifted.until(lambda: not shifted.exists(tw()))


def test_weights_outlive_candidates(shifted: Bed) -> None:
    """The next candidate of that name starts with the same share."""
    shifted.delete(isvc("wisdom-1"))
    shifted.until(lambda: not shifted.exists(isvc("wisdom-1")))
    assert shifted.shares() == {"wisdom-0": 100}
    shifted.version("wisdom-1", label="v2")
    shifted.until(lambda: shifted.shares() == {"wisdom-0": 20, "wisdom-1": 80})


def test_other_weights_take_effect(shifted: Bed) -> None:
    shifted.weights(wisdom_0=1, wisdom_1=2)
    shifted.until(lambda: shifted.split() == "wisdom-0 33.3% / wisdom-1 66.7%")


def test_a_version_that_is_not_named_keeps_the_policys_weight(halves: Bed) -> None:
    halves.policy(modelVersions=[{"name": "wisdom-0", "weight": 30}, {"name": "wisdom-1"}])
    halves.weights(wisdom_1=70)
    halves.until(lambda: halves.shares() == {"wisdom-0": 30, "wisdom-1": 70})


def test_deleting_the_weights_restores_the_policys_own_split(shifted: Bed) -> None:
    shifted.delete(tw())
    shifted.until(lambda: shifted.shares() == {"wisdom-0": 50, "wisdom-1": 50})


def test_weights_may_come_before_their_policy(bed: Bed) -> None:
    """Until then they say NoPolicy."""
    bed.weights(wisdom_0=20, wisdom_1=80)
    bed.start()
    bed.until(lambda: accepted(bed) == ("False", "NoPolicy"))
    for name in ("wisdom-0", "wisdom-1"):
        bed.version(name)
    bed.policy()
    bed.until(lambda: bed.shares() == {"wisdom-0": 20, "wisdom-1": 80})
    bed.until(lambda: accepted(bed) == ("True", "Valid"))
    bed.until(lambda: owners(bed.get(tw())) == ["wisdom"])


def test_weights_of_an_unknown_version_do_not_count_at_all(halves: Bed) -> None:
    """Neither those of the other versions: half an order is none."""
    halves.weights(wisdom_0=20, wisdom_7=80)
    halves.until(lambda: accepted(halves) == ("False", "UnknownVersion"))
    assert message(halves) == ("spec.weights: the policy has no version wisdom-7; it has wisdom-0, wisdom-1")
    halves.settle()
    assert halves.shares() == {"wisdom-0": 50, "wisdom-1": 50}


def test_weights_count_once_the_policy_has_the_version(halves: Bed) -> None:
    halves.weights(wisdom_0=20, wisdom_2=80)
    halves.until(lambda: accepted(halves) == ("False", "UnknownVersion"))
    halves.version("wisdom-2")
    halves.policy(modelVersions=[{"name": "wisdom-0"}, {"name": "wisdom-2"}])
    halves.until(lambda: halves.shares() == {"wisdom-0": 20, "wisdom-2": 80})
    halves.until(lambda: accepted(halves) == ("True", "Valid"))


def test_weights_of_a_policy_that_is_not_accepted_say_so(halves: Bed) -> None:
    halves.weights(wisdom_0=20)
    halves.policy(trafficStrategy="no-such")
    halves.until(lambda: accepted(halves) == ("False", "NotAccepted"))


def test_a_mirror_percentage_is_not_for_strategies_without_mirrors(halves: Bed) -> None:
    manifest = {
        "apiVersion": "turnout.dev/v1alpha1",
        "kind": "TrafficWeights",
        "metadata": {"name": "wisdom"},
        "spec": {"mirrorPercentage": 30},
    }
    halves.cluster.apply_manifest(manifest, namespace=NAMESPACE)
    halves.until(lambda: accepted(halves) == ("False", "NotUsed"))


def test_nothing_is_said_of_weights_that_nobody_has_looked_at(halves: Bed) -> None:
    """Not even for a moment what was found of those before them."""
    halves.weights(wisdom_0=20, wisdom_7=80)
    halves.until(lambda: accepted(halves) == ("False", "UnknownVersion"))
    said: list[tuple[int, str]] = []
    halves.cluster.on_request = lambda request: said.extend(told_of_weights(request))
    halves.weights(wisdom_0=20, wisdom_1=80)
    halves.until(lambda: accepted(halves) == ("True", "Valid"))
    assert said == [(2, "Valid")]


def test_weights_get_their_owner_and_their_status_by_a_write_each(halves: Bed) -> None:
    """The second follows on the first."""
    halves.settle()
    halves.forget_calls()
    halves.weights(wisdom_0=20, wisdom_1=80)
    halves.until(lambda: accepted(halves) == ("True", "Valid"))
    halves.settle()
    written = [call for call in halves.writes if "trafficweights" in call]
    assert written == ["patch trafficweights/wisdom", "apply trafficweights/wisdom/status"]


def told_of_weights(request: Request) -> list[tuple[int, str]]:
    """The generation and the reason of Accepted that a write says of traffic weights, if it is one."""
    if not request.path.endswith("/trafficweights/wisdom/status"):
        return []
    status = (request.body or {})["status"]
    return [(status["observedGeneration"], condition_of(status, "Accepted")["reason"])]


def test_weights_do_not_shift_on_a_restart(shifted: Bed) -> None:
    """Whatever happens, 20 stays 20: no write at all."""
    shifted.restart()
    shifted.settle()
    assert shifted.writes == []


def test_weights_that_change_while_nobody_looks_count_after_a_restart(shifted: Bed) -> None:
    shifted.stop()
    shifted.weights(wisdom_0=60, wisdom_1=40)
    shifted.start()
    shifted.until(lambda: shifted.shares() == {"wisdom-0": 60, "wisdom-1": 40})


def test_weights_keep_the_owners_that_others_gave_them(halves: Bed) -> None:
    """Such as the object of a GitOps tool."""
    halves.weights(wisdom_0=20)
    halves.until(lambda: owners(halves.get(tw())) == ["wisdom"])
    team = {"apiVersion": "v1", "kind": "ConfigMap", "name": "team", "uid": "u1"}
    halves.cluster.collects_garbage = False
    halves.cluster.patch(tw(), {"metadata": {"ownerReferences": [team]}})
    halves.until(lambda: owners(halves.get(tw())) == ["team", "wisdom"])


def test_all_weights_0_hold_the_routes_in_force(shifted: Bed) -> None:
    """Whoever wants no traffic at all deletes the policy."""
    shifted.weights(wisdom_0=0, wisdom_1=0)
    shifted.until(lambda: shifted.condition("Ready") == ("False", "NothingHasWeight"))
    assert shifted.shares() == {"wisdom-0": 20, "wisdom-1": 80}
