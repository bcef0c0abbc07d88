"""When a move ends: what is left over goes, in its time, and nothing else does."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from tests.runtime.harness import (
    IN_FLIGHT,
    NAMESPACE,
    PROPAGATION,
    Bed,
    gateway,
    owners,
    rp,
    vs,
)
from tests.runtime.moves.moving import ARRIVAL, TABLE, Refused, moved, say, shared_by_two, start, there
from tests.toys.table import CONFIG_MAP
from turnout.plugin import Ref


def test_old_routes_stay_while_the_word_on_the_new_ones_has_not_come(make_bed: Callable[..., Bed]) -> None:
    """The watch is late: nobody has said that the network takes them."""
    bed = shared_by_two(make_bed(Refused()))
    bed.version("other-0")
    bed.policy("other", router="refused")
    bed.until(lambda: bed.exists(Ref(CONFIG_MAP, NAMESPACE, "other-table")))
    bed.settle()
    bed.connection.hold(CONFIG_MAP)
    bed.policy(router="refused")
    bed.until(lambda: bed.exists(TABLE))
    bed.sleep(ARRIVAL + IN_FLIGHT + 5)
    assert there(bed) == [True] * 3


def test_nothing_is_left_over_where_someone_has_emptied_the_status(halves: Bed) -> None:
    halves.policy(router="toy-table")
    halves.until(lambda: halves.exists(TABLE))
    halves.settle()
    halves.cluster.set_status(rp(), {})
    halves.sleep(60)
    assert there(halves) == [False] * 3


def test_a_table_is_given_back_that_someone_deleted_in_a_move(halves: Bed) -> None:
    """Another policy of the same model name may have it."""
    halves.policy(router="toy-table")
    halves.until(lambda: halves.exists(TABLE))
    halves.delete(vs())
    halves.until(lambda: halves.condition("Routed") == ("True", "InForce"), within=100)
    halves.policy("second", modelName="wisdom", modelVersions=[{"name": "wisdom-0"}, {"name": "wisdom-1"}])
    halves.sleep(10)
    assert halves.message("Routed", "second") == ""


def test_a_policy_that_gave_up_a_shared_gateway_says_so(bed: Bed) -> None:
    for name in ("one", "two"):
        bed.version(f"{name}-0")
        bed.policy(name)
    start(bed)
    bed.until(lambda: all(bed.condition("Routed", name) == ("True", "InForce") for name in ("one", "two")))
    bed.settle()
    bed.policy("one", config={"istio": {"externalGateway": "public"}})
    bed.until(lambda: owners(bed.get(gateway())) == ["two"])
    bed.sleep(30)
    assert bed.condition("Routed", "one") == ("True", "InForce")


def test_shared_objects_go_with_the_time_of_one_wait(halves: Bed) -> None:
    halves.policy(router="toy-table")
    halves.until(lambda: not halves.exists(vs()))
    since = halves.now()
    halves.until(lambda: not halves.exists(gateway()))
    assert (halves.now() - since).total_seconds() < 3


def test_foreign_objects_in_the_status_are_left_alone(halves: Bed) -> None:
    for name in ("theirs", "others"):
        body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": {"a": "b"}}
        halves.cluster.create(body, namespace=NAMESPACE)
    status = halves.status()
    listed = [
        {"apiVersion": "v1", "kind": "ConfigMap", "namespace": NAMESPACE, "name": name}
        for name in ("theirs", "others", "none")
    ]
    halves.cluster.set_status(rp(), {**status, "routes": [*status["routes"], *listed]})
    halves.policy(router="toy-table")
    halves.until(lambda: moved(halves))
    assert all(halves.exists(Ref(CONFIG_MAP, NAMESPACE, name)) for name in ("theirs", "others"))


@pytest.mark.parametrize("how", ["Orphan", "Foreground"])
def test_a_policy_is_deleted_in_a_move(halves: Bed, how: str) -> None:
    halves.policy(router="toy-table")
    halves.until(lambda: halves.exists(TABLE))
    halves.cluster.delete(rp(), propagation=how)
    halves.settle()
    if how == "Foreground":
        assert there(halves) == [False] * 3
        assert not halves.exists(TABLE)
    else:
        assert there(halves) == [True] * 3
        assert halves.exists(TABLE)


@pytest.mark.parametrize("hours", [-1, 1])
def test_a_gateway_arrives_whatever_the_clock_of_the_api_server(halves: Bed, hours: int) -> None:
    halves.stop()
    right = halves.now
    halves.now = lambda: right() + timedelta(hours=hours)  # type: ignore[method-assign]
    start(halves)
    halves.settle()
    halves.policy(config={"istio": {"externalGateway": "public"}})
    halves.until(lambda: halves.exists(gateway("public")))
    since = right()
    halves.until(lambda: halves.get(vs())["spec"]["gateways"][0] == "public", within=60)
    assert (right() - since).total_seconds() > PROPAGATION - 1


def test_what_somebody_elses_finalizer_keeps_is_told(halves: Bed) -> None:
    halves.cluster.patch(vs(), {"metadata": {"finalizers": ["example.com/mine"]}})
    halves.policy(router="toy-table")
    halves.until(lambda: halves.get(vs())["metadata"].get("deletionTimestamp"))
    halves.sleep(60)
    halves.forget_calls()
    halves.sleep(120)
    assert halves.writes == []
    assert "example.com/mine" in halves.message("Routed")


@pytest.mark.parametrize("how", ["suspend", "refused"])
def test_the_time_of_new_routes_does_not_count_while_a_move_is_halted(
    make_bed: Callable[..., Bed], how: str
) -> None:
    """The network refuses them meanwhile."""
    bed = shared_by_two(make_bed(Refused()))
    bed.policy(router="refused")
    bed.until(lambda: bed.exists(TABLE))
    say(bed, "yes")
    bed.until(lambda: bed.condition("Routed") == ("True", "Moving"))
    bed.settle()
    said = {"suspend": True} if how == "suspend" else {"trafficStrategy": "no-such"}
    bed.policy(router="refused", **said)
    bed.settle()
    say(bed, "no")
    bed.sleep(60)
    assert there(bed) == [True] * 3
    say(bed, "yes")
    bed.policy(router="refused")
    since = bed.now()
    bed.until(lambda: not bed.exists(vs()))
    assert (bed.now() - since).total_seconds() > ARRIVAL + IN_FLIGHT - 2
