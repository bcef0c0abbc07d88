"""An organisation's own checks of policies."""

from typing import Any

import pytest

from tests.decision.world import PLUGINS
from tests.toys.around import ToyCheck
from turnout.calling import Calls, Sentence
from turnout.decision.assess import Assessment, Assessor
from turnout.decision.declare import Admitted
from turnout.reasons import Reason
from turnout.registry import Registry
from turnout.settings import Settings


def admitted(
    check: ToyCheck,
    labels: dict[str, str] | None = None,
    settings: dict[str, Any] | None = None,
    *,
    before: dict[str, Any] | None = None,
    weights: dict[str, Any] | None = None,
    calls: Calls | None = None,
) -> Admitted | Assessment:
    """What comes of a policy with these labels, with the check in use unless the settings say otherwise.

    `before`: the condition that it has.
    """
    given = {"plugins": {"toy-check": {}}} if settings is None else settings
    document: dict[str, Any] = {
        "apiVersion": "turnout.dev/v1alpha1",
        "kind": "RoutingPolicy",
        "metadata": {"name": "wisdom", "namespace": "models", "labels": labels or {}, "generation": 2},
        "spec": {
            "targetEnv": "kserve-modelmesh",
            "trafficStrategy": "blue-green",
            "modelVersions": [{"name": "wisdom-0"}],
        },
    }
    if before:
        document["status"] = {"conditions": [before]}
    assessor = Assessor(Registry.of(*PLUGINS, check), Settings.of(given))
    return assessor.admit(document, weights, calls or Calls())


def test_a_fault_refuses_the_policy_by_the_name_of_the_check() -> None:
    found = admitted(ToyCheck())
    assert isinstance(found, Assessment)
    assert found.failure == (
        Reason.NOT_ADMITTED,
        "metadata.labels.team: is missing: whose model is it? (toy-check)",
    )


def test_a_policy_without_faults_is_admitted() -> None:
    assert isinstance(admitted(ToyCheck(), {"team": "a"}), Admitted)


def test_options_come_from_the_settings() -> None:
    settings = {"plugins": {"toy-check": {"fixed": {"label": "owner"}}}}
    assert isinstance(admitted(ToyCheck(), {"owner": "a"}, settings), Admitted)


def test_a_check_without_an_entry_in_the_settings_is_not_asked() -> None:
    assert isinstance(admitted(ToyCheck(), settings={}), Admitted)


def test_one_that_fails_marks_the_policy_with_its_name() -> None:
    found = admitted(ToyCheck(ValueError("a fault of mine")))
    assert isinstance(found, Assessment)
    told = "plugin toy-check: admit raised ValueError: a fault of mine"
    assert found.failure == (Reason.PLUGIN_FAILED, told)


# one that fails for a policy that was accepted before

ACCEPTED = {"type": "Accepted", "status": "True", "observedGeneration": 2}
BROKEN = "plugin toy-check: admit raised ValueError: a fault of mine"
HANGS = {"toy-check": Sentence(9.0, 9.0, "did not return")}


def broken() -> ToyCheck:
    return ToyCheck(ValueError("a fault of mine"))


def test_a_policy_that_was_accepted_as_it_stands_stays_so() -> None:
    found = admitted(broken(), before=ACCEPTED)
    assert isinstance(found, Admitted)
    assert found.accepted.unchecked == BROKEN


def test_it_stays_so_while_the_check_is_in_quarantine() -> None:
    found = admitted(ToyCheck([]), before=ACCEPTED, calls=Calls(HANGS))
    assert isinstance(found, Admitted)
    assert found.accepted.unchecked == "plugin toy-check: did not return"


@pytest.mark.parametrize(
    "before",
    [
        {**ACCEPTED, "status": "False"},
        {**ACCEPTED, "observedGeneration": 1},
        {**ACCEPTED, "type": "Ready"},
        {"type": "Accepted", "status": "True"},
    ],
    ids=["refused", "changed", "another condition", "no generation"],
)
def test_any_other_is_not_accepted(before: dict[str, Any]) -> None:
    found = admitted(broken(), before=before)
    assert isinstance(found, Assessment)
    assert found.failure == (Reason.PLUGIN_FAILED, BROKEN)


def test_what_a_check_says_counts_whatever_was_said_before() -> None:
    """The settings may have changed, or the labels."""
    found = admitted(ToyCheck(), before=ACCEPTED)
    assert isinstance(found, Assessment)
    assert found.failure
    assert found.failure[0] is Reason.NOT_ADMITTED


@pytest.mark.parametrize("known", [True, False])
def test_new_weights_are_not_accepted_by_the_word_of_before(known: bool) -> None:
    """A check sees the policy with them."""
    weights: dict[str, Any] = {
        "apiVersion": "turnout.dev/v1alpha1",
        "kind": "TrafficWeights",
        "metadata": {"name": "wisdom", "namespace": "models", "generation": 2},
        "spec": {"weights": {"wisdom-0": 20}},
        "status": {"conditions": [ACCEPTED] if known else []},
    }
    found = admitted(broken(), before=ACCEPTED, weights=weights)
    assert isinstance(found, Admitted if known else Assessment)
