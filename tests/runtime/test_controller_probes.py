"""Drains that probes end early or hold for longer, and those that are left to time."""

import logging
from collections.abc import Callable
from typing import Any

import pytest

from tests.runtime.draining import SLACK, seconds_to_go
from tests.runtime.harness import Bed, isvc, refuse, rp, vs
from tests.toys.probe import ToyProbe, block, by_policy, fail, hang, leave
from turnout_istio.virtual_service import VIRTUAL_SERVICE

IN_FLIGHT, PROPAGATION, LIMIT = 6.0, 20.0, 45.0
HELD = PROPAGATION + IN_FLIGHT
SOON = HELD - SLACK
"""Less than that is sooner than by time."""
AFTER = IN_FLIGHT + 6.0
"""Within that a version is gone once it is known that the proxies have followed: a busy machine needs some of it."""

DRAIN = {"inFlightSeconds": IN_FLIGHT, "propagationSeconds": {"istio": PROPAGATION}, "limitSeconds": LIMIT}
FIXED = {"fixed": {"address": "gateway:80"}}
SETTINGS = {"plugins": {"toy-probe": FIXED}, "drain": DRAIN}
BOTH = {"wisdom-0": 50, "wisdom-1": 50}


@pytest.fixture
def probe() -> ToyProbe:
    return ToyProbe()


@pytest.fixture
def probed(make_bed: Callable[..., Bed], probe: ToyProbe) -> Bed:
    """Two ready versions that have long shared the calls by halves, and a probe in use."""
    bed = make_bed(probe)
    for name in ("wisdom-0", "wisdom-1"):
        bed.version(name)
    bed.policy()
    bed.start(settings=SETTINGS)
    bed.until(lambda: bed.shares() == BOTH)
    bed.settle()
    bed.sleep(PROPAGATION)
    bed.forget_calls()
    return bed


def gone(bed: Bed, name: str = "wisdom-1") -> bool:
    return not bed.exists(isvc(name))


# what an answer does


def test_routes_that_proxies_carry_leave_only_the_calls_in_flight(probed: Bed, probe: ToyProbe) -> None:
    probe.says = True
    assert IN_FLIGHT <= seconds_to_go(probed, "wisdom-1") < SOON
    assert probed.shares() == {"wisdom-0": 100}


def test_the_calls_in_flight_count_from_the_first_such_answer(probed: Bed, probe: ToyProbe) -> None:
    """Not from the write, nor from the last answer."""
    probe.says = False
    probed.delete(isvc("wisdom-1"))
    probed.sleep(PROPAGATION / 4)
    probe.says = True
    began = probed.now()
    probed.until(lambda: gone(probed))
    assert IN_FLIGHT - 0.5 <= (probed.now() - began).total_seconds() < AFTER


def test_a_proxy_that_is_behind_holds_a_version_beyond_the_propagation(probed: Bed, probe: ToyProbe) -> None:
    """And the calls in flight have their time once it has followed, however late."""
    probe.says = False
    probed.delete(isvc("wisdom-1"))
    probed.sleep(HELD + SLACK)
    assert not gone(probed)
    probe.says = True
    began = probed.now()
    probed.until(lambda: gone(probed))
    assert IN_FLIGHT - 0.5 <= (probed.now() - began).total_seconds() < AFTER
    assert probed.events("DrainTimedOut") == []


def test_a_proxy_that_stays_behind_holds_a_version_until_the_limit(probed: Bed, probe: ToyProbe) -> None:
    probe.says = False
    assert seconds_to_go(probed, "wisdom-1") > LIMIT - SLACK
    probed.until(lambda: probed.events("DrainTimedOut"))


def test_what_left_the_routes_long_ago_is_held_too_while_a_proxy_is_behind(
    probed: Bed, probe: ToyProbe
) -> None:
    """By time it could go at once."""
    probe.says = False
    probed.ready("wisdom-1", False)
    probed.until(lambda: probed.shares() == {"wisdom-0": 100})
    probed.sleep(2 * HELD)
    assert seconds_to_go(probed, "wisdom-1") > LIMIT - SLACK


@pytest.mark.parametrize("says", [True, None])
def test_what_left_the_routes_long_ago_goes_at_once(probed: Bed, probe: ToyProbe, says: bool | None) -> None:
    """Once the probe has been asked."""
    probe.says = says
    probed.ready("wisdom-1", False)
    probed.until(lambda: probed.shares() == {"wisdom-0": 100})
    probed.sleep(2 * HELD)
    assert seconds_to_go(probed, "wisdom-1") < IN_FLIGHT


# answers that say nothing


@pytest.mark.parametrize(
    ("says", "told"),
    [
        (None, ""),
        (fail, "probe toy-probe raised OSError: no route to host"),
        (leave, "probe toy-probe raised SystemExit: 3"),
        (hang, "probe toy-probe did not return within 2 s"),
        (block, "probe toy-probe did not return within 2 s"),
        ("yes", "probe toy-probe returned 'yes', expected True, False or None"),
        (1, "probe toy-probe returned 1, expected True, False or None"),
    ],
    ids=["cannot tell", "raises", "exits", "hangs", "blocks", "nonsense", "a number"],
)
def test_a_probe_that_cannot_tell_leaves_it_to_time(
    probed: Bed, probe: ToyProbe, says: Any, told: str, caplog: pytest.LogCaptureFixture
) -> None:
    """What is wrong with it is logged once, and is no fault of the policy."""
    probe.says = says
    with caplog.at_level(logging.WARNING):
        assert HELD <= seconds_to_go(probed, "wisdom-1") < LIMIT - SLACK
    said = [record.getMessage() for record in caplog.records if record.name == "turnout.runtime.probing"]
    line = f"models/wisdom: {told}; deleted versions are held for a time"
    assert said == ([line] if told else [])
    assert probed.condition("Routed") == ("True", "InForce")


def test_a_probe_that_hangs_is_not_asked_again_meanwhile(probed: Bed, probe: ToyProbe) -> None:
    probe.says = hang
    seconds_to_go(probed, "wisdom-1")
    assert len(probe.asked) == 1


def test_what_is_wrong_again_is_logged_again(
    probed: Bed, probe: ToyProbe, caplog: pytest.LogCaptureFixture
) -> None:
    def told() -> int:
        return sum("raised OSError" in record.getMessage() for record in caplog.records)

    probe.says = fail
    probed.delete(isvc("wisdom-1"))
    probed.until(lambda: told() == 1)
    asked = len(probe.asked)
    probe.says = False
    probed.until(lambda: len(probe.asked) > asked + 1)  # the first of these has been answered
    assert told() == 1
    probe.says = fail
    probed.until(lambda: told() == 2)


def test_a_probe_that_the_settings_do_not_name_is_not_asked(
    make_bed: Callable[..., Bed], probe: ToyProbe
) -> None:
    bed = make_bed(probe)
    probe.says = True
    bed.version("wisdom-0")
    bed.version("wisdom-1")
    bed.policy()
    bed.start(drain=DRAIN)
    bed.until(lambda: bed.shares() == BOTH)
    assert seconds_to_go(bed, "wisdom-1") >= HELD
    assert probe.asked == []


def test_a_probe_of_another_router_is_not_asked(make_bed: Callable[..., Bed], probe: ToyProbe) -> None:
    probe.router = "toy-table"  # type: ignore[misc]
    bed = make_bed(probe)
    probe.says = True
    bed.version("wisdom-0")
    bed.version("wisdom-1")
    bed.policy()
    bed.start(settings=SETTINGS)
    bed.until(lambda: bed.shares() == BOTH)
    assert seconds_to_go(bed, "wisdom-1") >= HELD
    assert probe.asked == []


def test_of_several_probes_one_that_knows_is_enough_and_one_that_objects_too(
    make_bed: Callable[..., Bed],
) -> None:
    class Other(ToyProbe):
        name = "toy-other"

    one, other = ToyProbe(True), Other(None)
    bed = make_bed(one, other)
    for name in ("wisdom-0", "wisdom-1", "wisdom-2"):
        bed.version(name)
    bed.policy(modelVersions=[{"name": f"wisdom-{number}"} for number in range(3)])
    bed.start(settings={"plugins": {"toy-probe": FIXED, "toy-other": FIXED}, "drain": DRAIN})
    bed.until(lambda: len(bed.shares()) == 3)
    bed.sleep(PROPAGATION)
    assert seconds_to_go(bed, "wisdom-2") < SOON
    other.says = False
    assert seconds_to_go(bed, "wisdom-1") > LIMIT - SLACK


# who is asked about what, and when


def test_nobody_is_asked_while_no_deletion_waits(probed: Bed, probe: ToyProbe) -> None:
    """Whatever happens to the routes; nor is anybody once the proxies carry them."""
    probe.says = True
    probed.weights(wisdom_0=20, wisdom_1=80)
    probed.until(lambda: probed.shares() == {"wisdom-0": 20, "wisdom-1": 80})
    probed.restart(settings=SETTINGS)
    probed.settle()
    assert probe.asked == []
    seconds_to_go(probed, "wisdom-1")
    assert len(probe.asked) == 1
    probed.settle()
    assert len(probe.asked) == 1


def test_nobody_is_asked_before_the_routes_have_moved(probed: Bed, probe: ToyProbe) -> None:
    """What the proxies carry until then leads to the version."""
    probe.says = True
    probed.cluster.on_request = refuse(kind=VIRTUAL_SERVICE, verb="apply")
    probed.delete(isvc("wisdom-1"))
    probed.sleep(HELD)
    assert probe.asked == []


def test_it_is_asked_every_half_second(probed: Bed, probe: ToyProbe) -> None:
    probe.says = False
    probed.delete(isvc("wisdom-1"))
    probed.until(lambda: probe.asked)
    before = len(probe.asked)
    probed.sleep(5.0)
    assert 2 <= len(probe.asked) - before <= 11


def test_it_is_asked_about_the_routes_as_they_were_written(probed: Bed, probe: ToyProbe) -> None:
    probe.says = True
    seconds_to_go(probed, "wisdom-1")
    ((route,),) = probe.asked
    assert (route.kind, route.namespace, route.name) == (VIRTUAL_SERVICE, "models", "wisdom")
    assert route.body == {"spec": probed.get(vs())["spec"]}


def test_a_later_write_of_the_routes_asks_anew(probed: Bed, probe: ToyProbe) -> None:
    """What was said of those before does not count."""
    probe.says = True
    probed.version("wisdom-2")
    probed.policy(modelVersions=[{"name": f"wisdom-{number}"} for number in range(3)])
    probed.until(lambda: len(probed.shares()) == 3)
    probed.sleep(PROPAGATION)
    probed.delete(isvc("wisdom-2"))
    probed.until(lambda: len(probe.asked) == 1)
    probed.sleep(0.2)  # the answer is known
    probe.says = False
    probed.weights(wisdom_0=20, wisdom_1=80)
    probed.until(lambda: probed.shares() == {"wisdom-0": 20, "wisdom-1": 80})
    probed.sleep(HELD + SLACK)
    assert not gone(probed, "wisdom-2")
    probe.says = True
    probed.until(lambda: gone(probed, "wisdom-2"), within=AFTER)


def test_routes_that_come_back_count_once_those_in_between_are_over(probed: Bed, probe: ToyProbe) -> None:
    """A proxy that carries them may not have got the others yet, and may still get them."""
    probe.says = True
    probed.ready("wisdom-1", False)
    probed.until(lambda: probed.shares() == {"wisdom-0": 100})
    probed.sleep(2 * HELD)
    probed.ready("wisdom-1", True)
    probed.until(lambda: probed.shares() == BOTH)
    probed.ready("wisdom-1", False)
    probed.until(lambda: probed.shares() == {"wisdom-0": 100})
    assert HELD - AFTER <= seconds_to_go(probed, "wisdom-1") < LIMIT - SLACK


def test_a_restart_asks_again(probed: Bed, probe: ToyProbe) -> None:
    """The answer was in memory alone."""
    probe.says = False
    probed.delete(isvc("wisdom-1"))
    probed.sleep(2.0)
    probe.asked.clear()
    probed.restart(settings=SETTINGS)
    probed.sleep(HELD + SLACK)
    assert probe.asked
    assert not gone(probed)
    probe.says = True
    probed.until(lambda: gone(probed), within=AFTER)


def test_a_restart_may_end_a_drain_early_as_well(probed: Bed, probe: ToyProbe) -> None:
    probe.says = None
    probed.delete(isvc("wisdom-1"))
    probed.until(lambda: probe.asked)
    probe.says = True
    began = probed.now()
    probed.restart(settings=SETTINGS)
    probed.until(lambda: gone(probed))
    assert (probed.now() - began).total_seconds() < PROPAGATION


def test_a_suspended_policy_is_asked_about_as_well(probed: Bed, probe: ToyProbe) -> None:
    """Its routes stay, and may have left a version before."""
    probe.says = False
    probed.ready("wisdom-1", False)
    probed.until(lambda: probed.shares() == {"wisdom-0": 100})
    probed.policy(suspend=True)
    probed.until(lambda: probed.condition("Routed") == ("True", "Suspended"))
    probed.delete(isvc("wisdom-1"))
    probed.sleep(HELD + SLACK)
    assert not gone(probed)
    probe.says = True
    probed.until(lambda: gone(probed), within=AFTER)


def test_the_routes_of_all_policies_have_to_be_carried(probed: Bed, probe: ToyProbe) -> None:
    """One of whose routes proxies are behind holds the version for all."""
    probed.policy("other", modelVersions=[{"name": "wisdom-0"}, {"name": "wisdom-1"}])
    probed.until(lambda: probed.shares("other") == BOTH)
    probed.sleep(PROPAGATION)
    probe.says = by_policy(wisdom=True, other=False)
    probed.delete(isvc("wisdom-1"))
    probed.sleep(HELD + SLACK)
    assert not gone(probed)
    probe.says = by_policy(wisdom=True, other=True)
    probed.until(lambda: gone(probed), within=AFTER)


def test_a_version_that_left_its_policy_is_protected_while_a_proxy_is_behind(
    probed: Bed, probe: ToyProbe
) -> None:
    probe.says = False
    probed.policy(modelVersions=[{"name": "wisdom-0"}])
    probed.until(lambda: probed.shares() == {"wisdom-0": 100})
    probed.sleep(HELD + SLACK)
    assert probed.protected("wisdom-1")
    probe.says = True
    probed.until(lambda: not probed.protected("wisdom-1"), within=AFTER)


def test_routes_that_are_gone_leave_it_to_time(probed: Bed, probe: ToyProbe) -> None:
    """There is nothing to ask about."""
    probe.says = False
    probed.delete(isvc("wisdom-1"))
    probed.until(lambda: probe.asked)
    probed.delete(rp())
    probed.until(lambda: gone(probed), within=LIMIT - 2 * SLACK)


def test_a_policy_that_names_a_probe_is_refused(probed: Bed) -> None:
    """Or a tenant could choose the address that the controller calls."""
    probed.policy(config={"toy-probe": {"address": "169.254.169.254:80"}})
    probed.until(lambda: probed.condition("Accepted") == ("False", "InvalidSpec"))
    assert probed.message("Accepted") == (
        "spec.config.toy-probe: only the administrator's settings give options of toy-probe; leave it out"
    )
