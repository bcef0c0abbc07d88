"""InferenceServices as ModelMesh reports them, and where clients and versions meet."""

from typing import Any

import pytest
from hypothesis import given

from tests.decision.generating import JSON
from tests.decision.world import World
from turnout.decision.accept import Refused
from turnout.plugin import Backend, Frontend, Observation
from turnout.testing.builders import policy, spec
from turnout_kserve_modelmesh.environment import KServeModelMesh
from turnout_kserve_modelmesh.options import KServeModelMeshOptions

ENVIRONMENT = KServeModelMesh()
OPTIONS = KServeModelMeshOptions()
ELSEWHERE = KServeModelMeshOptions(service="mm", namespace="serving", port=9000)


def reporting(condition: Any) -> dict[str, Any]:
    """An InferenceService with one condition."""
    return {"status": {"conditions": [condition]}}


def ready(status: Any, **fields: Any) -> dict[str, Any]:
    return reporting({"type": "Ready", "status": status, **fields})


@pytest.mark.parametrize(
    ("obj", "verdict", "reason"),
    [
        pytest.param({}, None, "NoStatus", id="nothing"),
        pytest.param({"status": {}}, None, "NoStatus", id="empty status"),
        pytest.param({"status": None}, None, "NoStatus", id="null status"),
        pytest.param({"status": "Ready"}, None, "NoStatus", id="status that is text"),
        pytest.param({"status": {"conditions": None}}, None, "NoStatus", id="null conditions"),
        pytest.param(
            {"status": {"conditions": {"type": "Ready"}}}, None, "NoStatus", id="conditions: a mapping"
        ),
        pytest.param(reporting(None), None, "NoStatus", id="null condition"),
        pytest.param(reporting("Ready"), None, "NoStatus", id="condition that is text"),
        pytest.param(
            reporting({"type": "PredictorReady", "status": "True"}), None, "NoStatus", id="another one"
        ),
        pytest.param(ready("True"), True, "Ready", id="True"),
        pytest.param(ready("true"), True, "Ready", id="true"),
        pytest.param(ready("TRUE"), True, "Ready", id="TRUE"),
        pytest.param(ready(True), True, "Ready", id="a truth"),
        pytest.param(ready("False"), False, "NotReady", id="False"),
        pytest.param(ready("FALSE"), False, "NotReady", id="FALSE"),
        pytest.param(ready("False", reason="ModelLoadFailed"), False, "ModelLoadFailed", id="False, and why"),
        pytest.param(ready("False", reason=""), False, "NotReady", id="False, with an empty reason"),
        pytest.param(ready("False", reason=7), False, "NotReady", id="False, with a number for a reason"),
        pytest.param(ready("Unknown"), None, "Unknown", id="Unknown"),
        pytest.param(ready("Tru\u0435"), None, "Unknown", id="a Cyrillic e"),
        pytest.param(ready(" True"), None, "Unknown", id="a blank"),
        pytest.param(ready(""), None, "Unknown", id="empty"),
        pytest.param(ready(None), None, "Unknown", id="null"),
        pytest.param(ready(1), None, "Unknown", id="1"),
        pytest.param(ready({"value": "True"}), None, "Unknown", id="a mapping"),
        pytest.param(
            {
                "status": {
                    "conditions": [{"type": "Ready", "status": "False"}, {"type": "Ready", "status": "True"}]
                }
            },
            False,
            "NotReady",
            id="twice: the first counts",
        ),
    ],
)
def test_the_condition_ready_decides(obj: dict[str, Any], verdict: bool | None, reason: str) -> None:
    seen = ENVIRONMENT.observe(obj)

    assert (seen.ready, seen.reason) == (verdict, reason)


@pytest.mark.parametrize(
    ("obj", "message"),
    [
        pytest.param({}, "its status has no Ready condition yet", id="no condition"),
        pytest.param(ready("False"), "its Ready condition is False", id="not ready"),
        pytest.param(ready("False", message="Modèle: ✗ 模型"), "Modèle: ✗ 模型", id="its own words"),
        pytest.param(ready("False", message="x" * 9999), "x" * 512, id="its own words, too many"),
        pytest.param(ready("False", message=["x"]), "its Ready condition is False", id="no words"),
        pytest.param(ready(""), "its Ready condition is empty", id="empty"),
        pytest.param(ready("perhaps"), "its Ready condition is perhaps", id="another word"),
        pytest.param(ready("y" * 9999), f"its Ready condition is {'y' * 32}", id="another word, too long"),
        pytest.param(ready("True", message="ignored"), "", id="ready"),
    ],
)
def test_people_are_told_why(obj: dict[str, Any], message: str) -> None:
    assert ENVIRONMENT.observe(obj).message == message


def test_a_generation_that_was_observed_does_not_count() -> None:
    """KServe copies it from a child, and ModelMesh never sets it."""
    obj = {"metadata": {"generation": 7}, **ready("True")}
    obj["status"]["observedGeneration"] = 3

    assert ENVIRONMENT.observe(obj).ready is True


@pytest.mark.parametrize(
    ("metadata", "app_version"),
    [
        pytest.param({"labels": {"app.kubernetes.io/version": "v1"}}, "v1", id="the label"),
        pytest.param({"labels": {"version": "v1"}}, None, id="another label"),
        pytest.param({"labels": {"app.kubernetes.io/version": 1}}, None, id="a number"),
        pytest.param({"labels": None}, None, id="null labels"),
        pytest.param({}, None, id="no labels"),
        pytest.param("metadata", None, id="metadata that is text"),
    ],
)
def test_the_version_of_the_application_is_a_label(metadata: Any, app_version: str | None) -> None:
    assert ENVIRONMENT.observe({"metadata": metadata}).app_version == app_version


def test_a_change_of_the_spec_is_another_revision() -> None:
    revisions = [ENVIRONMENT.observe({"metadata": {"generation": n}}).revision for n in (1, 2)]

    assert revisions == ["1", "2"]


def test_what_does_not_matter_leaves_an_observation_equal() -> None:
    """A megabyte of annotations neither wakes anybody nor stays in memory."""
    heartbeat = ready("True", lastTransitionTime="2026-01-01T00:00:00Z")
    plain = {"metadata": {"generation": 1}, **ready("True")}
    noisy = {
        "metadata": {"generation": 1, "annotations": {"note": "x" * 2**20}, "resourceVersion": "99"},
        "status": {**heartbeat["status"], "modelStatus": {"copies": {"totalCopies": 3}}},
        "spec": {"predictor": {}},
    }

    assert ENVIRONMENT.observe(noisy) == ENVIRONMENT.observe(plain)
    assert ENVIRONMENT.observe(plain) == Observation(True, "Ready", revision="1")


@given(JSON, JSON)
def test_an_object_of_any_shape_is_observed(metadata: Any, status: Any) -> None:
    seen = ENVIRONMENT.observe({"metadata": metadata, "status": status})

    assert seen.ready is None
    assert len(seen.message) < 600


def test_a_version_is_the_inference_service_of_its_name() -> None:
    (ref,) = ENVIRONMENT.refs(spec("wisdom-1", namespace="other"), OPTIONS)

    assert str(ref) == "InferenceService other/wisdom-1"


@pytest.mark.parametrize(
    ("options", "domain", "frontend"),
    [
        pytest.param(
            OPTIONS,
            "cluster.local",
            Frontend(
                "inference",
                "models",
                ("wisdom.models", "wisdom.models.svc", "wisdom.models.svc.cluster.local"),
                8033,
                "grpc",
                (("modelmesh-service", "modelmesh-serving"),),
            ),
            id="by default",
        ),
        pytest.param(
            ELSEWHERE,
            "cluster.test",
            Frontend(
                "inference",
                "serving",
                ("wisdom.serving", "wisdom.serving.svc", "wisdom.serving.svc.cluster.test"),
                9000,
                "grpc",
                (("modelmesh-service", "mm"),),
            ),
            id="elsewhere",
        ),
    ],
)
def test_clients_call_the_model_in_the_namespace_of_modelmesh(
    options: KServeModelMeshOptions, domain: str, frontend: Frontend
) -> None:
    assert ENVIRONMENT.frontends(policy(cluster_domain=domain), options) == (frontend,)


@pytest.mark.parametrize(
    ("options", "namespace", "backend"),
    [
        pytest.param(OPTIONS, "models", Backend("modelmesh-serving", "models", 8033), id="by default"),
        pytest.param(OPTIONS, "other", Backend("modelmesh-serving", "other", 8033), id="another namespace's"),
        pytest.param(ELSEWHERE, "models", Backend("mm", "serving", 9000), id="elsewhere"),
    ],
)
@pytest.mark.parametrize("seen", [None, Observation(False, "NotReady")], ids=["no object", "not ready"])
def test_a_header_tells_the_versions_apart(
    options: KServeModelMeshOptions, namespace: str, backend: Backend, seen: Observation | None
) -> None:
    found = ENVIRONMENT.backends(spec("wisdom-1", namespace=namespace), (seen,), options)["inference"]

    assert found.set_headers == (("mm-vmodel-id", "wisdom-1"),)
    assert (found.name, found.namespace, found.port, found.kind, found.authority) == (
        backend.name,
        backend.namespace,
        backend.port,
        "Service",
        None,
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        pytest.param(
            {"service": "Model_Mesh"}, 'service: found "Model_Mesh", expected a string', id="service"
        ),
        pytest.param({"service": ""}, 'service: found "", expected a string', id="empty service"),
        pytest.param({"namespace": "a.b"}, 'namespace: found "a.b", expected a string', id="namespace"),
        pytest.param({"port": 0}, "port: found 0, expected an integer 1..65535", id="port 0"),
        pytest.param({"port": 65536}, "port: found 65536, expected an integer 1..65535", id="port too high"),
        pytest.param({"port": "grpc"}, 'port: found "grpc", expected an integer 1..65535', id="port by name"),
        pytest.param({"serivce": "x"}, ': unknown field "serivce"; did you mean "service"?', id="misspelt"),
    ],
)
def test_options_that_are_wrong_are_named(options: dict[str, Any], message: str) -> None:
    with pytest.raises(Refused) as caught:
        World(config={"kserve-modelmesh": options})

    path = "spec.config.kserve-modelmesh"
    assert str(caught.value).startswith(f"{path}{message if message.startswith(':') else f'.{message}'}")


@pytest.mark.parametrize(
    ("model", "version"),
    [
        ("wisdom-0__isvc-0123456789", "wisdom-0"),
        ("a__b__isvc-0123456789", "a__b"),
        ("wisdom-0__ksp-0123456789", "wisdom-0"),
        ("wisdom-0", "wisdom-0"),
        ("wisdom__0", "wisdom__0"),
        ("", ""),
    ],
)
def test_a_models_name_in_an_answer_stands_for_its_version(model: str, version: str) -> None:
    assert ENVIRONMENT.version_of(model) == version
