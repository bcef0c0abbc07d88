"""Deployments, StatefulSets and Services as their controllers report them, and how calls reach them."""

from typing import Any

import pytest
from hypothesis import given

from tests.decision.generating import JSON
from tests.decision.world import World
from turnout.decision.accept import Refused
from turnout.plugin import Backend, Observation
from turnout.testing.builders import entry, policy, spec
from turnout_deployment.environment import Deployments
from turnout_deployment.options import DeploymentOptions

ENVIRONMENT = Deployments()
OPTIONS = DeploymentOptions()

Object = dict[str, Any]

LABELS = {"app": "wisdom-0", "tier": "models"}


def deployment(*, generation: int = 2, replicas: int | None = 3, **status: Any) -> Object:
    """A Deployment as kube-controller-manager leaves it once it is rolled out. `status`: what differs."""
    wanted = {} if replicas is None else {"replicas": replicas}
    usual = {
        "observedGeneration": 2,
        "replicas": 3,
        "updatedReplicas": 3,
        "readyReplicas": 3,
        "availableReplicas": 3,
        "conditions": [available("True"), progressing()],
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {
            "name": "wisdom-0",
            "generation": generation,
            "labels": {"app.kubernetes.io/version": "v1"},
            "annotations": {"deployment.kubernetes.io/revision": "4"},
        },
        "spec": {**wanted, "template": {"metadata": {"labels": LABELS}, "spec": {"containers": []}}},
        "status": {key: value for key, value in {**usual, **status}.items() if value is not None},
    }


def available(status: str, **fields: str) -> Object:
    reason = "MinimumReplicasAvailable" if status == "True" else "MinimumReplicasUnavailable"
    message = "Deployment has minimum availability."
    return {"type": "Available", "status": status, "reason": reason, "message": message, **fields}


def progressing() -> Object:
    return {"type": "Progressing", "status": "True", "reason": "NewReplicaSetAvailable"}


def stateful_set(*, generation: int = 2, replicas: int | None = 3, **status: Any) -> Object:
    """A StatefulSet as kube-controller-manager leaves it: it has no conditions."""
    made = deployment(generation=generation, replicas=replicas)
    usual = {
        "observedGeneration": 2,
        "replicas": 3,
        "readyReplicas": 3,
        "currentReplicas": 3,
        "updatedReplicas": 3,
        "availableReplicas": 3,
        "currentRevision": "wisdom-0-7d9c",
        "updateRevision": "wisdom-0-7d9c",
        "collisionCount": 0,
    }
    status = {key: value for key, value in {**usual, **status}.items() if value is not None}
    return {**made, "kind": "StatefulSet", "status": status}


def service(*ports: int, **fields: Any) -> Object:
    """A Service as the API server stores it, with port 80 unless said otherwise."""
    listed = [
        {"name": f"port-{port}", "port": port, "protocol": "TCP", "targetPort": 8080}
        for port in ports or [80]
    ]
    spec = {"clusterIP": "10.0.0.1", "type": "ClusterIP", "selector": {"app": "wisdom-0"}, "ports": listed}
    said = {key: value for key, value in {**spec, **fields}.items() if value is not None}
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "wisdom-0"}, "spec": said}


NONE: Object = {"availableReplicas": None, "readyReplicas": None}
DOWN = available("False", message="Deployment does not have minimum availability.")


@pytest.mark.parametrize(
    ("obj", "verdict", "reason"),
    [
        pytest.param(deployment(), True, "Ready", id="rolled out"),
        pytest.param(deployment(replicas=None), True, "Ready", id="replicas left to the default"),
        pytest.param(deployment(availableReplicas=2, readyReplicas=2), True, "Ready", id="one replica short"),
        pytest.param(deployment(replicas=0), False, "ScaledToZero", id="no replica wanted, pods still there"),
        pytest.param(deployment(replicas=0, **NONE), False, "ScaledToZero", id="none wanted, yet Available"),
        pytest.param(
            deployment(**NONE, conditions=[DOWN]), False, "NoReplicaAvailable", id="no replica available"
        ),
        pytest.param(
            deployment(**NONE), False, "NoReplicaAvailable", id="maxUnavailable 100%: Available all the same"
        ),
        pytest.param(
            deployment(availableReplicas=1, conditions=[DOWN]),
            False,
            "MinimumReplicasUnavailable",
            id="too few available",
        ),
        pytest.param(deployment(generation=3), None, "NotObserved", id="a change that is not seen yet"),
        pytest.param(deployment(observedGeneration=None), None, "NotObserved", id="no generation seen yet"),
        pytest.param(
            deployment(generation=3, **NONE), False, "NoReplicaAvailable", id="neither seen nor available"
        ),
        pytest.param(
            deployment(conditions=[available("Unknown", reason="")]), None, "Unknown", id="Available Unknown"
        ),
        pytest.param(deployment(conditions=[progressing()]), None, "NoStatus", id="no condition Available"),
        pytest.param({**deployment(), "status": {}}, None, "NoStatus", id="a manifest with an empty status"),
        pytest.param({"kind": "Deployment"}, None, "NoStatus", id="nothing"),
    ],
)
def test_a_deployment_is_ready_by_its_own_word_and_with_a_replica(
    obj: Object, verdict: bool | None, reason: str
) -> None:
    seen = ENVIRONMENT.observe(obj)

    assert (seen.ready, seen.reason) == (verdict, reason)


@pytest.mark.parametrize(
    ("obj", "verdict", "reason"),
    [
        pytest.param(stateful_set(), True, "Ready", id="rolled out"),
        pytest.param(
            stateful_set(availableReplicas=None), True, "Ready", id="ready, where nothing says available"
        ),
        pytest.param(
            stateful_set(availableReplicas=2), None, "ReplicasMissing", id="rolling one after the other"
        ),
        pytest.param(stateful_set(availableReplicas=0), False, "NoReplicaAvailable", id="none available"),
        pytest.param(
            stateful_set(availableReplicas=0, generation=3),
            False,
            "NoReplicaAvailable",
            id="neither seen nor available",
        ),
        pytest.param(stateful_set(generation=3), None, "NotObserved", id="a change that is not seen yet"),
        pytest.param(stateful_set(replicas=0), False, "ScaledToZero", id="no replica wanted"),
        pytest.param(
            stateful_set(replicas=None, availableReplicas=1), True, "Ready", id="replicas left to the default"
        ),
        pytest.param({**stateful_set(), "status": {}}, None, "NoStatus", id="a manifest"),
    ],
)
def test_a_stateful_set_is_ready_with_all_its_replicas_and_keeps_its_share_with_some(
    obj: Object, verdict: bool | None, reason: str
) -> None:
    seen = ENVIRONMENT.observe(obj)

    assert (seen.ready, seen.reason) == (verdict, reason)


def test_people_are_told_in_the_controllers_own_words() -> None:
    seen = ENVIRONMENT.observe(deployment(availableReplicas=1, conditions=[DOWN]))

    assert seen.message == "Deployment does not have minimum availability."


def test_scaling_leaves_an_observation_equal() -> None:
    """A horizontal autoscaler changes the generation, too."""
    more = deployment(generation=9, replicas=7, observedGeneration=9, availableReplicas=7)

    assert ENVIRONMENT.observe(more) == ENVIRONMENT.observe(deployment())
    assert ENVIRONMENT.observe(deployment()) == Observation(
        True,
        "Ready",
        "its pods have the labels app=wisdom-0, tier=models",
        revision="4",
        app_version="v1",
        addresses=(("label", "app=wisdom-0"), ("label", "tier=models")),
    )


def test_another_template_is_another_revision() -> None:
    changed = deployment()
    changed["metadata"]["annotations"]["deployment.kubernetes.io/revision"] = "5"

    assert ENVIRONMENT.observe(changed).revision == "5"
    assert ENVIRONMENT.observe(stateful_set()).revision == "wisdom-0-7d9c"


@pytest.mark.parametrize(
    ("obj", "reason"),
    [
        pytest.param(service(), "Ready", id="one port"),
        pytest.param(service(clusterIP=None), "Ready", id="a manifest"),
        pytest.param(service(type="LoadBalancer"), "Ready", id="a load balancer too"),
        pytest.param(service(clusterIP="None"), "Headless", id="headless"),
        pytest.param(service(selector=None), "NoSelector", id="no selector"),
        pytest.param(service(selector={}), "NoSelector", id="an empty selector"),
        pytest.param(service(type="ExternalName", clusterIP=None), "ExternalName", id="an alias"),
        pytest.param(service(ports=[]), "NoPort", id="no ports"),
        pytest.param(service(ports=[{"port": 53, "protocol": "UDP"}]), "NoPort", id="a UDP port"),
        pytest.param(service(99999), "NoPort", id="a number that no port has"),
    ],
)
def test_a_service_has_to_lead_to_pods(obj: Object, reason: str) -> None:
    seen = ENVIRONMENT.observe(obj)

    assert (seen.ready, seen.reason) == (reason == "Ready", reason)
    assert bool(seen.addresses) == (reason == "Ready")


@pytest.mark.parametrize(
    ("obj", "options", "port"),
    [
        pytest.param(service(8000), OPTIONS, 8000, id="the only one"),
        pytest.param(service(8000), DeploymentOptions(service_port=8000), 8000, id="the only one, asked for"),
        pytest.param(service(80, 9000), DeploymentOptions(service_port=9000), 9000, id="one of several"),
        pytest.param(service(80, 9000), OPTIONS, None, id="several, and none asked for"),
        pytest.param(service(80), DeploymentOptions(service_port=9000), None, id="another one asked for"),
        pytest.param(service(clusterIP="None"), OPTIONS, None, id="a Service that is not usable"),
        pytest.param(None, OPTIONS, None, id="no Service"),
    ],
)
def test_calls_go_to_the_services_port(
    obj: Object | None, options: DeploymentOptions, port: int | None
) -> None:
    seen = (ENVIRONMENT.observe(deployment()), ENVIRONMENT.observe(obj) if obj else None)

    found = ENVIRONMENT.backends(spec("wisdom-0", namespace="other"), seen, options)

    assert found == ({"inference": Backend("wisdom-0", "other", port)} if port else {})


@pytest.mark.parametrize(
    ("said", "there"),
    [
        pytest.param({"name": "grpc"}, True, id="a name"),
        pytest.param({"name": "grpc-infer"}, True, id="a name with more"),
        pytest.param({"name": "http2-infer"}, True, id="HTTP/2"),
        pytest.param({"appProtocol": "kubernetes.io/h2c"}, True, id="Kubernetes' own word"),
        pytest.param({"name": "main", "appProtocol": "grpc"}, True, id="both"),
        pytest.param({}, False, id="nothing"),
        pytest.param({"name": "grpcinfer"}, False, id="a name that only begins so"),
        pytest.param({"name": "http", "appProtocol": "http"}, False, id="HTTP/1.1"),
    ],
)
def test_a_port_for_grpc_says_so(said: Object, there: bool) -> None:
    """Istio's gateways send HTTP/1.1 to others, with which every call would fail."""
    obj = service(ports=[{"port": 9000, **said}])
    seen = (ENVIRONMENT.observe(deployment()), ENVIRONMENT.observe(obj))

    assert bool(ENVIRONMENT.backends(spec("wisdom-0"), seen, DeploymentOptions(protocol="grpc"))) == there
    assert ENVIRONMENT.backends(spec("wisdom-0"), seen, OPTIONS)


def test_a_port_that_is_not_chosen_is_told() -> None:
    world = World(environment="deployment")
    workload, its_service = world.accepted.refs["wisdom-0"]
    world.objects[workload] = entry({"deployment": ENVIRONMENT.observe(deployment())})
    world.objects[its_service] = entry({"deployment": ENVIRONMENT.observe(service(80, 9000))})

    version = world.ask().versions[0]

    told = "and has the ports 80, 9000 (option servicePort; for gRPC by name or appProtocol: none)"
    assert version.ready is False
    assert version.message.startswith(
        "it has no backend for inference: its pods have the labels app=wisdom-0"
    )
    assert version.message.endswith(told)


@pytest.mark.parametrize(
    ("selector", "leads"),
    [
        pytest.param({"app": "wisdom-0"}, True, id="by one label"),
        pytest.param(LABELS, True, id="by all"),
        pytest.param({**LABELS, "pod-template-hash": "7d9c"}, True, id="and one of a controller's"),
        pytest.param({"app": "wisdom-1"}, False, id="another version's"),
        pytest.param({**LABELS, "stage": "live"}, False, id="by one more"),
    ],
)
def test_a_service_has_to_lead_to_the_versions_own_pods(selector: Object, leads: bool) -> None:
    """One that was copied, and selects another version's, would send that one's calls there."""
    seen = (ENVIRONMENT.observe(deployment()), ENVIRONMENT.observe(service(selector=selector)))

    assert bool(ENVIRONMENT.backends(spec("wisdom-0"), seen, OPTIONS)) == leads


@pytest.mark.parametrize(
    ("options", "refs"),
    [
        pytest.param(OPTIONS, ["Deployment models/wisdom-1", "Service models/wisdom-1"], id="by default"),
        pytest.param(
            DeploymentOptions(workload="StatefulSet", service_suffix="-calls"),
            ["StatefulSet models/wisdom-1", "Service models/wisdom-1-calls"],
            id="with options",
        ),
    ],
)
def test_a_version_is_a_workload_and_its_service(options: DeploymentOptions, refs: list[str]) -> None:
    assert list(map(str, ENVIRONMENT.refs(spec("wisdom-1"), options))) == refs


def test_clients_call_the_model_in_the_namespace_of_the_policy() -> None:
    options = DeploymentOptions(port=9000, protocol="grpc", virtual=False)

    (frontend,) = ENVIRONMENT.frontends(policy(cluster_domain="cluster.test"), options)

    assert frontend.hosts == ("wisdom.models", "wisdom.models.svc", "wisdom.models.svc.cluster.test")
    assert (frontend.namespace, frontend.port, frontend.protocol) == ("models", 9000, "grpc")
    assert (frontend.virtual, frontend.selector) == (False, ())


def test_a_service_of_the_models_name_is_refused_unless_it_is_said_to_be_there() -> None:
    config = {"deployment": {"virtual": False}}
    World(of=policy("wisdom", "wisdom-1"), environment="deployment", config=config)

    with pytest.raises(
        Refused, match=r"spec\.modelVersions\[0\]\.name: its Service wisdom has the model's name"
    ):
        World(of=policy("wisdom", "wisdom-1"), environment="deployment")


@given(JSON, JSON, JSON)
@pytest.mark.parametrize("kind", ["Deployment", "StatefulSet", "Service"])
def test_an_object_of_any_shape_is_observed(kind: str, metadata: Any, spec: Any, status: Any) -> None:
    seen = ENVIRONMENT.observe({"kind": kind, "metadata": metadata, "spec": spec, "status": status})

    assert seen.ready is not True
    assert len(seen.message) < 600


@pytest.mark.parametrize(
    ("options", "message"),
    [
        pytest.param({"workload": "DaemonSet"}, ".workload: found", id="another kind"),
        pytest.param({"serviceSuffix": "_x"}, ".serviceSuffix: found", id="no name"),
        pytest.param({"servicePort": 0}, ".servicePort: found 0", id="port 0"),
        pytest.param({"protocol": "tcp"}, ".protocol: found", id="another protocol"),
    ],
)
def test_options_that_are_wrong_are_named(options: Object, message: str) -> None:
    with pytest.raises(Refused) as caught:
        World(environment="deployment", config={"deployment": options})

    assert str(caught.value).startswith(f"spec.config.deployment{message}")
