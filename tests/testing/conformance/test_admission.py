"""The suite of admission checks."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import pytest
from pydantic import SecretStr

from tests.testing.conformance.checking import Broken, checks, failures
from turnout.plugin import AdmissionCheck, Fault, Options, Policy
from turnout.testing.conformance import AdmissionConformance
from turnout.testing.conformance.pure import PureConformance

POLICY = """
apiVersion: turnout.dev/v1alpha1
kind: RoutingPolicy
metadata: {name: wisdom, labels: {owner: %s}}
spec:
  targetEnv: kserve-modelmesh
  trafficStrategy: blue-green
  modelVersions: [{name: wisdom-0, weight: 20}, {name: wisdom-1}]
"""


class OwnedOptions(Options):
    """Who may own models."""

    key: SecretStr = SecretStr("correct-horse")
    """What the list of owners is signed with."""


class SoundCheck(AdmissionCheck[OwnedOptions]):
    """A policy has an owner who is somebody."""

    name = "sound-owned"
    options = OwnedOptions

    def admit(self, policy: Policy, document: Mapping[str, Any], options: OwnedOptions) -> Iterable[Any]:
        owner = document["metadata"].get("labels", {}).get("owner")
        if owner in (None, "nobody"):
            yield Fault("metadata.labels.owner", f"found {owner}, expected whom to call at night")


class Presumes(SoundCheck):
    """That every policy has labels."""

    def admit(self, policy: Policy, document: Mapping[str, Any], options: OwnedOptions) -> Iterable[Any]:
        document["metadata"]["labels"]
        return super().admit(policy, document, options)


class Vague(SoundCheck):
    def admit(self, policy: Policy, document: Mapping[str, Any], options: OwnedOptions) -> Iterable[Any]:
        return [Fault("owner", one.message) for one in super().admit(policy, document, options)]


class Wordy(SoundCheck):
    def admit(self, policy: Policy, document: Mapping[str, Any], options: OwnedOptions) -> Iterable[Any]:
        return [one.message for one in super().admit(policy, document, options)]


class Strict(SoundCheck):
    def admit(self, policy: Policy, document: Mapping[str, Any], options: OwnedOptions) -> Iterable[Any]:
        yield Fault("spec", "found something")


class Lenient(SoundCheck):
    def admit(self, policy: Policy, document: Mapping[str, Any], options: OwnedOptions) -> Iterable[Any]:
        return ()


class Spills(SoundCheck):
    def admit(self, policy: Policy, document: Mapping[str, Any], options: OwnedOptions) -> Iterable[Any]:
        told = options.key.get_secret_value()
        return [Fault(one.path, told) for one in super().admit(policy, document, options)]


class Marks(SoundCheck):
    def admit(self, policy: Policy, document: Mapping[str, Any], options: OwnedOptions) -> Iterable[Any]:
        found = list(super().admit(policy, document, options))
        document["metadata"]["seen"] = "true"
        return found


class InOfficeHours(SoundCheck):
    def admit(self, policy: Policy, document: Mapping[str, Any], options: OwnedOptions) -> Iterable[Any]:
        return super().admit(policy, document, options) if datetime.now().hour < 25 else ()


def of(plugin: type[SoundCheck], **given: Any) -> type[AdmissionConformance]:
    """A suite of that plugin."""
    suite = {"plugin": plugin(), "admitted": POLICY % "ann", "refused": POLICY % "nobody", **given}
    return type(plugin.__name__, (AdmissionConformance,), suite)


BROKEN = (
    Broken(of(Presumes), "test_faults_name_a_field_of_the_document", "without labels with options {}: found"),
    Broken(
        of(Vague), "test_faults_name_a_field_of_the_document", 'found the path "owner"; expected one that'
    ),
    Broken(of(Wordy), "test_faults_name_a_field_of_the_document", "expected Faults such as"),
    Broken(of(Strict), "test_it_admits_what_it_should", "found spec: found something; expected no fault"),
    Broken(of(Lenient), "test_it_refuses_what_it_should", "found no fault; expected one at least"),
    Broken(of(Spills), "test_secret_options_are_in_no_fault", "the value of a secret option"),
    Broken(of(Marks), "test_arguments_are_left_as_they_were", "metadata.seen is in one of them alone"),
    Broken(of(InOfficeHours), "test_calls_do_no_io", "the clock (datetime.now)"),
)


def test_a_sound_check_passes() -> None:
    assert failures(of(SoundCheck), elsewhere=True) == {}


@pytest.mark.parametrize("broken", BROKEN, ids=lambda one: f"{one}-{one.suite.__name__}")
def test_a_broken_rule_fails_its_check_alone(broken: Broken) -> None:
    found = failures(broken.suite)

    assert list(found) == [broken.check]
    assert broken.says in found[broken.check]


def test_every_check_of_its_own_can_fail() -> None:
    own = set(checks(AdmissionConformance)) - set(checks(PureConformance))
    assert {broken.check for broken in BROKEN} >= own


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"refused": AdmissionConformance.refused}, "refused: is missing, expected RoutingPolicies that"),
        ({"admitted": []}, "admitted: found [], expected RoutingPolicies that it admits, such as admitted ="),
        ({"admitted": "---"}, "admitted: found null, expected objects"),
        ({"refused": POLICY.replace("blue-green", "[]") % "x"}, "spec.trafficStrategy: found []"),
    ],
)
def test_what_a_suite_lacks_is_told_once(given: dict[str, Any], says: str) -> None:
    found = failures(of(SoundCheck, **given))

    assert list(found) == ["test_the_suite_has_what_it_needs"]
    assert says in found["test_the_suite_has_what_it_needs"]
