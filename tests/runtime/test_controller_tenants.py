"""Policies of several namespaces that may reach into one they share: a host stays with whoever has it."""

import time
from typing import Any

import pytest

from tests.runtime.harness import Bed, policy, rp, version, vs
from turnout.plugin import Ref
from turnout_kserve_modelmesh.environment import INFERENCE_SERVICE

A, B, SHARED = "team-a", "team-b", "shared"
SETTINGS = {"allowNamespaces": {A: [SHARED], B: [SHARED]}}
ACCEPTED = ("True", "Valid")
HOST = f"wisdom.{SHARED}"


class Teams:
    """Two teams, each with a version that is ready; ModelMesh serves both in a namespace that they share."""

    def __init__(self, bed: Bed) -> None:
        self.bed = bed
        for team in (A, B):
            bed.cluster.apply_manifest(version("wisdom-0"), namespace=team)
            ready = {"conditions": [{"type": "Ready", "status": "True"}]}
            bed.cluster.set_status(Ref(INFERENCE_SERVICE, team, "wisdom-0"), ready)

    def apply(self, team: str, *, shared: bool = True) -> None:
        """A team applies its policy, whose model is called in the shared namespace, or in its own."""
        namespace = SHARED if shared else team
        made = policy(
            modelVersions=[{"name": "wisdom-0"}], config={"kserve-modelmesh": {"namespace": namespace}}
        )
        self.bed.cluster.apply_manifest(made, namespace=team)

    def start(self) -> None:
        self.bed.start(namespaces=None, settings=SETTINGS)

    def accepted(self, team: str) -> tuple[str, str]:
        condition = self._condition(team)
        return condition.get("status", ""), condition.get("reason", "")

    def told(self, team: str) -> str:
        return str(self._condition(team).get("message"))

    def serves(self, team: str) -> bool:
        """Whether calls in the shared namespace go to the team's versions."""
        found = self.bed.cluster.get(vs(namespace=team))
        return found is not None and HOST in found["spec"]["hosts"]

    def _condition(self, team: str) -> dict[str, Any]:
        found = self.bed.cluster.get(rp(namespace=team)) or {}
        conditions = found.get("status", {}).get("conditions", ())
        return next((one for one in conditions if one["type"] == "Accepted"), {})


@pytest.fixture
def teams(bed: Bed) -> Teams:
    return Teams(bed)


@pytest.fixture
def taken(teams: Teams) -> Teams:
    """Team B serves the host, and team A, which is older, does not."""
    teams.apply(A, shared=False)
    time.sleep(1.1)  # the API server stamps whole seconds
    teams.apply(B)
    teams.start()
    teams.bed.until(lambda: teams.serves(B) and teams.bed.exists(vs(namespace=A)))
    return teams


def test_of_two_at_once_the_older_has_it_and_the_other_is_told_whose_it_is(teams: Teams) -> None:
    """Whichever is looked at first."""
    teams.apply(B)
    time.sleep(1.1)
    teams.apply(A)
    teams.start()
    teams.bed.until(lambda: teams.accepted(A) == ("False", "HostTaken") and teams.accepted(B) == ACCEPTED)
    told = "host wisdom.shared is that of policy team-b/wisdom; give the policy another modelName"
    assert teams.told(A) == told
    teams.bed.settle()
    assert (teams.serves(A), teams.serves(B)) == (False, True)


def test_one_that_is_served_cannot_be_taken_by_an_older_policy(taken: Teams) -> None:
    taken.apply(A)
    taken.bed.until(lambda: taken.accepted(A) == ("False", "HostTaken"))
    taken.bed.settle()
    assert not taken.serves(A)
    assert taken.accepted(B) == ACCEPTED


def test_nor_while_no_controller_runs(taken: Teams) -> None:
    taken.bed.kill()
    taken.apply(A)
    mark = len(taken.bed.writes)
    taken.start()
    taken.bed.until(lambda: taken.accepted(A) == ("False", "HostTaken"))
    taken.bed.settle()
    assert not [one for one in taken.bed.writes[mark:] if "virtualservices" in one]


def test_it_is_free_once_its_policy_has_gone(taken: Teams) -> None:
    taken.apply(A)
    taken.bed.until(lambda: taken.accepted(A) == ("False", "HostTaken"))
    taken.bed.delete(rp(namespace=B))
    taken.bed.until(lambda: taken.serves(A) and taken.accepted(A) == ACCEPTED)


def test_it_is_free_once_its_policy_has_another(taken: Teams) -> None:
    taken.apply(A)
    taken.bed.until(lambda: taken.accepted(A) == ("False", "HostTaken"))
    taken.apply(B, shared=False)
    taken.bed.until(lambda: taken.serves(A) and not taken.serves(B))


def test_a_policy_that_cannot_be_accepted_keeps_nobody_waiting(teams: Teams) -> None:
    teams.bed.cluster.apply_manifest(policy(trafficStrategy="unheard-of"), namespace=B)
    teams.apply(A)
    teams.start()
    teams.bed.until(lambda: teams.serves(A))
