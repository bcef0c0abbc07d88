"""What a rollout is made of, read by `turnout.Client`, from a controller's work in memory."""

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import turnout
from turnout.client import NotReadableError, Survey
from turnout.client.survey import LeaseSeen
from turnout.explain import explain
from turnout.loading import load
from turnout.names import ROUTING_POLICY
from turnout.plugin import Ref
from turnout.runtime.transport import Request
from turnout.testing.fastloop import FastLoop
from turnout.testing.memory import StatusError
from turnout.testing.rollout import Rollout
from turnout_istio.virtual_service import VIRTUAL_SERVICE

VERSION = """
apiVersion: serving.kserve.io/v1beta1
kind: InferenceService
metadata: {{name: {name}, labels: {{app.kubernetes.io/version: {app}}}}}
status: {{conditions: [{{type: Ready, status: "{ready}", reason: "{reason}", lastTransitionTime: "2026-01-02T03:04:05Z"}}]}}
"""
SPEC: dict[str, Any] = {"targetEnv": "kserve-modelmesh", "trafficStrategy": "blue-green", "router": "istio"}


def version(name: str, ready: str = "True", *, app: str = "v0", reason: str = "") -> str:
    return VERSION.format(name=name, app=app, ready=ready, reason=reason)


@pytest.fixture
def rollout() -> Iterator[Rollout]:
    """A cluster with two versions and a policy, and no controller yet."""
    with asyncio.Runner(loop_factory=FastLoop) as runner:
        made = Rollout(runner, load())
        made.apply(version("wisdom-0"), version("wisdom-1", app="v1"))
        made.policy(**SPEC)
        yield made
        made.close()


@pytest.fixture
def survey(rollout: Rollout) -> Callable[[], Survey]:
    client = turnout.Client(rollout.cluster, "models", registry=rollout.registry)
    return lambda: rollout._runner.run(client.survey("wisdom"))


def refuse(rollout: Rollout, resource: str) -> None:
    """Let nobody read a kind."""

    def refused(request: Request) -> None:
        if f"/{resource}" in request.path:
            raise StatusError(403, "Forbidden", f"{resource} is forbidden")

    rollout.cluster.on_request = refused


def shares(found: Survey) -> list[tuple[str | None, str]]:
    return [(found.desired(one.name), one.share) for one in found.versions]


def text(found: Survey) -> str:
    assert found.planned
    return "\n".join(explain(found.planned))


def test_it_tells_what_would_be_decided_where_no_controller_has_looked_yet(
    rollout: Rollout, survey: Callable[[], Survey]
) -> None:
    """Nothing is protected yet, which is what the controller would do first."""
    found = survey()
    assert shares(found) == [("100%", ""), ("0%", "")]
    assert [one.ready for one in found.versions] == [True, True]
    assert "the finalizer turnout.dev/drain is not on InferenceService models/wisdom-1 yet" in text(found)
    assert "VirtualService wisdom: does not exist yet" in text(found)
    assert (found.routes, found.shifts, found.unread) == ((), (), ())
    assert not rollout.writes


def test_what_is_decided_is_what_is_applied_once_the_controller_is_done(
    rollout: Rollout, survey: Callable[[], Survey]
) -> None:
    rollout.start()
    rollout.settle()
    rollout.weights(wisdom_0=20, wisdom_1=80)
    rollout.settle()
    rollout.stop()
    rollout.forget_calls()
    found = survey()
    assert shares(found) == [("20%", "20%"), ("80%", "80%")]
    assert [one.app_version for one in found.versions] == ["v0", "v1"]
    assert {str(found.since(one)) for one in found.versions} == {"2026-01-02 03:04:05+00:00"}
    assert [(one.kind, one.name, one.exists) for one in found.routes] == [
        ("ServiceEntry", "wisdom", True),
        ("VirtualService", "wisdom", True),
    ]
    assert {writer.manager for one in found.routes for writer in one.writers} == {"turnout"}
    assert found.shifts is not None
    assert found.shifts[0].message.startswith("wisdom-0 50% / wisdom-1 50% -> wisdom-0 20% / wisdom-1 80%: ")
    told = text(found)
    assert "weights: those of TrafficWeights, over the policy's own" in told
    since = "since 2026-01-02T03:04:05Z"
    assert f"InferenceService models/wisdom-0 is ready: status.conditions[Ready] is True {since}" in told
    assert "default: all calls: wisdom-0 20% / wisdom-1 80%" in told
    assert told.count("is there as decided") == 3
    assert not rollout.writes


def test_what_is_decided_and_not_applied_yet_shows(rollout: Rollout, survey: Callable[[], Survey]) -> None:
    rollout.start()
    rollout.settle()
    rollout.stop()
    rollout.apply(version("wisdom-1", "False", app="v1", reason="ImageNotFound"))
    found = survey()
    assert shares(found) == [("100%", "50%"), ("0%", "50%")]
    told = text(found)
    evidence = "status.conditions[Ready] is False since 2026-01-02T03:04:05Z: ImageNotFound"
    assert f"wisdom-1: InferenceService models/wisdom-1 is not ready: {evidence}" in told
    assert "VirtualService wisdom: differs from what is there at metadata.annotations" in told


def test_of_several_shifts_the_last_comes_first_and_those_of_a_former_policy_are_none(
    rollout: Rollout, survey: Callable[[], Survey]
) -> None:
    rollout.start()
    rollout.settle()
    for weight in (10, 30):
        rollout.sleep(2)
        rollout.weights(wisdom_0=weight, wisdom_1=100 - weight)
        rollout.settle()
    told = survey().shifts
    assert told
    assert [one.message.partition(":")[0].partition(" -> ")[2] for one in told] == [
        "wisdom-0 30% / wisdom-1 70%",
        "wisdom-0 10% / wisdom-1 90%",
    ]
    rollout.delete(Ref(ROUTING_POLICY, "models", "wisdom"))
    rollout.settle()
    rollout.policy(**SPEC)
    rollout.settle()
    assert survey().shifts == ()


def test_who_else_has_written_a_route_is_told(rollout: Rollout, survey: Callable[[], Survey]) -> None:
    rollout.start()
    rollout.settle()
    rollout.stop()
    (route,) = rollout.written(VIRTUAL_SERVICE)
    route["spec"]["http"][0]["timeout"] = "1s"
    rollout.cluster.replace(route, manager="kubectl-edit", namespace="models")
    found = survey()
    assert [writer.manager for writer in found.routes[1].writers] == ["kubectl-edit", "turnout"]
    assert "VirtualService wisdom: differs from what is there at spec.http[0]" in text(found)


@pytest.mark.parametrize("resource", ["inferenceservices", "trafficweights", "virtualservices"])
def test_nothing_is_said_of_a_decision_whose_causes_may_not_be_read(
    rollout: Rollout, survey: Callable[[], Survey], resource: str
) -> None:
    rollout.start()
    rollout.settle()
    rollout.stop()
    refuse(rollout, resource)
    found = survey()
    assert found.planned is None
    assert shares(found) == [(None, "50%"), (None, "50%")]
    assert any(f"{resource} is forbidden (403 Forbidden)" in one for one in found.unread)
    assert all(one.startswith("get ") for one in found.unread)
    if resource == "virtualservices":
        assert [one.exists for one in found.routes] == [True, None]
    client = turnout.Client(rollout.cluster, "models", registry=rollout.registry)
    with pytest.raises(NotReadableError, match=f"get .* {resource} is forbidden"):
        rollout._runner.run(client.plan("wisdom"))


def test_events_that_may_not_be_read_are_no_obstacle(rollout: Rollout, survey: Callable[[], Survey]) -> None:
    refuse(rollout, "events")
    found = survey()
    assert found.shifts is None
    assert found.planned
    assert found.unread == ("list events in models: events is forbidden (403 Forbidden)",)


def test_a_plan_is_what_offline_documents_give(rollout: Rollout) -> None:
    rollout.start()
    rollout.settle()
    client = turnout.Client(rollout.cluster, "models", registry=rollout.registry)
    planned = rollout._runner.run(client.plan("wisdom"))
    assert [one["kind"] for one in planned.documents] == ["Gateway", "ServiceEntry", "VirtualService"]
    assert planned.problem is None


def test_data_has_all_of_it(rollout: Rollout, survey: Callable[[], Survey]) -> None:
    rollout.start()
    rollout.settle()
    said = survey().data()
    first = said["versions"][0]
    assert (first["share"], first["desired"], first["since"]) == ("50%", "50%", "2026-01-02T03:04:05+00:00")
    assert [one["exists"] for one in said["routes"]] == [True, True]
    assert said["routes"][1]["writers"][0]["manager"] == "turnout"
    assert (said["problem"], said["unread"]) == (None, [])
    assert said["shifts"] == []


def test_a_policy_that_moves_is_told_by_the_versions_of_its_former_environment(
    rollout: Rollout, survey: Callable[[], Survey]
) -> None:
    """Nobody told it to read them: the decision has looked at them."""
    rollout.start()
    rollout.settle()
    rollout.policy(**{**SPEC, "targetEnv": "deployment"})
    rollout.settle()
    found = survey()
    assert shares(found) == [("50%", "50%"), ("50%", "50%")]
    assert "held: Moving" in text(found)
    assert "wisdom-0: Deployment models/wisdom-0 does not exist" in text(found)


def test_the_lease_of_the_controller_is_told_where_it_may_be_read(
    rollout: Rollout, survey: Callable[[], Survey]
) -> None:
    rollout.start()
    rollout.settle()
    rollout.stop()
    assert survey().lease is None
    policy = Ref(ROUTING_POLICY, "models", "wisdom")
    rollout.cluster.set_status(policy, {**rollout.status(), "lease": "turnout-system/turnout"})
    assert survey().lease == LeaseSeen("turnout-system/turnout", "", None)
    lease = {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"name": "turnout"}}
    spec = {"holderIdentity": "pod-1", "renewTime": "2026-01-02T03:04:05.000000Z"}
    rollout.cluster.create({**lease, "spec": spec}, namespace="turnout-system")
    seen = survey()
    assert seen.lease
    assert seen.data()["lease"] == {
        "name": "turnout-system/turnout",
        "holder": "pod-1",
        "renewed": "2026-01-02T03:04:05+00:00",
    }
    refuse(rollout, "leases")
    assert (survey().lease, survey().unread) == (None, ())
