"""The metrics of a real process, scraped over HTTP, and its answers to probes."""

import json
import re
import urllib.error
import urllib.request
from collections.abc import Callable

import pytest

from tests.cluster.controller import Process, Site
from tests.runtime.scraped import Scraped
from tests.support import wait_until

POLICY = "wisdom"
HALVES = {"wisdom-0": 0.5, "wisdom-1": 0.5}


class Answers:
    """What a controller serves, on the port that it has chosen and logged."""

    def __init__(self, process: Process) -> None:
        process.says("/metrics, /healthz and /readyz on 127.0.0.1, port ")
        found = re.search(r"on 127\.0\.0\.1, port (\d+)", process.said)
        assert found
        self._url = f"http://127.0.0.1:{found[1]}"

    def get(self, path: str) -> tuple[int, str]:
        try:
            with urllib.request.urlopen(self._url + path, timeout=10) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()

    def scrape(self) -> Scraped:
        status, text = self.get("/metrics")
        assert status == 200
        return Scraped(text)

    def ready(self) -> bool:
        return self.get("/readyz")[0] == 200

    def problems(self) -> list[str]:
        listed: list[str] = json.loads(self.get("/readyz")[1])["problems"]
        return listed


@pytest.fixture
def serve(site: Site) -> Callable[..., Answers]:
    """Starts a controller that listens."""

    def start(*arguments: str, name: str = "turnout") -> Answers:
        return Answers(site.start("--http=127.0.0.1:0", *arguments, name=name))

    return start


def test_a_rollout_can_be_followed_by_its_metrics(site: Site, serve: Callable[..., Answers]) -> None:
    answers = serve()
    site.version("wisdom-0")
    site.version("wisdom-1")
    site.policy(POLICY)
    site.until_shares({"wisdom-0": 50, "wisdom-1": 50})
    labels = {"namespace": site.namespace, "policy": POLICY}
    applied = "turnout_version_applied_share_ratio"
    wait_until(
        lambda: answers.scrape().by("version", applied, **labels) == HALVES, what="the shares are shown"
    )
    wait_until(lambda: site.condition(POLICY, "Ready")[0] == "True", what="Ready")
    scraped = answers.scrape()
    assert scraped.value("turnout_policy_condition", condition="Ready", **labels) == 1
    routes = {"verb": "patch", "resource": "virtualservices.networking.istio.io"}
    assert scraped.sum("turnout_api_requests_total", **routes) >= 1
    assert scraped.sum("turnout_api_request_duration_seconds_count", **routes) >= 1
    assert set(scraped.by("resource", "turnout_watch_up").values()) == {1}
    assert scraped.value("process_resident_memory_bytes")
    assert answers.ready()
    site.kubectl("delete", "routingpolicy", POLICY)
    wait_until(lambda: answers.scrape().by("version", applied) == {}, what="the series go")


def test_readiness_follows_the_api_server(site: Site, serve: Callable[..., Answers]) -> None:
    """One that does not answer is noticed when a watch is overdue: after a minute, or two."""
    answers = serve()
    wait_until(answers.ready, what="ready")
    with site.control_plane.frozen_apiserver():
        wait_until(lambda: not answers.ready(), timeout=150, what="not ready")
        assert any(one.startswith("routingpolicies.turnout.dev in ") for one in answers.problems()) or any(
            one.startswith("trafficweights.turnout.dev in ") for one in answers.problems()
        )
        assert answers.get("/healthz") == (200, "ok\n")
    wait_until(answers.ready, timeout=60, what="ready again")


def test_without_the_right_to_read_policies_it_is_not_ready(
    site: Site, serve: Callable[..., Answers]
) -> None:
    site.kubectl("delete", "rolebinding", "turnout")
    answers = serve()
    wait_until(
        lambda: f"routingpolicies.turnout.dev in {site.namespace}: Forbidden" in answers.problems(),
        what="the problem is told",
    )
    assert "User" not in answers.get("/readyz")[1]  # of the API server's words none
    assert answers.get("/healthz")[0] == 200


def test_one_leads_and_both_are_ready(site: Site, serve: Callable[..., Answers]) -> None:
    lease = f"--lease={site.namespace}/turnout"
    site.version("wisdom-0")
    site.policy(POLICY)
    first = serve(lease)
    wait_until(lambda: first.scrape().sum("turnout_leader") == 1, timeout=30, what="the first one leads")
    second = serve(lease, name="second")
    wait_until(second.ready, what="the second one is ready")
    assert first.ready()
    named = {"lease": f"{site.namespace}/turnout"}
    assert [one.scrape().value("turnout_leader", **named) for one in (first, second)] == [1, 0]
    assert second.scrape().by("policy", "turnout_policy_condition") == {}
    site.processes[0].terminate()
    wait_until(lambda: second.scrape().value("turnout_leader", **named) == 1, what="the second one leads")
    wait_until(lambda: second.scrape().by("policy", "turnout_policy_condition"), what="it shows policies")
