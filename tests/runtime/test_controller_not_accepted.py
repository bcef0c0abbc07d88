"""Policies that are not accepted keep their routes, and what these lead to stays protected."""

from typing import Any

import pytest

from tests.runtime.draining import HELD, SLACK, SPOILT, seconds_to_go
from tests.runtime.harness import LIMIT, Bed, isvc, loses, refuse, rp, vs
from turnout.runtime.transport import Request
from turnout_istio.virtual_service import VIRTUAL_SERVICE


def refuse_policy(bed: Bed) -> None:
    """Give the policy a strategy that is not installed, and wait until it is refused."""
    bed.policy(trafficStrategy="no-such")
    bed.until(lambda: bed.condition("Routed") == ("False", "NotAccepted"))


@pytest.mark.parametrize("restart", [False, True])
def test_a_policy_that_is_not_accepted_loses_neither_routes_nor_protection(
    halves: Bed, restart: bool
) -> None:
    """Of the versions that it names, routed or not."""
    halves.version("wisdom-2", ready=False)
    names = [{"name": f"wisdom-{number}"} for number in range(3)]
    halves.policy(modelVersions=names)
    halves.until(lambda: halves.protected("wisdom-2"))
    halves.settle()
    before = halves.get(vs())
    halves.policy(modelVersions=names, trafficStrategy="no-such")
    halves.until(lambda: halves.condition("Routed") == ("False", "NotAccepted"))
    if restart:
        halves.restart()
    halves.settle(3.0)
    assert halves.get(vs()) == before
    assert all(halves.protected(f"wisdom-{number}") for number in range(3))


def test_what_a_policy_that_is_not_accepted_routes_to_is_held_until_the_limit(halves: Bed) -> None:
    refuse_policy(halves)
    halves.restart()
    assert seconds_to_go(halves, "wisdom-1") > LIMIT - SLACK


@pytest.mark.parametrize("metadata", SPOILT.values(), ids=SPOILT)
def test_a_spoilt_plan_of_a_policy_that_is_not_accepted_leads_where_it_led(
    halves: Bed, metadata: dict[str, Any]
) -> None:
    """Nothing puts it right either."""
    refuse_policy(halves)
    halves.cluster.patch(vs(), {"metadata": metadata})
    halves.settle()
    assert seconds_to_go(halves, "wisdom-1") > LIMIT - SLACK


def test_after_a_restart_a_spoilt_plan_may_lead_anywhere(halves: Bed) -> None:
    """Whether the policy is accepted or not."""
    refuse_policy(halves)
    halves.cluster.patch(vs(), {"metadata": SPOILT["no plan"]})
    halves.restart()
    halves.settle()
    assert seconds_to_go(halves, "wisdom-1") > LIMIT - SLACK


def test_routes_of_a_policy_that_is_not_accepted_are_found_without_its_status(halves: Bed) -> None:
    """It is not there yet if the process died between a write of the routes and that of the status."""
    halves.stop()
    halves.policy(trafficStrategy="no-such")
    halves.cluster.set_status(rp(), {})
    halves.start()
    halves.settle()
    assert seconds_to_go(halves, "wisdom-1") > LIMIT - SLACK


def test_routes_of_a_policy_that_is_not_accepted_and_cannot_be_read_may_lead_anywhere(halves: Bed) -> None:
    refuse_policy(halves)
    halves.stop()
    halves.cluster.on_request = refuse(kind=VIRTUAL_SERVICE)
    halves.start()
    halves.settle()
    assert seconds_to_go(halves, "wisdom-1") > LIMIT - SLACK


def test_a_drain_of_a_policy_that_is_not_accepted_any_more_goes_on_after_a_restart(halves: Bed) -> None:
    """For the propagation of the router that wrote the routes."""
    halves.sleep(2 * HELD)
    halves.delete(isvc("wisdom-1"))
    halves.until(lambda: halves.shares() == {"wisdom-0": 100})
    began = halves.now()
    refuse_policy(halves)
    halves.restart()
    halves.until(lambda: not halves.exists(isvc("wisdom-1")))
    assert HELD - SLACK < (halves.now() - began).total_seconds() < LIMIT - SLACK


def test_a_lost_answer_starts_the_drain_of_a_policy_that_is_not_accepted_any_more(halves: Bed) -> None:
    """The write has moved the routes, whatever has become of the policy meanwhile."""
    halves.sleep(2 * HELD)
    lose = loses("virtualservices")

    def hook(request: Request, response: object) -> None:
        if request.method == "PATCH" and "/virtualservices/" in request.path:
            halves.cluster.on_response = lose
            halves.policy(trafficStrategy="no-such")
            lose(request, response)

    halves.cluster.on_response = hook
    halves.delete(isvc("wisdom-1"))
    halves.until(lambda: list(halves.shares()) == ["wisdom-0"])
    began = halves.now()
    halves.until(lambda: not halves.exists(isvc("wisdom-1")))
    assert halves.condition("Routed") == ("False", "NotAccepted")
    assert HELD - SLACK < (halves.now() - began).total_seconds() < LIMIT - SLACK


def test_a_policy_that_is_repaired_takes_off_what_it_no_longer_names(halves: Bed) -> None:
    names = [{"name": "wisdom-0"}, {"name": "wisdom-1"}]
    halves.policy(modelVersions=names, trafficStrategy="no-such")
    halves.until(lambda: halves.condition("Routed") == ("False", "NotAccepted"))
    halves.restart()
    halves.settle()
    halves.policy(modelVersions=names[:1])
    halves.until(lambda: halves.shares() == {"wisdom-0": 100})
    halves.until(lambda: not halves.protected("wisdom-1"))
