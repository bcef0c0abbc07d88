"""An organisation's check that fails for one policy costs no other its routes."""

import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import pytest

from tests.runtime.harness import Bed
from turnout.plugin import AdmissionCheck, Fault, Options, Policy

SETTINGS: dict[str, Any] = {"plugins": {"moody": {}}}
HALVES = "owl-0 50% / owl-1 50%"


class Moody(AdmissionCheck[Options]):
    """Hangs, or fails, for the policies that it is told."""

    name = "moody"
    options = Options

    def __init__(self) -> None:
        self.hangs: set[str] = set()
        self.fails: set[str] = set()
        self.minds: set[str] = set()

    def admit(self, policy: Policy, document: Mapping[str, Any], options: Options) -> Iterable[Fault]:
        if policy.name in self.hangs:
            time.sleep(0.5)  # twice the limit, where seconds are those of the rollouts
        if policy.name in self.fails:
            raise ValueError(policy.name)
        return [Fault("metadata.name", "is not liked")] if policy.name in self.minds else []


@pytest.fixture
def check() -> Moody:
    return Moody()


@pytest.fixture
def owl(make_bed: Callable[..., Bed], check: Moody) -> Bed:
    """An accepted policy, whose two versions share the calls."""
    bed = make_bed(check)
    for name in ("owl-0", "owl-1", "wren-0"):
        bed.version(name)
    bed.policy("owl")
    bed.start(settings=SETTINGS)
    bed.until(lambda: bed.split("owl") == HALVES)
    bed.settle()
    return bed


def test_one_that_hangs_for_a_policy_accepts_others(owl: Bed, check: Moody) -> None:
    check.hangs.add("evil")
    owl.policy("evil")
    owl.until(lambda: owl.condition("Accepted", "evil") == ("False", "PluginFailed"))
    assert owl.message("Accepted", "evil").startswith(
        "plugin moody for models/evil: did not return within 5 s"
    )
    owl.policy("wren")
    owl.until(lambda: owl.split("wren") == "wren-0 100%")


@pytest.mark.parametrize("how", ["fails", "hangs"])
def test_an_accepted_policy_outlives_a_restart(
    owl: Bed, check: Moody, how: str, caplog: pytest.LogCaptureFixture
) -> None:
    """It is served as before, a lost version among what it is served for, and asked about again."""
    getattr(check, how).add("owl")
    owl.restart(settings=SETTINGS)
    owl.ready("owl-0", False)
    owl.until(lambda: owl.split("owl") == "owl-1 100%")
    assert owl.condition("Accepted", "owl") == ("True", "Valid")
    owl.sleep(40)
    told = [line for line in caplog.messages if line.endswith("; the policy stays accepted")]
    assert len(told) == 1
    assert told[0].startswith("models/owl: plugin moody")

    getattr(check, how).clear()
    check.minds.add("owl")
    owl.until(lambda: owl.condition("Accepted", "owl") == ("False", "NotAdmitted"), within=100)


def test_a_changed_policy_is_not_accepted_by_the_word_of_before(owl: Bed, check: Moody) -> None:
    check.fails.add("owl")
    owl.policy("owl", modelVersions=[{"name": "owl-0"}])
    owl.until(lambda: owl.condition("Accepted", "owl") == ("False", "PluginFailed"))
    assert owl.split("owl") == HALVES
