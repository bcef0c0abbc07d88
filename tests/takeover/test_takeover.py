"""Routes go from Iter8's controller to turnout's, on a cluster in memory."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.migration.charts import NAMESPACE, Chart
from tests.takeover.world import (
    ENTRY,
    FINALIZER,
    MANAGER,
    POLICY,
    ROUTEMAP,
    ROUTES,
    WEIGHTS,
    Cut,
    World,
    entry,
    version,
)
from turnout.plugin import Ref
from turnout.runtime.errors import ApiError
from turnout.runtime.transport import APPLY, ConnectionFailed, Request, Response
from turnout.takeover.prepared import Refused
from turnout.takeover.reading import CONFIG_MAP
from turnout.testing.memory import Answer


def world(*, owns: bool = False, **values: Any) -> World:
    made = World(Chart(**values), owns=owns)
    made.cluster.create(entry(made.chart), namespace=NAMESPACE)
    return made


def document(made: World, ref: Ref) -> Any:
    found = made.cluster.get(ref)
    assert found, ref
    return found


def managers(made: World, ref: Ref) -> list[tuple[str, str]]:
    entries = document(made, ref)["metadata"]["managedFields"]
    return [(one["manager"], one["operation"]) for one in entries if "f:spec" in one["fieldsV1"]]


def taken_over(made: World) -> None:
    """The objects are the policy's, as if turnout's controller had made them; nothing of Iter8's is left."""
    uid = document(made, POLICY)["metadata"]["uid"]
    for ref in (ROUTES, ENTRY):
        metadata = document(made, ref)["metadata"]
        assert [(one["kind"], one["uid"]) for one in metadata["ownerReferences"]] == [("RoutingPolicy", uid)]
        assert metadata["labels"] == {
            "app.kubernetes.io/managed-by": "turnout",
            "turnout.dev/policy": "wisdom",
        }
        assert managers(made, ref) == [("turnout", "Apply")]
        assert MANAGER not in {one["manager"] for one in metadata["managedFields"]}
    assert "turnout.dev/plan" in document(made, ROUTES)["metadata"]["annotations"]
    assert made.label() == "routemap-taken-over"
    for name in made.chart.names:
        for ref in (version(name), Ref(CONFIG_MAP, NAMESPACE, f"{name}-weight-config")):
            found = made.cluster.get(ref)
            assert not found or FINALIZER not in found["metadata"].get("finalizers", ())


def stayed(made: World) -> None:
    """No write has changed the routes."""
    assert made.routes
    assert all(one == made.routes[0] for one in made.routes), made.routes


@pytest.mark.parametrize("strategy", ["blue-green", "canary"])
@pytest.mark.parametrize("owns", [False, True], ids=["0.14", "owned by the routemap"])
def test_no_route_changes(strategy: str, owns: bool) -> None:
    made = world(strategy=strategy, owns=owns)
    made.run()
    taken_over(made)
    stayed(made)


def test_a_mirror_whose_candidate_is_not_ready_has_the_same_routes() -> None:
    made = world(strategy="mirror", weights=(100, 100))
    made.ready("wisdom-1", ready=False)
    made.iter8((100, 0))
    made.run()
    taken_over(made)


def test_weights_go_along() -> None:
    made = world()
    config = Ref(CONFIG_MAP, NAMESPACE, "wisdom-1-weight-config")
    made.cluster.patch(config, {"metadata": {"annotations": {"iter8.tools/weight": "150"}}})
    made.iter8((50, 150))
    made.run()
    assert document(made, WEIGHTS)["spec"] == {"weights": {"wisdom-1": 150}}
    taken_over(made)
    stayed(made)


def test_it_is_done_once() -> None:
    made = world()
    made.run()
    done, made.said[:] = list(made.said), []
    assert done == [
        "routingpolicy.turnout.dev/wisdom created",
        "configmap/wisdom-routemap taken from Iter8",
        "serviceentry.networking.istio.io/wisdom handed over",
        "virtualservice.networking.istio.io/wisdom handed over",
        "configmap/wisdom-0-weight-config released",
        "inferenceservice.serving.kserve.io/wisdom-0 released",
        "configmap/wisdom-1-weight-config released",
        "inferenceservice.serving.kserve.io/wisdom-1 released",
    ]
    before = made.cluster.revision
    made.run()
    assert (made.said, made.cluster.revision) == ([], before)


def test_weights_that_were_reset_afterwards_stay_so() -> None:
    made = world()
    config = Ref(CONFIG_MAP, NAMESPACE, "wisdom-1-weight-config")
    made.cluster.patch(config, {"metadata": {"annotations": {"iter8.tools/weight": "150"}}})
    made.iter8((50, 150))
    made.run()
    made.cluster.delete(WEIGHTS)
    made.run()
    assert made.cluster.get(WEIGHTS) is None


def test_a_policy_that_is_there_stays_as_it_is() -> None:
    made = world()
    (policy,) = (made.carried()).manifests
    policy["metadata"]["labels"] = {"team": "wise"}
    made.cluster.create(policy)
    made.run()
    assert document(made, POLICY)["metadata"]["labels"] == {"team": "wise"}
    taken_over(made)


@pytest.mark.parametrize("arrives", [False, True], ids=["the call is lost", "the answer is lost"])
@pytest.mark.parametrize("owns", [False, True], ids=["0.14", "owned by the routemap"])
def test_a_run_that_is_ended_at_any_call_is_gone_on_with(arrives: bool, owns: bool) -> None:
    for at in range(1, 400):
        made = world(owns=owns)
        try:
            made.run(Cut(made.cluster, at, arrives=arrives))
        except ConnectionFailed:
            made.run()
            taken_over(made)
            stayed(made)
        else:
            assert at > 40
            return
    pytest.fail("it does not end")


@pytest.mark.parametrize("weights", [(50, 50), (50, 150)], ids=["the same routes", "others"])
def test_what_iter8_had_under_way_is_put_right(weights: tuple[int, int]) -> None:
    """Its last write comes after the objects have been handed over: turnout's controller decides by then."""
    made = world(owns=True)
    before = document(made, ROUTES)["spec"]
    late: list[str] = []

    def look(request: Request, _: Response) -> None:
        applied = "virtualservices" in request.path and request.content_type == APPLY
        if applied and not late:
            late.append(request.path)
            made.iter8(weights)

    made.cluster.on_response = look
    made.run()
    assert late
    taken_over(made)
    assert document(made, ROUTES)["spec"] == before


class TestRefusals:
    """Nothing is written then."""

    def refused(self, made: World, *, accept: bool = False) -> str:
        before = made.cluster.revision
        with pytest.raises(Refused) as refused:
            made.run(accept=accept)
        assert made.cluster.revision == before
        return str(refused.value)

    def test_of_other_weights(self) -> None:
        made = world()
        made.iter8((50, 150))
        said = self.refused(made)
        where = "VirtualService modelmesh-serving/wisdom: spec.http[0].route"
        assert f'{where}[0].weight: found "25%", turnout would write "50%"' in said
        assert f'{where}[1].weight: found "75%", turnout would write "50%"' in said

    def test_of_a_version_that_iter8_has_not_seen(self) -> None:
        made = world()
        made.ready("wisdom-1", ready=False)
        assert "spec.http[0].route[1]: found {" in self.refused(made)

    def test_of_other_headers_unless_they_are_accepted(self) -> None:
        made = world(release="0.17")
        assert "headers.response" in self.refused(made)
        made.run(accept=True)
        taken_over(made)
        (rule,) = document(made, ROUTES)["spec"]["http"]
        assert all("response" not in route["headers"] for route in rule["route"])

    def test_of_an_entry_that_says_something_else(self) -> None:
        made = world()
        made.cluster.patch(ENTRY, {"spec": {"resolution": "STATIC"}})
        assert 'spec.resolution: found "STATIC", turnout would write "DNS"' in self.refused(made)

    def test_of_an_entry_that_says_more(self) -> None:
        """It would be lost with the next write."""
        made = world()
        made.cluster.patch(ENTRY, {"spec": {"exportTo": ["."]}})
        assert 'spec.exportTo: found ["."], turnout would write nothing' in self.refused(made)

    def test_of_routes_that_another_routemap_makes_too(self) -> None:
        """Iter8's controller would write by that one, at the next change of a version."""
        made = world()
        other = {**made.chart.routemap(), "metadata": {**made.chart.routemap()["metadata"], "name": "zwei"}}
        made.cluster.create(other, namespace=NAMESPACE)
        assert "VirtualService modelmesh-serving/wisdom is made by ConfigMap zwei too" in self.refused(
            made, accept=True
        )
        made.cluster.patch(
            Ref(CONFIG_MAP, NAMESPACE, "zwei"), {"metadata": {"labels": {"iter8.tools/kind": "mine"}}}
        )
        made.run()
        taken_over(made)

    def test_of_the_routes_of_another_policy(self) -> None:
        made = world()
        made.cluster.patch(ROUTES, {"metadata": {"labels": {"turnout.dev/policy": "mill"}}})
        assert "is of policy mill" in self.refused(made, accept=True)

    def test_of_the_routes_of_another_controller(self) -> None:
        made = world()
        owner = {"apiVersion": "v1", "kind": "Flag", "name": "f", "uid": "1", "controller": True}
        made.cluster.collects_garbage = False
        made.cluster.patch(ROUTES, {"metadata": {"ownerReferences": [owner]}})
        assert "is owned by Flag f" in self.refused(made, accept=True)

    def test_of_a_policy_that_is_not_accepted(self) -> None:
        made = world()
        (policy,) = (made.carried()).manifests
        policy["spec"]["config"]["istio"]["gatewayPorts"] = 1
        made.cluster.create(policy)
        assert "RoutingPolicy modelmesh-serving/wisdom: InvalidSpec" in self.refused(made)

    @pytest.mark.parametrize(
        ("change", "makes"),
        [
            ({"router": "envoy", "config": {}}, "ConfigMap modelmesh-serving/wisdom"),
            ({"modelName": "mill"}, "VirtualService modelmesh-serving/mill"),
        ],
        ids=["another router", "another model"],
    )
    def test_of_a_policy_that_would_leave_the_routes_to_nobody(
        self, change: dict[str, Any], makes: str
    ) -> None:
        made = world()
        (policy,) = (made.carried()).manifests
        policy["spec"] |= change
        made.cluster.create(policy)
        said = self.refused(made, accept=True)
        assert "RoutingPolicy modelmesh-serving/wisdom makes " in said
        assert makes in said
        assert "and not VirtualService modelmesh-serving/wisdom, which nobody would write any more" in said

    def test_of_a_policy_that_is_suspended(self) -> None:
        made = world()
        (policy,) = (made.carried()).manifests
        policy["spec"]["suspend"] = True
        made.cluster.create(policy)
        assert "is suspended: nobody would follow the versions" in self.refused(made, accept=True)
        made.cluster.patch(POLICY, {"spec": {"suspend": False}})
        made.run()
        made.cluster.patch(POLICY, {"spec": {"suspend": True}})
        made.run()  # it is done already
        taken_over(made)

    def test_of_what_has_no_policy(self) -> None:
        made = world()
        made.cluster.patch(ROUTEMAP, {"data": {"strSpec": "{"}})
        assert "there is no policy for it" in self.refused(made)

    @pytest.mark.parametrize(
        ("method", "kind"),
        [
            ("POST", "routingpolicies"),
            ("PATCH", "configmaps/wisdom-routemap"),
            ("PATCH", "configmaps/wisdom-1-weight-config"),
            ("PATCH", "virtualservices"),
            ("PATCH", "serviceentries"),
            ("PATCH", "inferenceservices"),
            ("GET", "virtualservices"),
        ],
    )
    def test_of_the_api_server_come_before_anything_is_written(self, method: str, kind: str) -> None:
        made = world()

        def forbid(request: Request) -> Answer | None:
            if (request.method, f"/{kind}" in request.path) == (method, True):
                told = f'User "wise" cannot do that to {kind}'
                status = {"kind": "Status", "reason": "Forbidden", "message": told, "code": 403}
                return Answer(403, status)
            return None

        made.cluster.on_request = forbid
        before = made.cluster.revision
        with pytest.raises(ApiError, match=f"cannot do that to {kind}"):
            made.run()
        assert made.cluster.revision == before

    def test_that_come_after_the_routemap_is_taken_give_it_back(self) -> None:
        """Without it nobody would follow the versions."""
        made = world()
        at_the_take(made, lambda: made.iter8((50, 150)))
        with pytest.raises(Refused, match="weight: found"):
            made.run()
        assert made.label() == "routemap"
        assert made.said[-1] == "configmap/wisdom-routemap given back to Iter8"
        entries = document(made, ROUTES)["metadata"]["managedFields"]
        assert MANAGER in {one["manager"] for one in entries}

    def test_of_the_api_server_that_come_after_the_routemap_is_taken_give_it_back(self) -> None:
        """Such as those of an admission webhook, which no question before has shown."""
        made = world()

        def deny(request: Request) -> Answer | None:
            if ROUTES.kind.plural in request.path and request.content_type == APPLY:
                status = {"kind": "Status", "reason": "Forbidden", "message": "denied", "code": 403}
                return Answer(403, status)
            return None

        made.cluster.on_request = deny
        with pytest.raises(ApiError, match="denied"):
            made.run()
        assert made.label() == "routemap"
        assert made.said[-1] == "configmap/wisdom-routemap given back to Iter8"
        made.cluster.on_request = None
        made.run()
        taken_over(made)

    def test_that_come_after_the_routes_are_handed_over_give_nothing_back(self) -> None:
        """Two controllers would write them."""
        made = world()

        def look(request: Request, _: Response) -> None:
            if ROUTES.kind.plural in request.path and request.content_type == APPLY:
                made.cluster.on_response = None
                made.cluster.patch(POLICY, {"spec": {"config": {"istio": {"gatewayPorts": 1}}}})

        made.cluster.on_response = look
        with pytest.raises(Refused, match="InvalidSpec"):
            made.run()
        assert made.label() == "routemap-taken-over"


def test_a_version_that_becomes_ready_just_then_is_left_to_the_controller() -> None:
    made = world()
    made.ready("wisdom-1", ready=False)
    made.iter8((50, 0))
    before = document(made, ROUTES)["spec"]
    at_the_take(made, lambda: made.ready("wisdom-1"))
    made.run()
    taken_over(made)
    assert document(made, ROUTES)["spec"] == before


def at_the_take(made: World, act: Callable[[], None]) -> None:
    """Do something when the routemap has been taken from Iter8."""

    def look(request: Request, _: Response) -> None:
        if ROUTEMAP.name in request.path and request.method == "PATCH" and not request.query.get("dryRun"):
            made.cluster.on_response = None
            act()

    made.cluster.on_response = look
