"""Lost answers, refused writes, odd data, and an API server that is gone for a while."""

import logging
from typing import Any

import pytest

from tests.runtime.harness import Bed, fail, isvc, loses, refuse, rp, version, vs
from turnout.names import ROUTING_POLICY
from turnout.plugin import Kind
from turnout.runtime.transport import Request
from turnout_istio.gateway import GATEWAY, SERVICE_ENTRY
from turnout_istio.virtual_service import VIRTUAL_SERVICE
from turnout_kserve_modelmesh.environment import INFERENCE_SERVICE

WRITTEN = (INFERENCE_SERVICE, SERVICE_ENTRY, VIRTUAL_SERVICE, GATEWAY, ROUTING_POLICY)


@pytest.mark.parametrize("kind", WRITTEN, ids=lambda kind: kind.plural)
def test_a_write_whose_answer_was_lost_is_found_done(bed: Bed, kind: Any) -> None:
    """It ends as if nothing had happened, and nobody is blamed for a change."""
    bed.cluster.on_response = loses(kind.plural)
    bed.version("wisdom-0")
    bed.policy()
    bed.start()
    bed.until(lambda: bed.condition("Routed") == ("True", "InForce"))
    bed.settle()
    assert bed.shares() == {"wisdom-0": 100}
    assert bed.protected("wisdom-0")
    assert bed.events("Corrected") == []
    assert {(kind.plural, len(bed.cluster.objects(kind))) for kind in WRITTEN} == {
        (kind.plural, 1) for kind in WRITTEN
    }


@pytest.mark.parametrize("kind", WRITTEN, ids=lambda kind: kind.plural)
def test_an_update_whose_answer_was_lost_is_found_done(bed: Bed, kind: Any) -> None:
    bed.version("wisdom-0")
    bed.policy()
    bed.start()
    bed.until(lambda: bed.condition("Routed") == ("True", "InForce"))
    bed.settle()
    bed.cluster.on_response = loses(kind.plural)
    bed.version("wisdom-1")
    bed.until(lambda: bed.split() == "wisdom-0 50% / wisdom-1 50%")
    bed.delete(isvc("wisdom-1"))
    bed.until(lambda: not bed.exists(isvc("wisdom-1")))
    bed.settle()
    assert bed.shares() == {"wisdom-0": 100}
    assert bed.events("Corrected") == []


def test_an_api_server_that_does_not_answer_for_a_while_costs_nothing(bed: Bed) -> None:
    """What happened meanwhile is acted upon afterwards."""
    for name in ("wisdom-0", "wisdom-1"):
        bed.version(name)
    bed.policy()
    bed.start()
    bed.until(lambda: bed.split() == "wisdom-0 50% / wisdom-1 50%")
    bed.settle()
    bed.cluster.on_request = lambda request: fail("connection refused")
    bed.cluster.end_watches(broken=True)
    bed.ready("wisdom-1", False)
    bed.sleep(5)
    assert bed.shares() == {"wisdom-0": 50, "wisdom-1": 50}
    bed.cluster.on_request = None
    bed.until(lambda: bed.shares() == {"wisdom-0": 100})


def test_a_history_that_was_compacted_is_read_anew(bed: Bed) -> None:
    """With what was deleted in between."""
    for name in ("wisdom-0", "wisdom-1"):
        bed.version(name)
    bed.policy()
    bed.start()
    bed.until(lambda: bed.split() == "wisdom-0 50% / wisdom-1 50%")
    bed.settle()
    bed.delete(vs())
    bed.ready("wisdom-1", False)
    bed.cluster.compact()
    bed.until(lambda: bed.exists(vs()) and bed.shares() == {"wisdom-0": 100})


def test_watches_that_end_cost_no_write(bed: Bed) -> None:
    bed.version("wisdom-0")
    bed.policy()
    bed.start()
    bed.until(lambda: bed.condition("Routed") == ("True", "InForce"))
    bed.settle()
    bed.forget_calls()
    for broken in (False, True):
        bed.cluster.end_watches(broken=broken)
        bed.settle()
    assert bed.writes == []


ODD: dict[str, Any] = {
    "no status": None,
    "a text": "Ready",
    "a list": ["Ready"],
    "conditions that are no list": {"conditions": {"Ready": "True"}},
    "conditions of texts": {"conditions": ["Ready", 7, None]},
    "a number for a status": {"conditions": [{"type": "Ready", "status": 1}]},
    "deep": {"conditions": [{"type": "Ready", "status": {"a": {"b": ["c"]}}}]},
}


@pytest.mark.parametrize("status", ODD.values(), ids=ODD)
def test_a_status_of_any_shape_is_not_ready(bed: Bed, status: Any) -> None:
    """And stops neither the versions beside it nor other policies."""
    bed.version("wisdom-0")
    bed.policy()
    bed.cluster.apply_manifest(version("wisdom-1"), namespace="models")
    if status is not None:
        _store_status(bed, status)
    bed.start()
    bed.until(lambda: bed.shares() == {"wisdom-0": 100})
    bed.settle()
    assert bed.status()["versions"][1]["ready"] == "Unknown"
    bed.ready("wisdom-1")
    bed.until(lambda: bed.shares() == {"wisdom-0": 50, "wisdom-1": 50})


def _store_status(bed: Bed, status: Any) -> None:
    live = bed.get(isvc("wisdom-1"))
    bed.cluster.set_status(isvc("wisdom-1"), {})
    handle = bed.cluster._server.handle
    path = "/apis/serving.kserve.io/v1beta1/namespaces/models/inferenceservices/wisdom-1/status"
    handle(Request("PATCH", path, body={"status": status}, content_type="application/merge-patch+json"), "x")
    assert live["metadata"]["name"] == "wisdom-1"


def test_labels_and_annotations_of_any_script_and_size_do_no_harm(bed: Bed) -> None:
    """They are someone else's; a megabyte of them is not kept, and not written anywhere."""
    bed.version(
        "wisdom-0",
        label="版本-é",
        annotations={"note": "ü" * 500_000, "emoji": "\U0001f682", "quote": "\"'\n\t\\{{}}"},
    )
    bed.policy()
    bed.start()
    bed.until(lambda: bed.split() == "wisdom-0 100%")
    assert bed.status()["versions"][0]["appVersion"] == "版本-é"
    assert len(str(bed.status())) < 3000


def test_labels_that_are_no_text_do_no_harm(bed: Bed) -> None:
    """Kinds without a schema let anything in."""
    bed.version("wisdom-0")
    live = bed.get(isvc("wisdom-0"))
    live["metadata"]["labels"] = {"app.kubernetes.io/version": 7}
    bed.cluster.replace(live)
    bed.policy()
    bed.start()
    bed.until(lambda: bed.split() == "wisdom-0 100%")
    assert "appVersion" not in bed.status()["versions"][0]


def test_options_that_are_wrong_are_said_with_their_path(bed: Bed) -> None:
    """Whose they are, what was found, and what would be right."""
    bed.policy(config={"istio": {"gatewayPort": 0}})
    bed.start()
    bed.until(lambda: bed.condition("Accepted") == ("False", "InvalidSpec"))
    assert bed.message("Accepted").startswith("spec.config.istio.gatewayPort: found 0, expected")
    assert bed.status()["observedGeneration"] == 1


def test_a_policy_that_is_repaired_goes_on(bed: Bed) -> None:
    bed.version("wisdom-0")
    bed.policy(config={"istio": {"gatewayPort": 0}})
    bed.start()
    bed.until(lambda: bed.condition("Accepted") == ("False", "InvalidSpec"))
    bed.policy(config={"istio": {"gatewayPort": 80}})
    bed.until(lambda: bed.condition("Ready") == ("True", "Ready"))


def test_a_namespace_that_is_not_allowed_is_refused(bed: Bed) -> None:
    """Whatever the versions there are called."""
    bed.policy(modelVersions=[{"name": "wisdom-0", "namespace": "others"}])
    bed.start(namespaces=None)
    bed.until(lambda: bed.condition("Accepted") == ("False", "NamespaceNotAllowed"))
    assert "spec.modelVersions[0].namespace: found others" in bed.message("Accepted")


def test_a_namespace_that_the_administrator_allows_is_reached(bed: Bed) -> None:
    """The version there is protected and routed as if it were here."""
    manifest = version("wisdom-0", namespace="others")
    bed.cluster.apply_manifest(manifest)
    there = isvc("wisdom-0", "others")
    bed.cluster.set_status(there, {"conditions": [{"type": "Ready", "status": "True"}]})
    bed.policy(modelVersions=[{"name": "wisdom-0", "namespace": "others"}])
    bed.start(settings={"allowNamespaces": {"models": ["others"]}})
    bed.until(lambda: bed.condition("Ready") == ("True", "Ready"))
    assert "turnout.dev/drain" in bed.get(there)["metadata"]["finalizers"]
    host = bed.get(vs())["spec"]["http"][0]["route"][0]["destination"]["host"]
    assert host == "modelmesh-serving.others.svc.cluster.local"


def test_a_status_that_somebody_spoilt_is_written_anew(bed: Bed) -> None:
    bed.version("wisdom-0")
    bed.policy()
    bed.start()
    bed.until(lambda: bed.condition("Ready") == ("True", "Ready"))
    bed.settle()
    before = bed.status()
    bed.cluster.set_status(rp(), {"split": "everything to nowhere"})
    bed.restart()
    bed.until(lambda: bed.split() == "wisdom-0 100%")
    bed.settle()
    assert bed.status().keys() == before.keys()


@pytest.mark.parametrize("code", [500, 403])
def test_a_status_that_could_not_be_written_for_a_while_is_written_then(bed: Bed, code: int) -> None:
    """Without anything else that happens."""
    bed.version("wisdom-0")
    bed.policy()
    bed.start()
    bed.until(lambda: bed.condition("Ready") == ("True", "Ready"))
    bed.settle()
    bed.cluster.on_request = refuse(kind=ROUTING_POLICY, verb="apply", code=code, reason="Word")
    bed.version("wisdom-1")
    bed.until(lambda: bed.shares() == {"wisdom-0": 50, "wisdom-1": 50})
    bed.sleep(60)
    bed.cluster.on_request = None
    bed.until(lambda: bed.split() == "wisdom-0 50% / wisdom-1 50%", within=60)


def test_a_controller_that_nobody_gives_work_makes_no_calls(bed: Bed) -> None:
    """But for its lists and watches."""
    bed.start()
    bed.settle()
    assert {call.verb for call in bed.calls} == {"discover", "list", "watch"}


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    """What was logged as a warning since the last time."""
    found = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    caplog.clear()
    return found


@pytest.mark.parametrize("kind", [VIRTUAL_SERVICE, INFERENCE_SERVICE], ids=lambda kind: kind.plural)
def test_a_write_that_is_not_allowed_is_logged_once(
    bed: Bed, kind: Kind, caplog: pytest.LogCaptureFixture
) -> None:
    """However often it is tried; and once more if it is refused again later."""
    verb = "apply" if kind is VIRTUAL_SERVICE else "patch"
    bed.version("wisdom-0")
    bed.policy()
    bed.start()
    bed.until(lambda: bed.condition("Routed") == ("True", "InForce"))
    for _ in range(2):
        bed.settle()
        warnings(caplog)
        bed.forget_calls()
        bed.cluster.on_request = refuse(kind=kind, verb=verb)
        bed.version("wisdom-1")
        bed.until(lambda: bed.condition("Routed") == ("False", "Forbidden"))
        bed.sleep(70)
        assert len([call for call in bed.cluster.writes if call.resource.startswith(kind.plural)]) > 2
        (told,) = warnings(caplog)
        assert told == f"models/wisdom: {bed.message('Routed')}"
        bed.cluster.on_request = None
        bed.until(lambda: bed.condition("Routed") == ("True", "InForce"))
        bed.cluster.patch(isvc("wisdom-1"), {"metadata": {"finalizers": None}})
        bed.delete(isvc("wisdom-1"))
        bed.until(lambda: bed.shares() == {"wisdom-0": 100})


def test_a_shared_object_that_may_not_be_written_is_not_logged_by_each_policy(
    bed: Bed, caplog: pytest.LogCaptureFixture
) -> None:
    """Whoever writes it tells."""
    bed.cluster.on_request = refuse(kind=GATEWAY, verb="apply")
    for name in ("wisdom", "other"):
        bed.version(f"{name}-0")
        bed.policy(name)
    bed.start()
    bed.until(lambda: all(bed.condition("Routed", n) == ("False", "Forbidden") for n in ("wisdom", "other")))
    assert all(told.startswith("Gateway models/mm-gateway: ") for told in warnings(caplog))
