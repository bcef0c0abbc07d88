"""Objects that several policies render: one Gateway for all models of a namespace."""

import pytest

from tests.runtime.draining import SLACK
from tests.runtime.harness import (
    IN_FLIGHT,
    NAMESPACE,
    PROPAGATION,
    Bed,
    Object,
    gateway,
    owners,
    refuse,
    rp,
    vs,
)
from turnout.names import ROUTING_POLICY
from turnout_istio.gateway import GATEWAY
from turnout_istio.virtual_service import VIRTUAL_SERVICE

NAMES = ("one", "two", "three")


@pytest.fixture
def three(bed: Bed) -> Bed:
    """Three policies with one Gateway."""
    for name in NAMES:
        bed.version(f"{name}-0")
        bed.policy(name)
    bed.start()
    bed.until(lambda: all(bed.condition("Routed", name) == ("True", "InForce") for name in NAMES))
    bed.settle()
    return bed


@pytest.fixture
def one(bed: Bed) -> Bed:
    """A policy with its Gateway."""
    bed.version("one-0")
    bed.policy("one")
    bed.start()
    bed.until(lambda: bed.condition("Routed", "one") == ("True", "InForce"))
    bed.settle()
    bed.forget_calls()
    return bed


def named(gateway: str) -> Object:
    """A policy's config that wants a Gateway of that name."""
    return {"istio": {"externalGateway": gateway}}


def port(bed: Bed) -> int:
    """The port of the Gateway."""
    number: int = bed.get(gateway())["spec"]["servers"][0]["port"]["number"]
    return number


def on_port(number: int) -> Object:
    """A policy's config that wants the Gateway on a port."""
    return {"istio": {"gatewayPort": number}}


def somebodys() -> Object:
    """A Gateway that someone else has made."""
    return {
        "apiVersion": "networking.istio.io/v1",
        "kind": "Gateway",
        "metadata": {"name": "mm-gateway", "namespace": NAMESPACE},
        "spec": {"selector": {"istio": "mine"}},
    }


def test_one_apply_carries_the_owners_of_all(three: Bed) -> None:
    """And none of them as its controller."""
    assert three.writes.count("apply gateways/mm-gateway") == 1
    metadata = three.get(gateway())["metadata"]
    assert owners(three.get(gateway())) == ["one", "three", "two"]
    assert not any("controller" in owner for owner in metadata["ownerReferences"])
    assert metadata["labels"] == {"app.kubernetes.io/managed-by": "turnout", "turnout.dev/shared": "true"}
    assert three.get(gateway())["spec"]["servers"] == [
        {"port": {"number": 80, "name": "http", "protocol": "HTTP"}, "hosts": ["*"]}
    ]


def test_removing_one_policy_keeps_it_for_the_others(three: Bed) -> None:
    """With Iter8 it was gone."""
    three.delete(rp("one"))
    three.settle()
    assert owners(three.get(gateway())) == ["three", "two"]


def test_removing_the_last_policy_removes_it(three: Bed) -> None:
    for name in NAMES:
        three.delete(rp(name))
    three.settle()
    assert not three.exists(gateway())


def test_it_is_not_made_anew_for_policies_that_are_gone(three: Bed) -> None:
    """The garbage collector's deletion is heard of before those of the policies."""
    three.connection.hold(ROUTING_POLICY)
    three.forget_calls()
    for name in NAMES:
        three.delete(rp(name))
    three.settle()
    three.connection.release(ROUTING_POLICY)
    three.settle()
    assert three.writes == []


def test_it_is_put_back_while_any_policy_lives(three: Bed) -> None:
    """Though the oldest is gone, which nobody has heard of yet."""
    three.connection.hold(ROUTING_POLICY)
    three.delete(rp("one"))
    three.delete(gateway())
    three.until(lambda: three.exists(gateway()))


def test_the_last_policy_may_go_while_nobody_looks(three: Bed) -> None:
    """The owner references see to it."""
    three.stop()
    for name in NAMES:
        three.delete(rp(name))
    assert not three.exists(gateway())


def test_a_gateway_whose_policies_were_orphaned_from_it_stays(three: Bed) -> None:
    """As with `kubectl delete --cascade=orphan`: calls go on until the policies are back, and then too."""
    uid = three.get(gateway())["metadata"]["uid"]
    for name in NAMES:
        three.cluster.delete(rp(name), propagation="Orphan")
    three.settle()
    assert three.exists(gateway())
    assert owners(three.get(gateway())) == []
    for name in NAMES:
        three.policy(name)
    three.until(lambda: owners(three.get(gateway())) == ["one", "three", "two"])
    assert three.get(gateway())["metadata"]["uid"] == uid


def test_a_policy_that_comes_later_joins_the_owners(three: Bed) -> None:
    three.version("four-0")
    three.policy("four")
    three.until(lambda: owners(three.get(gateway())) == ["four", "one", "three", "two"])


def test_a_restart_writes_nothing(three: Bed) -> None:
    three.stop()
    three.forget_calls()
    three.start()
    three.settle()
    assert three.writes == []


def test_a_gateway_that_is_deleted_or_edited_is_put_back(three: Bed) -> None:
    three.delete(gateway())
    three.until(lambda: three.exists(gateway()))
    three.cluster.patch(gateway(), {"spec": {"selector": {"istio": "other"}}})
    three.until(lambda: three.get(gateway())["spec"]["selector"] == {"istio": "ingressgateway"})
    assert owners(three.get(gateway())) == ["one", "three", "two"]


def test_somebody_who_keeps_changing_it_is_not_fought_without_end(three: Bed) -> None:

    def put_back() -> bool:
        return bool(three.get(gateway())["spec"]["selector"] == {"istio": "ingressgateway"})

    for _ in range(7):
        three.cluster.patch(gateway(), {"spec": {"selector": {"istio": "other"}}})
        three.until(put_back)
    three.cluster.patch(gateway(), {"spec": {"selector": {"istio": "other"}}})
    three.sleep(2.0)
    assert not put_back()
    three.until(put_back)


def test_a_gateway_of_someone_else_is_used_and_never_written(bed: Bed) -> None:
    """The routes are in force all the same, and it outlives the policy."""
    made = bed.cluster.create(somebodys(), namespace=NAMESPACE)
    bed.version("one-0")
    bed.policy("one")
    bed.start()
    bed.until(lambda: bed.condition("Routed", "one") == ("True", "InForce"))
    bed.settle()
    bed.delete(rp("one"))
    bed.settle()
    assert bed.get(gateway()) == made


def test_a_gateway_of_someone_else_that_goes_is_replaced_by_ours(bed: Bed) -> None:
    bed.cluster.create(somebodys(), namespace=NAMESPACE)
    bed.version("one-0")
    bed.policy("one")
    bed.start()
    bed.until(lambda: bed.condition("Routed", "one") == ("True", "InForce"))
    bed.delete(gateway())
    bed.until(lambda: bed.exists(gateway()) and owners(bed.get(gateway())) == ["one"])


def test_a_gateway_of_another_namespace_is_used_as_it_is(bed: Bed) -> None:
    bed.version("one-0")
    bed.policy("one", config={"istio": {"externalGateway": "istio-system/public"}})
    bed.start(settings={"allowNamespaces": {"*": ["istio-system"]}})
    bed.until(lambda: bed.condition("Routed", "one") == ("True", "InForce"))
    bed.settle()
    assert bed.cluster.objects(GATEWAY) == []


def test_of_differing_bodies_the_oldest_wins(three: Bed) -> None:
    """The others own it too, and say SharedConflict with the winner's name; their routes are in force."""
    three.sleep(1.5)  # policies are told apart by seconds
    three.version("late-0")
    three.policy("late", config=on_port(8080))
    three.until(lambda: three.condition("Routed", "late") == ("False", "SharedConflict"))
    assert "is older and wants another Gateway models/mm-gateway" in three.message("Routed", "late")
    three.until(lambda: "late" in owners(three.get(gateway())))
    assert port(three) == 80
    assert three.shares("late") == {"late-0": 100}
    assert {three.condition("Routed", name) for name in NAMES} == {("True", "InForce")}


def test_the_next_oldest_wins_when_the_oldest_goes(bed: Bed) -> None:
    """And what was a conflict is none any more."""
    bed.version("old-0")
    bed.version("new-0")
    bed.policy("old")
    bed.start()
    bed.until(lambda: bed.condition("Routed", "old") == ("True", "InForce"))
    bed.sleep(1.5)
    bed.policy("new", config=on_port(8080))
    bed.until(lambda: owners(bed.get(gateway())) == ["new", "old"])
    bed.until(lambda: bed.condition("Routed", "new") == ("False", "SharedConflict"))
    bed.delete(rp("old"))
    bed.until(lambda: port(bed) == 8080)
    bed.until(lambda: bed.condition("Routed", "new") == ("True", "InForce"))


def test_a_conflict_that_is_resolved_by_the_winner_ends_for_all(bed: Bed) -> None:
    bed.version("old-0")
    bed.version("new-0")
    bed.policy("old")
    bed.start()
    bed.until(lambda: bed.condition("Routed", "old") == ("True", "InForce"))
    bed.sleep(1.5)
    bed.policy("new", config=on_port(8080))
    bed.until(lambda: bed.condition("Routed", "new") == ("False", "SharedConflict"))
    bed.policy("old", config=on_port(8080))
    bed.until(lambda: bed.condition("Routed", "new") == ("True", "InForce"))
    assert port(bed) == 8080


@pytest.mark.parametrize("restart", [False, True])
def test_an_owner_stays_one_while_its_policy_is_not_accepted(three: Bed, restart: bool) -> None:
    """Its routes stay, so it still needs the Gateway; and so it is after a restart."""
    three.policy("one", trafficStrategy="no-such")
    three.until(lambda: three.condition("Accepted", "one") == ("False", "UnknownPlugin"))
    if restart:
        three.restart()
        three.settle()
    three.delete(rp("two"))
    three.settle()
    assert owners(three.get(gateway())) == ["one", "three"]


def test_a_policy_that_no_longer_wants_it_is_no_owner_any_more(three: Bed) -> None:
    three.policy("one", config={"istio": {"externalGateway": "models/public"}})
    three.until(lambda: owners(three.get(gateway())) == ["three", "two"])


def test_it_goes_when_nobody_wants_it_any_more(one: Bed) -> None:
    """Though the policy lives, and owns it: once the routes that do without it have arrived."""
    one.policy("one", config={"istio": {"externalGateway": "models/public"}})
    one.until(lambda: one.get(vs("one"))["spec"]["gateways"][0] == "models/public")
    since = one.now()
    one.until(lambda: not one.exists(gateway()))
    assert (one.now() - since).total_seconds() > PROPAGATION + IN_FLIGHT - SLACK
    one.policy("one", config=on_port(80))
    one.until(lambda: one.exists(gateway()))
    assert one.events("Corrected") == []


def test_a_new_one_is_there_before_the_routes_that_name_it(one: Bed) -> None:
    """And the old one until those have arrived."""
    one.policy("one", config=named("public"))
    one.until(lambda: one.get(vs("one"))["spec"]["gateways"][0] == "public")
    since = one.now()
    written = [call for call in one.writes if "gateways/" in call or "virtualservices/" in call]
    assert written == ["apply gateways/public", "apply virtualservices/one"]
    one.settle()
    assert one.condition("Routed", "one") == ("True", "Moving")
    assert one.message("Routed", "one") == (
        "given up once the new routes have arrived: Gateway models/mm-gateway"
    )
    one.until(lambda: not one.exists(gateway()))
    assert (one.now() - since).total_seconds() > PROPAGATION + IN_FLIGHT - SLACK
    one.until(lambda: one.condition("Routed", "one") == ("True", "InForce"))


@pytest.mark.parametrize("again", ["stays", "is killed"])
def test_routes_stay_with_the_old_one_while_the_new_may_not_be_written(one: Bed, again: str) -> None:
    """And follow what happens to versions."""
    one.cluster.on_request = refuse(verb="apply", kind=GATEWAY)
    one.policy("one", config=named("public"))
    one.until(lambda: one.condition("Routed", "one") == ("False", "Forbidden"))
    if again == "is killed":
        one.restart()
    one.version("one-1")
    one.until(lambda: one.shares("one") == {"one-0": 50, "one-1": 50})
    one.sleep(60)
    assert one.get(vs("one"))["spec"]["gateways"] == ["mm-gateway", "mesh"]
    assert one.exists(gateway())
    one.cluster.on_request = None
    one.until(lambda: one.exists(gateway("public")) and not one.exists(gateway()))


def test_the_old_one_stays_while_the_route_cannot_be_written(one: Bed) -> None:
    one.cluster.on_request = refuse(verb="apply", kind=VIRTUAL_SERVICE)
    one.policy("one", config=named("public"))
    one.until(lambda: one.condition("Routed", "one") == ("False", "Forbidden"))
    one.sleep(60)
    assert one.get(vs("one"))["spec"]["gateways"] == ["mm-gateway", "mesh"]
    assert one.exists(gateway())


def test_what_somebody_else_owns_too_is_left_to_them(bed: Bed) -> None:
    """While policies want it nobody's reference is in the way, and when they come back it is theirs again."""
    bed.version("one-0")
    bed.policy("one")
    bed.start()
    bed.until(lambda: bed.exists(gateway()))
    app = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "app", "namespace": NAMESPACE}}
    owner = {"apiVersion": "v1", "kind": "ConfigMap", "name": "app"}
    owner["uid"] = bed.cluster.create(app, namespace=NAMESPACE)["metadata"]["uid"]
    references = bed.get(gateway())["metadata"]["ownerReferences"]
    bed.settle()
    bed.forget_calls()
    bed.cluster.patch(gateway(), {"metadata": {"ownerReferences": [*references, owner]}})
    bed.settle()
    assert bed.writes == []
    assert owners(bed.get(gateway())) == ["app", "one"]

    bed.policy("one", config={"istio": {"externalGateway": "other"}})
    bed.until(lambda: owners(bed.get(gateway())) == ["app"])
    bed.settle()
    assert bed.get(gateway())["metadata"]["ownerReferences"] == [owner]
    bed.policy("one", config=on_port(80))
    bed.until(lambda: owners(bed.get(gateway())) == ["app", "one"])


def test_it_is_tried_again_when_it_may_not_be_written(bed: Bed) -> None:
    """The routes do not wait for it."""
    bed.cluster.on_request = refuse(kind=GATEWAY, verb="apply")
    bed.version("one-0")
    bed.policy("one")
    bed.start()
    bed.until(lambda: bed.shares("one") == {"one-0": 100})
    bed.until(lambda: bed.condition("Routed", "one") == ("False", "Forbidden"))
    assert "Gateway models/mm-gateway" in bed.message("Routed", "one")
    bed.cluster.on_request = None
    bed.until(lambda: bed.exists(gateway()))
    bed.until(lambda: bed.condition("Ready", "one") == ("True", "Ready"))


def test_labels_that_someone_took_off_are_put_back(three: Bed) -> None:
    """Its owners say that it is ours, and an event says what differed."""
    three.cluster.patch(gateway(), {"metadata": {"labels": {"turnout.dev/shared": None}}})
    three.until(lambda: three.get(gateway())["metadata"]["labels"].get("turnout.dev/shared") == "true")
    three.settle()
    (told,) = three.events("Corrected")
    assert (
        told == "Gateway models/mm-gateway was changed at metadata.labels[turnout.dev/shared] and is put back"
    )


def test_it_is_not_written_before_all_policies_were_looked_at(three: Bed) -> None:
    """Else a restart would drop the owners that were not yet read, one after the other."""
    three.kill()
    three.forget_calls()
    three.policy("one", config=on_port(8080))
    three.start()
    three.settle()
    assert three.writes.count("apply gateways/mm-gateway") <= 1
    assert owners(three.get(gateway())) == ["one", "three", "two"]
