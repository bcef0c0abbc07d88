"""The events of a policy read as the story of its rollout."""

import re
from typing import Any

import pytest

from tests.runtime.harness import Bed, isvc, refuse
from turnout.names import ROUTING_POLICY
from turnout.plugin import Kind, Ref
from turnout.reasons import Reason
from turnout.runtime.clock import Clock
from turnout.runtime.events import EVENT, Event, Recorder
from turnout_istio.virtual_service import VIRTUAL_SERVICE
from turnout_kserve_modelmesh.environment import INFERENCE_SERVICE


def story(bed: Bed, kind: Kind = ROUTING_POLICY, name: str = "wisdom") -> list[tuple[str, str, str]]:
    """Type, reason and message of the events about an object, as kubectl lists those of one second: by name."""
    listed = sorted(bed.cluster.objects(EVENT), key=lambda one: one["metadata"]["name"])
    about = [one for one in listed if _about(one) == (kind.kind, name)]
    return [(one["type"], one["reason"], one["message"]) for one in about]


def _about(event: dict[str, dict[str, str]]) -> tuple[str, str]:
    involved = event["involvedObject"]
    return involved["kind"], involved["name"]


@pytest.fixture
def alone(bed: Bed) -> Bed:
    bed.version("wisdom-0")
    bed.policy()
    bed.start()
    bed.until(lambda: bed.split() == "wisdom-0 100%")
    bed.settle()
    return bed


def test_a_rollout_from_the_first_version_to_the_end_of_the_candidate(alone: Bed) -> None:
    alone.version("wisdom-1")
    alone.until(lambda: alone.split() == "wisdom-0 50% / wisdom-1 50%")
    alone.settle()
    alone.delete(isvc("wisdom-1"))
    alone.until(lambda: not alone.exists(isvc("wisdom-1")))
    alone.settle()
    assert story(alone) == [
        ("Normal", "VersionReady", "wisdom-0 is ready"),
        ("Normal", "InForce", "the routes in the cluster are the decided ones: wisdom-0 100%"),
        ("Normal", "VersionReady", "wisdom-1 is ready"),
        (
            "Normal",
            "Shifted",
            (
                "wisdom-0 100% -> wisdom-0 50% / wisdom-1 50%: "
                "wisdom-0: ready, weight 50 of 100; wisdom-1: ready, weight 50 of 100"
            ),
        ),
        ("Normal", "VersionNotReady", "wisdom-1 is not ready any more: Deleting"),
        (
            "Normal",
            "Shifted",
            (
                "wisdom-0 50% / wisdom-1 50% -> wisdom-0 100%: wisdom-0: ready, weight 50 of 50; "
                "wisdom-1: not ready: InferenceService models/wisdom-1 is being deleted"
            ),
        ),
        ("Normal", "Released", "InferenceService models/wisdom-1 is let go: nothing calls it any more"),
    ]
    assert story(alone, INFERENCE_SERVICE, "wisdom-1") == [
        ("Normal", "Draining", "held until no route leads here any more and calls in flight have ended")
    ]


def test_no_version_ready_is_a_warning_and_recovery_is_told(alone: Bed) -> None:
    before = len(story(alone))
    alone.ready("wisdom-0", False)
    alone.until(lambda: alone.condition("Ready")[1] == "NoVersionReady")
    alone.ready("wisdom-0")
    alone.until(lambda: alone.condition("Ready")[0] == "True")
    alone.settle()
    told = [(kind, reason) for kind, reason, _ in story(alone)[before:]]
    assert told == [("Warning", "VersionNotReady"), ("Warning", "NoVersionReady")]
    # Within five minutes the same event is not told twice: that wisdom-0 is ready stands there already.


def test_a_spec_that_is_wrong_is_told_with_its_fault_and_its_mending(alone: Bed) -> None:
    before = len(story(alone))
    alone.policy(targetEnv="nowhere")
    alone.until(lambda: alone.condition("Accepted")[0] == "False")
    alone.policy()
    alone.until(lambda: alone.condition("Accepted")[0] == "True")
    alone.settle()
    told = story(alone)[before:]
    assert [one[:2] for one in told] == [("Warning", "UnknownPlugin"), ("Normal", "Valid")]
    assert "nowhere" in told[0][2]


def test_a_route_that_may_not_be_written_is_told_once(alone: Bed) -> None:
    before = len(story(alone))
    alone.cluster.on_request = refuse(verb="apply", kind=VIRTUAL_SERVICE)
    alone.version("wisdom-1")
    alone.until(lambda: alone.condition("Routed")[1] == "Forbidden")
    alone.sleep(40)
    told = [(kind, reason) for kind, reason, _ in story(alone)[before:]]
    assert told == [("Normal", "VersionReady"), ("Warning", "Forbidden")]


def test_a_restart_tells_nothing_anew(alone: Bed) -> None:
    before = story(alone)
    alone.restart()
    alone.settle()
    assert story(alone) == before


def body(ref: Ref) -> dict[str, Any]:
    """An event about an object, as it is written."""
    client: Any = None
    return Recorder(client, Clock())._body(Event(ref, "1", Reason.DRAINING, "held"))


def test_an_event_about_an_object_of_the_core_group_names_its_version() -> None:
    service = Ref(Kind("", ("v1",), "Service", "services"), "models", "wisdom")
    assert body(service)["involvedObject"]["apiVersion"] == "v1"


def test_an_event_about_an_object_with_a_long_name_has_a_name_that_the_api_server_takes() -> None:
    name = body(isvc("-".join(["a" * 60] * 4)))["metadata"]["name"]
    assert len(name) <= 253
    assert re.fullmatch(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*", name)
