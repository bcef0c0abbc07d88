"""InferenceServices as KServe reports them in Standard and Knative mode, and how calls reach them."""

from typing import Any

import pytest
from hypothesis import given

from tests.decision.generating import JSON
from tests.decision.world import World
from tests.support.kserve import condition, knative, modelmesh, standard, stopped
from turnout.decision.accept import Refused
from turnout.plugin import Backend, Observation
from turnout.testing.builders import entry, policy, spec
from turnout_kserve.environment import KServe
from turnout_kserve.options import KServeOptions

ENVIRONMENT = KServe()
OPTIONS = KServeOptions()

Object = dict[str, Any]


def isvc(status: Any, *, spec: Any = None, **metadata: Any) -> Object:
    """The InferenceService models/wisdom-0 with a status."""
    return {
        "kind": "InferenceService",
        "metadata": {"name": "wisdom-0", "namespace": "models", "generation": 2, **metadata},
        "spec": {"predictor": {"model": {}}} if spec is None else spec,
        "status": status,
    }


def at(url: Any, **status: Any) -> Object:
    """In Standard mode, at an address."""
    return isvc(standard("wisdom-0", "models", address={"url": url}, **status))


def backend(obj: Object, options: KServeOptions = OPTIONS) -> Backend | None:
    seen = (ENVIRONMENT.observe(obj),)
    return ENVIRONMENT.backends(spec("wisdom-0"), seen, options).get("inference")


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        pytest.param(
            standard("wisdom-0", "models", mode="RawDeployment"),
            Backend("wisdom-0-predictor", "models", 80),
            id="RawDeployment of KServe 0.15",
        ),
        pytest.param(
            standard("wisdom-0", "models"),
            Backend("wisdom-0-predictor", "models", 80),
            id="Standard since 0.16",
        ),
        pytest.param(
            standard(
                *("wisdom-0", "models"),
                address={"url": "https://wisdom-0-predictor.models.svc.cluster.local"},
            ),
            Backend("wisdom-0-predictor", "models", 80),
            id="https, which is the ingress's scheme: up to 0.17",
        ),
        pytest.param(
            standard("wisdom-0", "models", front="predictor-default"),
            Backend("wisdom-0-predictor-default", "models", 80),
            id="a Service of an older KServe",
        ),
        pytest.param(
            standard("wisdom-0", "models", front="transformer"),
            Backend("wisdom-0-transformer", "models", 80),
            id="a transformer in front",
        ),
        pytest.param(
            standard(
                "wisdom-0", "models", address={"url": "http://wisdom-0-predictor.models.svc.cluster.test"}
            ),
            Backend("wisdom-0-predictor", "models", 80),
            id="another cluster domain",
        ),
        pytest.param(
            knative("wisdom-0", "models", mode="Serverless"),
            Backend("wisdom-0", "models", 80, authority="wisdom-0.models.svc.cluster.local"),
            id="Serverless of KServe 0.15",
        ),
        pytest.param(
            knative("wisdom-0", "models"),
            Backend("wisdom-0", "models", 80, authority="wisdom-0.models.svc.cluster.local"),
            id="Knative since 0.16",
        ),
        pytest.param(
            knative(
                *("wisdom-0", "models"),
                address={"url": "http://wisdom-0-predictor.models.svc.cluster.local"},
            ),
            Backend(
                "wisdom-0-predictor", "models", 80, authority="wisdom-0-predictor.models.svc.cluster.local"
            ),
            id="Knative without Istio's virtual host",
        ),
    ],
)
def test_the_status_says_how_a_version_is_reached(status: Object, expected: Backend) -> None:
    obj = isvc(status)

    assert backend(obj) == expected
    assert ENVIRONMENT.observe(obj).ready is True


@pytest.mark.parametrize(
    ("asked", "status", "expected"),
    [
        pytest.param(
            "RawDeployment",
            standard("wisdom-0", "models", mode=""),
            Backend("wisdom-0-predictor", "models", 80),
            id="RawDeployment",
        ),
        pytest.param(
            "Serverless",
            knative("wisdom-0", "models", mode=""),
            Backend("wisdom-0", "models", 80, authority="wisdom-0.models.svc.cluster.local"),
            id="Serverless",
        ),
        pytest.param(
            "RawDeployment",
            knative("wisdom-0", "models"),
            Backend("wisdom-0", "models", 80, authority="wisdom-0.models.svc.cluster.local"),
            id="the status is right where it says something",
        ),
    ],
)
def test_the_annotation_tells_the_mode_where_the_status_does_not(
    asked: str, status: Object, expected: Backend
) -> None:
    """That of KServe 0.15.0 has no field for it."""
    assert backend(isvc(status, annotations={"serving.kserve.io/deploymentMode": asked})) == expected


@pytest.mark.parametrize(
    ("status", "port"),
    [
        pytest.param(standard("wisdom-0", "models"), 9000, id="Standard: that of the Service"),
        pytest.param(knative("wisdom-0", "models"), 80, id="Knative: that of the local gateway"),
    ],
)
def test_the_option_says_the_port_of_services(status: Object, port: int) -> None:
    found = backend(isvc(status), KServeOptions(service_port=9000))

    assert found is not None
    assert found.port == port


@pytest.mark.parametrize(
    ("obj", "told"),
    [
        pytest.param(
            isvc(modelmesh("models"), annotations={"serving.kserve.io/deploymentMode": "ModelMesh"}),
            "ModelMesh serves it, so spec.targetEnv has to be kserve-modelmesh",
            id="ModelMesh by the annotation",
        ),
        pytest.param(
            isvc(standard("wisdom-0", "models", mode="ModelMesh")),
            "ModelMesh serves it, so spec.targetEnv has to be kserve-modelmesh",
            id="ModelMesh by the status, with a transformer",
        ),
        pytest.param(
            isvc(modelmesh("models")),
            "its status.deploymentMode is empty, expected Standard or Knative",
            id="ModelMesh by KServe's configuration",
        ),
        pytest.param(
            isvc(standard("wisdom-0", "models", mode="Serverfull")),
            "its status.deploymentMode is Serverfull, expected Standard or Knative",
            id="another mode",
        ),
        pytest.param(
            isvc(standard("wisdom-0", "models", address=None)),
            "its status.address.url is empty, expected http://SERVICE.models.svc and the cluster's domain",
            id="no address",
        ),
        pytest.param(
            at("http://wisdom-0-models.example.com"),
            "its status.address.url is http://wisdom-0-models.example.com, expected http://SERVICE.models.svc"
            " and the cluster's domain",
            id="an address outside the cluster",
        ),
        pytest.param(
            at("http://wisdom-0-predictor.models.svc.cluster.local:8080"),
            "its status.address.url names the port 8080, so its Service is headless, and sidecars cannot route"
            " to that (serviceClusterIPNone)",
            id="headless, since 0.17",
        ),
    ],
)
def test_what_cannot_be_reached_is_not_ready_and_says_why(obj: Object, told: str) -> None:
    world = World(environment="kserve").ready("wisdom-1")
    (ref,) = world.accepted.refs["wisdom-0"]
    world.objects[ref] = entry({"kserve": ENVIRONMENT.observe(obj)})

    version = world.ask().versions[0]

    assert (version.ready, version.message) == (False, f"it has no backend for inference: {told}")
    assert world.split() == {"wisdom-1": 100}


@pytest.mark.parametrize(
    "url",
    [
        pytest.param(None, id="null"),
        pytest.param("", id="empty"),
        pytest.param(["http://wisdom-0-predictor.models.svc"], id="a list"),
        pytest.param("wisdom-0-predictor.models.svc.cluster.local", id="no scheme"),
        pytest.param("grpc://wisdom-0-predictor.models.svc.cluster.local", id="another scheme"),
        pytest.param("http://wisdom-0-predictor.other.svc.cluster.local", id="another namespace"),
        pytest.param("http://wisdom-0-predictor.models.svcs.cluster.local", id="no Service's name"),
        pytest.param("http://wisdom-0-predictor.models", id="no Service's full name"),
        pytest.param("http://.models.svc.cluster.local", id="no Service"),
        pytest.param("http://10.0.0.1", id="an IP address"),
        pytest.param("http://wisdom_0.models.svc.cluster.local", id="an underscore"),
        pytest.param("http://wisdom-0.models.svc.cluster.local/v1", id="a path"),
        pytest.param("http://a@wisdom-0.models.svc.cluster.local", id="a user"),
        pytest.param("http://wisdom-0.models.svc.cluster.local:x", id="a port that is none"),
        pytest.param("http://[wisdom-0.models.svc.cluster.local", id="a bracket"),
        pytest.param("http://wisdom-0.models.svc.cluster.local%0d%0a", id="an escape"),
    ],
)
def test_an_address_that_is_no_services_is_not_used(url: Any) -> None:
    assert backend(at(url)) is None


@pytest.mark.parametrize(
    ("conditions", "with_transformer", "verdict", "reason"),
    [
        pytest.param([condition("Ready")], False, True, "Ready", id="ready"),
        pytest.param(
            [condition("Ready", "False", reason="PredictorNotReady"), condition("PredictorReady", "False")],
            *(False, False, "PredictorNotReady"),
            id="not ready",
        ),
        pytest.param(
            [condition("Ready", "False", reason="Stopped"), stopped("True")],
            *(False, False, "Stopped"),
            id="stopped",
        ),
        pytest.param(
            [condition("Ready", "Unknown", reason="ReplicaSetUpdated")],
            *(False, None, "ReplicaSetUpdated"),
            id="rolling",
        ),
        pytest.param([], False, None, "NoStatus", id="not looked at yet"),
        pytest.param(
            [condition("Ready"), condition("TransformerReady", "False", reason="MinimumReplicasUnavailable")],
            *(True, False, "MinimumReplicasUnavailable"),
            id="its transformer is down, and Ready does not say so",
        ),
        pytest.param(
            [condition("Ready"), condition("TransformerReady")], True, True, "Ready", id="its transformer too"
        ),
        pytest.param([condition("Ready")], True, None, "NoStatus", id="nothing of its transformer yet"),
        pytest.param(
            [condition("Ready"), condition("TransformerReady", "False")],
            *(False, True, "Ready"),
            id="the transformer that it once had",
        ),
        pytest.param(
            [condition("Ready", "False"), condition("TransformerReady")],
            *(True, False, "NotReady"),
            id="only its transformer",
        ),
    ],
)
def test_conditions_decide_about_readiness(
    conditions: list[Object], with_transformer: bool, verdict: bool | None, reason: str
) -> None:
    components: Object = {"predictor": {}, **({"transformer": {}} if with_transformer else {})}
    obj = isvc(standard("wisdom-0", "models", conditions=conditions), spec=components)

    seen = ENVIRONMENT.observe(obj)

    assert (seen.ready, seen.reason) == (verdict, reason)


@pytest.mark.parametrize("observed", [None, 1, 99], ids=["none", "behind", "ahead"])
def test_a_generation_that_was_observed_does_not_count(observed: int | None) -> None:
    """It is the Deployment's or the Knative Service's own."""
    obj = isvc(standard("wisdom-0", "models", observedGeneration=observed))

    assert ENVIRONMENT.observe(obj).ready is True


def test_what_does_not_matter_leaves_an_observation_equal() -> None:
    plain = isvc(standard("wisdom-0", "models"), labels={"app.kubernetes.io/version": "v1"})
    copies: Object = {"modelStatus": {"copies": {"totalCopies": 7}, "transitionStatus": "InProgress"}}
    canary: Object = {"canaryStatuses": [{"name": "next", "ready": True, "trafficPercent": 10}]}
    noisy = isvc(
        standard("wisdom-0", "models", url="http://elsewhere.example.com", **copies, **canary),
        labels={"app.kubernetes.io/version": "v1"},
        annotations={"note": "x" * 2**20},
        resourceVersion="99",
    )

    assert ENVIRONMENT.observe(noisy) == ENVIRONMENT.observe(plain)
    assert ENVIRONMENT.observe(plain) == Observation(
        True, "Ready", revision="2", app_version="v1", addresses=(("service", "wisdom-0-predictor"),)
    )


@given(JSON, JSON, JSON)
def test_an_object_of_any_shape_is_observed(metadata: Any, spec: Any, status: Any) -> None:
    seen = ENVIRONMENT.observe({"metadata": metadata, "spec": spec, "status": status})

    assert (seen.ready, seen.addresses) == (None, ())
    assert len(seen.message) < 700


@given(JSON)
def test_an_address_of_any_shape_is_read(address: Any) -> None:
    for said in (address, {"url": address}):
        assert backend(isvc(standard("wisdom-0", "models", address=said))) is None


def test_a_version_is_the_inference_service_of_its_name() -> None:
    (ref,) = ENVIRONMENT.refs(spec("wisdom-1", namespace="other"), OPTIONS)

    assert str(ref) == "InferenceService other/wisdom-1"


def test_a_version_of_another_namespace_is_reached_there() -> None:
    obj = isvc(standard("wisdom-1", "other"), namespace="other")

    found = ENVIRONMENT.backends(spec("wisdom-1", namespace="other"), (ENVIRONMENT.observe(obj),), OPTIONS)

    assert found == {"inference": Backend("wisdom-1-predictor", "other", 80)}


def test_a_version_that_does_not_exist_has_no_backend() -> None:
    assert ENVIRONMENT.backends(spec("wisdom-1"), (None,), OPTIONS) == {}


def test_clients_call_the_model_in_the_namespace_of_the_policy() -> None:
    options = KServeOptions(port=9000, protocol="grpc", virtual=False)

    (frontend,) = ENVIRONMENT.frontends(policy(cluster_domain="cluster.test"), options)

    assert frontend.hosts == ("wisdom.models", "wisdom.models.svc", "wisdom.models.svc.cluster.test")
    assert (frontend.namespace, frontend.port, frontend.protocol) == ("models", 9000, "grpc")
    assert (frontend.virtual, frontend.selector) == (False, ())


def test_a_version_of_the_models_name_is_refused() -> None:
    """KServe writes a VirtualService, an HTTPRoute or an Ingress of that name."""
    with pytest.raises(Refused, match=r"spec\.modelVersions\[1\]\.name: it has the model's name"):
        World(of=policy("wisdom-0", "wisdom"), environment="kserve")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        pytest.param({"protocol": "rest"}, ".protocol: found", id="another protocol"),
        pytest.param({"servicePort": 0}, ".servicePort: found 0", id="port 0"),
        pytest.param(
            {"service": "x"}, ': unknown field "service"; did you mean "servicePort"?', id="unknown"
        ),
    ],
)
def test_options_that_are_wrong_are_named(options: Object, message: str) -> None:
    with pytest.raises(Refused) as caught:
        World(environment="kserve", config={"kserve": options})

    assert str(caught.value).startswith(f"spec.config.kserve{message}")
