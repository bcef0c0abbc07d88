"""What the controller does about routes that others have written, changed or deleted."""

import pytest

from tests.runtime.harness import (
    NAMESPACE,
    Bed,
    Object,
    gateway,
    owners,
    policy,
    refuse,
    rp,
    service_entry,
    vs,
)
from turnout.names import ANNOTATION_PLAN, ROUTING_POLICY
from turnout.plugin import Ref
from turnout.runtime.transport import Request
from turnout_istio.virtual_service import VIRTUAL_SERVICE


@pytest.fixture
def routed(bed: Bed) -> Bed:
    """A policy whose routes are in force."""
    bed.version("wisdom-0")
    bed.policy()
    bed.start()
    bed.until(lambda: bed.condition("Routed") == ("True", "InForce"))
    bed.settle()
    bed.forget_calls()
    return bed


def somebodys(name: str = "wisdom") -> Object:
    """A VirtualService that someone else has made."""
    return {
        "apiVersion": "networking.istio.io/v1",
        "kind": "VirtualService",
        "metadata": {"name": name, "namespace": NAMESPACE},
        "spec": {"hosts": ["somebody.example"]},
    }


def edit(bed: Bed, hosts: list[str] | None = None) -> None:
    """Edit the route by hand."""
    bed.cluster.patch(vs(), {"spec": {"hosts": hosts or ["elsewhere"]}})


def test_an_edited_route_is_put_back_with_an_event_that_says_what_differed(routed: Bed) -> None:
    edit(routed)
    routed.until(lambda: routed.get(vs())["spec"]["hosts"][0] == "wisdom.models")
    routed.settle()
    assert routed.events("Corrected") == [
        "VirtualService models/wisdom was changed at spec.hosts[0] and is put back"
    ]
    assert routed.writes == ["apply virtualservices/wisdom"]


@pytest.mark.parametrize("ref", [vs(), service_entry()], ids=lambda ref: ref.kind.kind)
def test_a_deleted_route_is_put_back(routed: Bed, ref: Ref) -> None:
    """One that others find their way by as well."""
    routed.delete(ref)
    routed.until(lambda: routed.exists(ref))
    routed.settle()
    assert routed.events("Corrected") == [f"{ref} was deleted"]


@pytest.fixture
def unheard(routed: Bed) -> Bed:
    """The same, and what happens to policies is not heard of until `release`; to routes it is."""
    routed.connection.hold(ROUTING_POLICY)
    return routed


def test_a_route_that_went_with_its_policy_is_not_made_anew(unheard: Bed) -> None:
    """The garbage collector's deletion is heard of before the policy's."""
    unheard.delete(rp())
    unheard.settle()
    unheard.connection.release(ROUTING_POLICY)
    unheard.settle()
    assert not unheard.exists(vs())
    assert unheard.writes == []
    assert unheard.events("Corrected") == []


def test_nor_one_whose_policy_is_being_deleted(unheard: Bed) -> None:
    """In the foreground, that is after what it owns."""
    unheard.cluster.patch(rp(), {"metadata": {"finalizers": ["foregroundDeletion"]}})
    unheard.delete(rp())
    unheard.delete(vs())
    unheard.settle()
    assert unheard.writes == []


def test_a_route_that_went_with_its_policy_is_made_for_the_next_of_that_name(unheard: Bed) -> None:
    """For that one alone."""
    written: list[str] = []

    def look(request: Request, response: object) -> None:
        if request.method == "PATCH" and "/virtualservices/" in request.path:
            written.extend(owner["uid"] for owner in request.body["metadata"]["ownerReferences"])

    unheard.cluster.on_response = look
    unheard.delete(rp())
    unheard.policy()
    unheard.settle()
    unheard.connection.release(ROUTING_POLICY)
    unheard.until(lambda: unheard.exists(vs()))
    unheard.settle()
    assert written == [unheard.get(rp())["metadata"]["uid"]]


def test_a_policy_that_was_replaced_unheard_gets_its_routes(unheard: Bed) -> None:
    """And no status that was meant for the one before."""
    unheard.cluster.collects_garbage = False
    unheard.delete(rp())
    unheard.policy()
    unheard.ready("wisdom-0", False)
    unheard.sleep(10)
    assert "apply routingpolicies/wisdom/status" in unheard.writes
    assert "status" not in unheard.get(rp())
    unheard.connection.release(ROUTING_POLICY)
    unheard.until(lambda: unheard.condition("Ready") == ("False", "NoVersionReady"))
    uid = unheard.get(rp())["metadata"]["uid"]
    unheard.until(lambda: [one["uid"] for one in unheard.get(vs())["metadata"]["ownerReferences"]] == [uid])


def test_a_route_that_a_person_deleted_is_put_back_whatever_is_heard_of_policies(unheard: Bed) -> None:
    """The API server says that the policy is there: that is one call."""
    unheard.delete(vs())
    unheard.until(lambda: unheard.exists(vs()))
    unheard.settle()
    assert "apply virtualservices/wisdom" in unheard.writes
    assert [call.name for call in unheard.calls if call.verb == "get"] == ["wisdom"]


def test_a_spoilt_plan_and_lost_labels_are_put_back(routed: Bed) -> None:
    """As they are what a restart and an uninstallation go by."""
    before = routed.get(vs())["metadata"]
    patch = {"labels": {"turnout.dev/policy": None}, "annotations": {ANNOTATION_PLAN: "nonsense"}}
    routed.cluster.patch(vs(), {"metadata": patch})
    routed.until(lambda: routed.get(vs())["metadata"]["annotations"] == before["annotations"])
    assert routed.get(vs())["metadata"]["labels"] == before["labels"]


def test_a_route_that_lost_its_owner_gets_it_back(routed: Bed) -> None:
    routed.cluster.patch(vs(), {"metadata": {"ownerReferences": None}})
    routed.until(lambda: owners(routed.get(vs())) == ["wisdom"])


def test_what_others_add_beside_is_left_to_them(routed: Bed) -> None:
    """Labels, annotations and fields that no router asked for, such as exportTo."""
    extra = {"metadata": {"labels": {"team": "a"}, "annotations": {"note": "b"}}, "spec": {"exportTo": ["."]}}
    routed.cluster.patch(vs(), extra)
    routed.settle()
    assert routed.calls == []
    assert routed.get(vs())["spec"]["exportTo"] == ["."]


def test_what_was_changed_while_nobody_looked_is_put_back(routed: Bed) -> None:
    routed.stop()
    edit(routed)
    routed.start()
    routed.until(lambda: routed.get(vs())["spec"]["hosts"][0] == "wisdom.models")
    routed.settle()
    assert len(routed.events("Corrected")) == 1


def test_somebody_who_keeps_changing_a_route_is_not_fought_without_end(routed: Bed) -> None:
    """Three corrections at once, then Contended, and each later one after twice the time."""
    for _ in range(3):
        edit(routed)
        routed.until(lambda: routed.get(vs())["spec"]["hosts"][0] == "wisdom.models")
    edit(routed)
    routed.until(lambda: routed.condition("Routed") == ("False", "Contended"))
    assert "spec.hosts[0]" in routed.message("Routed")
    assert routed.get(vs())["spec"]["hosts"] == ["elsewhere"]
    routed.until(lambda: routed.get(vs())["spec"]["hosts"][0] == "wisdom.models")
    routed.until(lambda: routed.condition("Routed") == ("True", "InForce"))
    assert routed.writes.count("apply virtualservices/wisdom") == 4


@pytest.mark.parametrize("what", ["was changed", "was deleted"])
@pytest.mark.parametrize("ref", [vs(), gateway()], ids=lambda ref: ref.kind.kind)
def test_what_may_not_be_put_back_is_not_said_to_be(routed: Bed, ref: Ref, what: str) -> None:
    """However often it is tried: what the API server says stays. The event comes once it is put back."""
    routed.cluster.on_request = refuse(verb="apply", kind=ref.kind)
    if what == "was changed":
        routed.cluster.patch(ref, {"metadata": {"labels": {"app.kubernetes.io/managed-by": "me"}}})
    else:
        routed.delete(ref)
    routed.until(lambda: routed.condition("Routed") == ("False", "Forbidden"))
    for number in range(6):
        routed.cluster.patch(rp(), {"metadata": {"labels": {"n": f"{number}"}}})
        routed.sleep(2)
        assert routed.condition("Routed") == ("False", "Forbidden")
    assert routed.events("Corrected") == []
    routed.cluster.on_request = None
    routed.until(lambda: routed.condition("Routed") == ("True", "InForce"))
    routed.settle()
    assert routed.exists(ref)
    (told,) = routed.events("Corrected")
    assert told.startswith(f"{ref} {what}")


def test_a_contended_route_still_follows_the_versions(routed: Bed) -> None:
    """What is decided anew is no correction. The sixth would have to wait for eight seconds."""
    for _ in range(5):
        edit(routed)
        routed.until(lambda: routed.get(vs())["spec"]["hosts"][0] == "wisdom.models")
    edit(routed)
    routed.until(lambda: routed.condition("Routed") == ("False", "Contended"))
    routed.version("wisdom-1")
    routed.until(lambda: routed.shares() == {"wisdom-0": 50, "wisdom-1": 50}, within=6)


def test_a_route_of_someone_else_is_never_taken_over(bed: Bed) -> None:
    """Routed says whose it is; status lists no route that is not ours."""
    bed.cluster.create(somebodys(), namespace=NAMESPACE)
    bed.version("wisdom-0")
    bed.policy()
    bed.start()
    bed.until(lambda: bed.condition("Routed") == ("False", "RouteConflict"))
    bed.settle()
    assert bed.message("Routed") == (
        "VirtualService models/wisdom exists and is managed by someone else; "
        "it is left alone until it is gone or renamed"
    )
    assert bed.get(vs())["spec"] == {"hosts": ["somebody.example"]}
    assert "routes" not in bed.status()


def test_a_conflict_ends_when_the_other_route_goes(bed: Bed) -> None:
    bed.cluster.create(somebodys(), namespace=NAMESPACE)
    bed.version("wisdom-0")
    bed.policy()
    bed.start()
    bed.until(lambda: bed.condition("Routed") == ("False", "RouteConflict"))
    bed.delete(vs())
    bed.until(lambda: bed.shares() == {"wisdom-0": 100})
    bed.until(lambda: bed.condition("Routed") == ("True", "InForce"))


def test_a_route_that_appears_between_a_look_and_a_write_is_not_taken_over(bed: Bed) -> None:
    """Creation does not force."""
    bed.version("wisdom-0")
    bed.policy()
    made: list[Object] = []

    def hook(request: object) -> None:
        if "virtualservices/wisdom" in str(request) and not made:
            made.append(bed.cluster.create(somebodys(), namespace=NAMESPACE))

    bed.cluster.on_request = hook
    bed.start()
    bed.until(lambda: bed.condition("Routed") == ("False", "RouteConflict"))
    assert bed.get(vs())["spec"] == {"hosts": ["somebody.example"]}


def test_of_two_policies_with_one_model_name_the_second_waits(routed: Bed) -> None:
    """Whatever is started again in between; and it goes on once the first is gone."""
    routed.policy("rival", modelName="wisdom", modelVersions=[{"name": "wisdom-0"}])
    routed.until(lambda: routed.condition("Routed", "rival") == ("False", "RouteConflict"))
    assert "policy wisdom" in routed.message("Routed", "rival")
    routed.restart()
    routed.settle()
    assert routed.condition("Routed", "rival") == ("False", "RouteConflict")
    assert routed.condition("Routed") == ("True", "InForce")
    assert owners(routed.get(vs())) == ["wisdom"]
    routed.delete(rp())
    routed.until(lambda: routed.condition("Routed", "rival") == ("True", "InForce"))
    assert owners(routed.get(vs())) == ["rival"]


def test_two_policies_with_one_model_name_that_come_together_do_not_fight(bed: Bed) -> None:
    """One of them wins, and stays the winner."""
    bed.version("wisdom-0")
    for name in ("one", "two"):
        bed.policy(name, modelName="wisdom", modelVersions=[{"name": "wisdom-0"}])
    bed.start()
    bed.settle()
    assert sorted(bed.condition("Routed", name) for name in ("one", "two")) == [
        ("False", "RouteConflict"),
        ("True", "InForce"),
    ]
    assert bed.writes.count("apply virtualservices/wisdom") == 1


def test_a_policy_that_was_replaced_adopts_its_routes(routed: Bed) -> None:
    """`kubectl replace --force` deletes and creates; before the garbage collector comes, at that."""
    uid = routed.get(vs())["metadata"]["uid"]
    routed.cluster.collects_garbage = False
    routed.delete(rp())
    routed.policy()
    routed.until(lambda: routed.condition("Routed") == ("True", "InForce"))
    metadata = routed.get(vs())["metadata"]
    assert metadata["uid"] == uid
    assert [owner["uid"] for owner in metadata["ownerReferences"]] == [routed.get(rp())["metadata"]["uid"]]


def test_a_policy_that_was_replaced_makes_its_routes_anew_where_they_are_gone(routed: Bed) -> None:
    routed.delete(rp())
    routed.policy()
    routed.until(lambda: routed.condition("Routed") == ("True", "InForce"))
    assert routed.shares() == {"wisdom-0": 100}


def test_only_what_has_our_uid_among_its_owners_is_removed(routed: Bed) -> None:
    """Neither a label nor an entry in the status proves that something is ours."""
    labels = {"app.kubernetes.io/managed-by": "turnout", "turnout.dev/policy": "wisdom"}
    copied = somebodys("copied")
    copied["metadata"]["labels"] = labels
    routed.cluster.create(copied, namespace=NAMESPACE)
    routed.cluster.create(somebodys("listed"), namespace=NAMESPACE)
    status = routed.status()
    listed = {"apiVersion": "networking.istio.io/v1", "kind": "VirtualService", "namespace": NAMESPACE}
    status["routes"] = [*status["routes"], {**listed, "name": "listed"}]
    routed.cluster.set_status(rp(), status)
    routed.version("wisdom-1")
    routed.until(lambda: routed.shares() == {"wisdom-0": 50, "wisdom-1": 50})
    routed.settle()
    assert routed.exists(vs("copied"))
    assert routed.exists(vs("listed"))


def test_a_copied_policy_does_not_get_the_routes_of_the_first(routed: Bed) -> None:
    """Its name is another one, so are its model and its hosts."""
    routed.version("copy-0")
    routed.cluster.apply_manifest(policy("copy"), namespace=NAMESPACE)
    routed.until(lambda: routed.shares("copy") == {"copy-0": 100})
    assert owners(routed.get(vs())) == ["wisdom"]


def test_a_conflict_of_versions_is_decided_anew(routed: Bed) -> None:
    """The route has changed between the look and the write."""
    edited: list[bool] = []

    def hook(request: object) -> None:
        if "virtualservices/wisdom" in str(request) and not edited:
            edited.append(True)
            routed.cluster.patch(vs(), {"metadata": {"labels": {"team": "a"}}})

    routed.cluster.on_request = hook
    routed.version("wisdom-1")
    routed.until(lambda: routed.shares() == {"wisdom-0": 50, "wisdom-1": 50})
    assert routed.get(vs())["metadata"]["labels"]["team"] == "a"


def test_what_the_network_refuses_is_said(routed: Bed) -> None:
    """The router reads it from the route's own status."""
    routed.cluster.set_status(vs(), {"validationMessages": [{"level": "ERROR", "type": {"code": "IST0101"}}]})
    routed.until(lambda: routed.condition("Routed") == ("False", "RefusedByNetwork"))
    assert "IST0101" in routed.message("Routed")


def test_a_route_that_may_not_be_deleted_is_said(routed: Bed) -> None:
    """The new one is in force all the same."""
    routed.cluster.on_request = refuse(verb="delete", kind=VIRTUAL_SERVICE)
    routed.restart(drain={"propagationSeconds": {"toy-table": 1}})
    routed.policy(router="toy-table")
    routed.until(lambda: routed.condition("Routed") == ("False", "Forbidden"))
    routed.cluster.on_request = None
    routed.until(lambda: not routed.exists(vs()))


def test_a_status_that_someone_wiped_is_written_again(bed: Bed) -> None:
    """It is what people read, and a fight over it is not fought without end."""
    bed.version("wisdom-0")
    bed.policy()
    bed.start()
    bed.until(lambda: bed.condition("Ready") == ("True", "Ready"))
    bed.settle()
    bed.cluster.set_status(rp(), {"split": "lies"})
    bed.until(lambda: bed.split() == "wisdom-0 100%" and bed.condition("Ready") == ("True", "Ready"))
    bed.forget_calls()
    bed.settle()
    assert bed.writes == []


def test_a_field_that_an_option_no_longer_asks_for_goes(bed: Bed) -> None:
    """The plan stays the same, and nothing that is wanted differs."""
    bed.version("wisdom-0")
    bed.policy(config={"istio": {"exportTo": ["."]}})
    bed.start()
    refs = (vs(), service_entry())
    bed.until(lambda: all(bed.exists(ref) and bed.get(ref)["spec"]["exportTo"] == ["."] for ref in refs))
    bed.settle()
    bed.policy(config={"istio": {"gatewayPort": 80}})
    bed.until(lambda: not any("exportTo" in bed.get(ref)["spec"] for ref in refs))
    bed.settle()
    assert bed.events("Corrected") == []


def test_a_field_that_is_asked_for_no_more_goes_also_where_nobody_saw_the_change(bed: Bed) -> None:
    """Which fields are ours is written in the cluster; that someone else has a field more is theirs to say."""
    bed.version("wisdom-0")
    bed.policy()
    bed.start(settings={"plugins": {"istio": {"defaults": {"exportTo": ["."]}}}})
    bed.until(lambda: bed.condition("Ready") == ("True", "Ready"))
    bed.settle()
    bed.kill()
    bed.cluster.patch(service_entry(), {"spec": {"subjectAltNames": ["theirs"]}})
    bed.forget_calls()
    bed.start()
    bed.until(lambda: not any("exportTo" in bed.get(ref)["spec"] for ref in (vs(), service_entry())))
    bed.settle()
    assert bed.writes.count("apply virtualservices/wisdom") == 1
    assert bed.get(service_entry())["spec"]["subjectAltNames"] == ["theirs"]
    assert sorted(bed.events("Corrected")) == [
        "ServiceEntry models/wisdom is not what would be written now, at spec.exportTo, and is rewritten",
        "VirtualService models/wisdom is not what would be written now, at spec.exportTo, and is rewritten",
    ]
