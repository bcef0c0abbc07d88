"""An organisation's own checks of policies."""

from typing import Any

from tests.decision.world import PLUGINS
from tests.toys.around import ToyCheck
from turnout.calling import Calls
from turnout.decision.assess import Assessment, Assessor
from turnout.decision.declare import Admitted
from turnout.reasons import Reason
from turnout.registry import Registry
from turnout.settings import Settings


def admitted(
    check: ToyCheck, labels: dict[str, str] | None = None, settings: dict[str, Any] | None = None
) -> Admitted | Assessment:
    """What comes of a policy with these labels, with the check in use unless the settings say otherwise."""
    given = {"plugins": {"toy-check": {}}} if settings is None else settings
    document = {
        "apiVersion": "turnout.dev/v1alpha1",
        "kind": "RoutingPolicy",
        "metadata": {"name": "wisdom", "namespace": "models", "labels": labels or {}},
        "spec": {
            "targetEnv": "kserve-modelmesh",
            "trafficStrategy": "blue-green",
            "modelVersions": [{"name": "wisdom-0"}],
        },
    }
    assessor = Assessor(Registry.of(*PLUGINS, check), Settings.of(given))
    return assessor.admit(document, None, Calls())


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
