"""What Prometheus is shown of rollouts."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from tests.runtime.harness import LIMIT, Bed, isvc, loses, refuse, rp, vs
from tests.runtime.scraped import Scraped, Watched
from tests.toys.around import ToyGate, ToyNotifier
from tests.toys.naughty import Hangs, Nonsense, Raises
from turnout.plugin import GateAnswer
from turnout.runtime import controller
from turnout.runtime.metrics.counted import DEFINITIONS, Metrics
from turnout_istio.virtual_service import VIRTUAL_SERVICE

HALVES = {"wisdom-0": 0.5, "wisdom-1": 0.5}
POLICY = {"namespace": "models", "policy": "wisdom"}
DESIRED, APPLIED = "turnout_version_desired_share_ratio", "turnout_version_applied_share_ratio"
PER_POLICY = (DESIRED, APPLIED, "turnout_version_ready", "turnout_policy_condition", "turnout_shifts_total")


@pytest.fixture
def watched(bed: Bed) -> Watched:
    """Two ready versions that share the calls by halves."""
    watched = Watched(bed)
    rollout(watched)
    return watched


def rollout(watched: Watched, **options: Any) -> None:
    bed = watched.bed
    for name in ("wisdom-0", "wisdom-1"):
        bed.version(name)
    bed.policy()
    watched.start(**options)
    bed.until(lambda: bed.split() == "wisdom-0 50% / wisdom-1 50%")
    bed.settle()


def shares(scraped: Scraped, name: str) -> dict[str, float]:
    return scraped.by("version", name, **POLICY)


# policies and versions


def test_shares_are_shown_as_decided_and_as_applied(watched: Watched) -> None:
    scraped = watched.scrape()
    assert shares(scraped, DESIRED) == shares(scraped, APPLIED) == HALVES
    assert shares(scraped, "turnout_version_ready") == {"wisdom-0": 1, "wisdom-1": 1}
    watched.bed.weights(wisdom_0=0, wisdom_1=1)
    watched.bed.until(lambda: watched.bed.split() == "wisdom-1 100%")
    scraped = watched.scrape()
    assert shares(scraped, APPLIED) == {"wisdom-0": 0, "wisdom-1": 1}
    assert scraped.value("turnout_shifts_total", **POLICY) == 1


def test_a_route_that_may_not_be_written_leaves_what_is_applied(watched: Watched) -> None:
    bed = watched.bed
    bed.cluster.on_request = refuse(verb="apply", kind=VIRTUAL_SERVICE)
    bed.weights(wisdom_0=20, wisdom_1=80)
    bed.until(lambda: bed.condition("Routed") == ("False", "Forbidden"))
    scraped = watched.scrape()
    assert shares(scraped, DESIRED) == {"wisdom-0": 0.2, "wisdom-1": 0.8}
    assert shares(scraped, APPLIED) == HALVES
    assert scraped.by("condition", "turnout_policy_condition", **POLICY) == {
        "Accepted": 1,
        "Routed": 0,
        "Ready": 0,
    }
    assert scraped.value("turnout_policies", condition="Routed", status="False", reason="Forbidden") == 1
    assert scraped.sum("turnout_reconcile_errors_total", of="policy", reason="Forbidden") >= 1
    refused = {"verb": "patch", "resource": str(VIRTUAL_SERVICE), "code": "403"}
    assert scraped.sum("turnout_api_requests_total", **refused) >= 1


def test_copies_are_shown_besides_shares(bed: Bed) -> None:
    watched = Watched(bed)
    for name in ("wisdom-0", "wisdom-1"):
        bed.version(name)
    bed.policy(trafficStrategy="mirror", config={"mirror": {"percentage": 30}, "istio": {"marker": True}})
    watched.start()
    bed.until(lambda: "mirror" in bed.split() or bed.condition("Accepted")[0] == "False")
    assert bed.split() == "wisdom-0 100%, wisdom-1 mirror 30%", bed.message("Accepted")
    scraped = watched.scrape()
    assert shares(scraped, APPLIED) == {"wisdom-0": 1, "wisdom-1": 0}
    for name in ("turnout_version_desired_mirror_ratio", "turnout_version_applied_mirror_ratio"):
        assert shares(scraped, name) == {"wisdom-0": 0, "wisdom-1": 0.3}


def test_a_suspended_policy_is_told_from_one_that_fails(watched: Watched) -> None:
    assert watched.scrape().value("turnout_policy_suspended", **POLICY) == 0
    watched.bed.policy(suspend=True)
    watched.bed.until(lambda: watched.bed.condition("Routed")[1] == "Suspended")
    assert watched.scrape().value("turnout_policy_suspended", **POLICY) == 1


def test_of_a_policy_that_is_not_accepted_nothing_is_desired(watched: Watched) -> None:
    watched.bed.policy(targetEnv="nowhere")
    watched.bed.until(lambda: watched.bed.condition("Accepted")[0] == "False")
    scraped = watched.scrape()
    assert shares(scraped, DESIRED) == {}
    assert shares(scraped, APPLIED) == HALVES


def test_the_series_of_a_deleted_policy_go(watched: Watched) -> None:
    watched.bed.weights(wisdom_0=20, wisdom_1=80)
    watched.bed.until(lambda: watched.bed.split() == "wisdom-0 20% / wisdom-1 80%")
    watched.bed.delete(rp())
    watched.bed.settle()
    text = watched.text()
    assert 'policy="wisdom"' not in text
    assert "turnout_policies{" not in text
    watched.bed.policy()
    watched.bed.until(lambda: watched.bed.split() == "wisdom-0 50% / wisdom-1 50%")
    assert watched.scrape().value("turnout_shifts_total", **POLICY) == 0


def test_nothing_is_remembered_of_a_deleted_policy(watched: Watched) -> None:
    controller = watched.metrics.controller
    assert controller
    assert controller.context.decided
    watched.bed.delete(rp())
    watched.bed.settle()
    assert controller.context.decided == {}


def test_a_policy_of_another_instance_is_not_shown(watched: Watched) -> None:
    watched.bed.policy(labels={"turnout.dev/instance": "blue"})
    watched.bed.settle()
    assert 'policy="wisdom"' not in watched.text()


# work


def test_an_event_that_changes_nothing_counts_nothing(watched: Watched) -> None:
    watched.bed.sleep(1)
    names = ("turnout_api_requests_total", "turnout_reconcile_duration_seconds_count")
    before = [watched.scrape().sum(name) for name in names]
    for _ in range(20):
        watched.bed.heartbeat("wisdom-1")
    watched.bed.sleep(0.5)
    assert [watched.scrape().sum(name) for name in names] == before


def test_calls_and_reconciles_are_counted_and_timed(watched: Watched) -> None:
    scraped = watched.scrape()
    for labels in ({"verb": "list", "code": "200"}, {"verb": "discover"}, {"verb": "patch", "code": "201"}):
        assert scraped.sum("turnout_api_requests_total", **labels) >= 1, labels
    patches = {"verb": "patch", "resource": str(VIRTUAL_SERVICE)}
    assert scraped.sum("turnout_api_request_duration_seconds_count", **patches) == 1
    for of in ("policy", "shared"):
        assert scraped.sum("turnout_reconcile_duration_seconds_count", of=of) >= 1
    assert scraped.by("queue", "turnout_queue_depth") == {"policies": 0, "drains": 0}
    assert scraped.by("queue", "turnout_queue_oldest_age_seconds") == {"policies": 0, "drains": 0}


def test_calls_without_an_answer_are_errors_and_are_repeated(watched: Watched) -> None:
    watched.bed.cluster.on_response = loses("virtualservices")
    watched.bed.delete(vs())
    watched.bed.until(lambda: watched.bed.shares())
    watched.bed.settle()
    scraped = watched.scrape()
    assert scraped.sum("turnout_api_requests_total", code="none") >= 1
    assert scraped.sum("turnout_reconcile_errors_total", of="policy", reason="Unreachable") >= 1
    assert scraped.sum("turnout_reconcile_retries_total", of="policy") >= 1


def test_watches_are_up_and_say_when_they_last_heard(watched: Watched) -> None:
    watched.bed.sleep(10)
    scraped = watched.scrape()
    up = scraped.by("resource", "turnout_watch_up", watched_namespace="models")
    assert up.keys() >= {"routingpolicies.turnout.dev", "trafficweights.turnout.dev", str(VIRTUAL_SERVICE)}
    assert set(up.values()) == {1}
    quiet = scraped.value("turnout_watch_silence_seconds", resource="trafficweights.turnout.dev")
    assert quiet is not None
    assert 9 < quiet < 80


def test_a_watch_that_may_not_be_read_is_down(bed: Bed) -> None:
    watched = Watched(bed)
    bed.cluster.on_request = refuse(kind=VIRTUAL_SERVICE)
    bed.version("wisdom-0")
    bed.policy()
    watched.start()
    bed.until(lambda: bed.condition("Routed")[1] == "Forbidden")
    scraped = watched.scrape()
    assert scraped.value("turnout_watch_up", resource=str(VIRTUAL_SERVICE)) == 0
    ended = {"resource": str(VIRTUAL_SERVICE), "cause": "Forbidden"}
    assert scraped.sum("turnout_watch_restarts_total", **ended) >= 1


def test_a_watch_that_has_ended_in_order_is_counted(watched: Watched) -> None:
    watched.bed.sleep(100)
    assert watched.scrape().sum("turnout_watch_restarts_total", cause="Ended") >= 2


# drains


def test_a_deleted_version_is_a_drain_under_way(watched: Watched) -> None:
    watched.bed.delete(isvc("wisdom-1"))
    watched.bed.sleep(3)
    scraped = watched.scrape()
    assert scraped.value("turnout_drains_in_progress") == 1
    oldest = scraped.value("turnout_drain_oldest_seconds")
    assert oldest is not None
    assert 2 < oldest < 5
    watched.bed.until(lambda: not watched.bed.exists(isvc("wisdom-1")))
    watched.bed.settle()
    scraped = watched.scrape()
    assert scraped.value("turnout_drains_in_progress") == 0
    assert scraped.by("result", "turnout_drains_total") == {"drained": 1, "timed_out": 0}


def test_a_drain_that_times_out_is_counted_as_such(watched: Watched) -> None:
    watched.bed.policy(suspend=True)
    watched.bed.settle()
    watched.bed.delete(isvc("wisdom-1"))
    watched.bed.until(lambda: not watched.bed.exists(isvc("wisdom-1")), within=LIMIT + 20)
    watched.bed.settle()
    assert watched.scrape().by("result", "turnout_drains_total") == {"drained": 0, "timed_out": 1}


def test_a_version_from_which_another_takes_the_finalizer_is_no_drain_any_more(watched: Watched) -> None:
    watched.bed.delete(isvc("wisdom-1"))
    watched.bed.sleep(1)
    watched.bed.cluster.patch(isvc("wisdom-1"), {"metadata": {"finalizers": None}})
    watched.bed.settle()
    assert watched.scrape().value("turnout_drains_in_progress") == 0


# plugins


def test_a_gate_that_is_closed_has_shifts_waiting(make_bed: Callable[..., Bed]) -> None:
    gate = ToyGate()
    watched = Watched(make_bed(gate))
    rollout(watched, settings={"plugins": {"toy-gate": {}}})
    assert watched.scrape().by("gate", "turnout_gate_waiting_shifts") == {"toy-gate": 0}
    gate.says = GateAnswer(False, "not now", timedelta(seconds=10))
    watched.bed.weights(wisdom_0=20, wisdom_1=80)
    watched.bed.until(lambda: "not now" in watched.bed.message("Routed"))  # it has been asked, and answered
    assert watched.bed.condition("Routed")[1] == "Gated"
    scraped = watched.scrape()
    assert scraped.by("gate", "turnout_gate_waiting_shifts") == {"toy-gate": 1}
    assert (shares(scraped, DESIRED)["wisdom-1"], shares(scraped, APPLIED)["wisdom-1"]) == (0.8, 0.5)
    gate.says = ValueError("broken")
    watched.bed.sleep(12)
    assert watched.scrape().sum("turnout_plugin_failures_total", plugin="toy-gate", cause="Raised") >= 1


def test_a_notifier_that_fails_is_counted(make_bed: Callable[..., Bed]) -> None:
    notifier = ToyNotifier(ValueError("broken"))
    watched = Watched(make_bed(notifier))
    rollout(watched, settings={"plugins": {"toy-notifier": {}}})
    watched.bed.weights(wisdom_0=20, wisdom_1=80)
    watched.bed.until(lambda: notifier.told)
    watched.bed.settle()
    assert watched.scrape().by("plugin", "turnout_plugin_failures_total", cause="Raised") == {
        "toy-notifier": 1
    }


@pytest.mark.parametrize("strategy", [Raises(), Nonsense()], ids=["raises", "nonsense"])
def test_a_plugin_that_gives_no_answer_is_counted_by_its_name(
    make_bed: Callable[..., Bed], strategy: Any
) -> None:
    watched = Watched(make_bed(strategy))
    watched.bed.version("wisdom-0")
    watched.bed.policy(trafficStrategy=strategy.name)
    watched.start()
    watched.bed.until(
        lambda: "PluginFailed" in (watched.bed.condition("Routed")[1], watched.bed.condition("Accepted")[1])
    )
    scraped = watched.scrape()
    assert scraped.by("plugin", "turnout_plugin_failures_total", cause="Raised").keys() == {strategy.name}
    assert scraped.sum("turnout_reconcile_errors_total", reason="PluginFailed") >= 1


def test_a_plugin_that_hangs_is_quarantined(make_bed: Callable[..., Bed]) -> None:
    strategy = Hangs()
    watched = Watched(make_bed(strategy))
    watched.bed.version("wisdom-0")
    watched.bed.policy(trafficStrategy=strategy.name)
    watched.start()
    try:
        watched.bed.until(lambda: watched.bed.condition("Routed")[1] == "PluginFailed")
        scraped = watched.scrape()
    finally:
        strategy.release.set()
    assert scraped.by("plugin", "turnout_plugin_failures_total", cause="TimedOut") == {"toy-hangs": 1}
    assert scraped.by("plugin", "turnout_plugin_quarantined") == {"toy-hangs": 1}


# several controllers


def test_one_that_stands_by_shows_its_watches_and_no_policies(watched: Watched) -> None:
    other = Watched(watched.bed)
    other.start(leading=asyncio.Event())
    watched.bed.settle()
    scraped = other.scrape()
    assert {name: scraped.sum(name) for name in PER_POLICY} == dict.fromkeys(PER_POLICY, 0)
    assert set(scraped.by("resource", "turnout_watch_up").values()) == {1}
    assert scraped.value("turnout_leadership_gained_total") == 0


def test_what_came_while_one_stood_by_waits_for_it_since_it_leads(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else every controller that stands by would be told to be behind, and the next leader late."""
    monkeypatch.setattr(controller, "WORKERS", 0)
    other = Watched(watched.bed)
    leading = asyncio.Event()
    other.start(leading=leading)
    watched.bed.sleep(60)
    assert other.scrape().by("queue", "turnout_queue_oldest_age_seconds") == {}
    assert other.scrape().by("queue", "turnout_queue_depth") == {}
    leading.set()
    watched.bed.sleep(5)
    assert 0 < other.scrape().by("queue", "turnout_queue_oldest_age_seconds")["policies"] < 60


def test_counters_go_on_when_another_controller_follows_and_gauges_begin_anew(watched: Watched) -> None:
    bed = watched.bed
    bed.weights(wisdom_0=20, wisdom_1=80)
    bed.until(lambda: bed.split() == "wisdom-0 20% / wisdom-1 80%")
    bed.settle()
    before = watched.scrape()
    bed.stop()
    leading = asyncio.Event()
    watched.start(leading=leading)
    bed.settle()
    after = watched.scrape()
    assert after.sum("turnout_api_requests_total") > before.sum("turnout_api_requests_total")
    assert shares(after, APPLIED) == {}
    leading.set()
    bed.settle()
    after = watched.scrape()
    assert after.value("turnout_shifts_total", **POLICY) == 1
    assert after.value("turnout_leadership_gained_total") == 2
    assert shares(after, APPLIED) == {"wisdom-0": 0.2, "wisdom-1": 0.8}


# all


def test_what_is_shown_is_what_is_documented(watched: Watched) -> None:
    """Each metric's type and labels, and its words. Series of processes are Prometheus' own."""
    families = {one.name: one for one in watched.scrape().families if not one.name.startswith("process_")}
    defined = {one.name.removesuffix("_total"): one for one in DEFINITIONS}
    assert families.keys() <= defined.keys()
    for name, family in families.items():
        assert (family.type, family.documentation) == (defined[name].type, defined[name].help)
        for sample in family.samples:
            assert set(sample.labels) - {"le"} == set(defined[name].labels), sample
    assert defined.keys() - families.keys() == {"turnout_leader"}  # of controllers with a lease


def test_before_there_is_a_controller_there_are_metrics(bed: Bed) -> None:
    text = bed.run(Metrics().text()).decode()
    assert "turnout_build_info{" in text
    assert "process_resident_memory_bytes" in text
