"""`turnout weights` and `turnout abort`, on a cluster in memory."""

import asyncio
import json
from datetime import UTC, datetime
from typing import Any

import pytest

import turnout
from tests.cli.test_rollouts import cluster as policies
from tests.cli.test_rollouts import run
from tests.client.policies import WISDOM, status
from tests.client.test_weights import decided, spec
from turnout import loading
from turnout.cli.abort import _aborted
from turnout.cli.shifting import Shift, _stands
from turnout.client import NotShiftedError
from turnout.decision.shares import share_of
from turnout.documents import Sourced
from turnout.names import TRAFFIC_WEIGHTS
from turnout.offline import Offline
from turnout.plugin import Ref
from turnout.rollout import Rollout
from turnout.runtime.transport import ConnectionFailed, Request
from turnout.settings import Settings
from turnout.testing.memory import InMemoryCluster, StatusError
from turnout_kserve_modelmesh.environment import INFERENCE_SERVICE

__all__ = ["policies"]

CANDIDATE = Ref(INFERENCE_SERVICE, "models", "wisdom-1")


@pytest.fixture
def cluster(policies: InMemoryCluster) -> InMemoryCluster:
    """With the policy at 20 to 80, by whatever weights."""
    policies.install(TRAFFIC_WEIGHTS)
    policies.set_status(WISDOM, decided(20, 80))
    return policies


def three(cluster: InMemoryCluster) -> None:
    versions = [{"name": f"wisdom-{number}"} for number in range(3)]
    cluster.patch(WISDOM, {"spec": {"modelVersions": versions, "primary": "wisdom-1"}})


class TestWeights:
    @pytest.mark.parametrize(
        "arguments",
        [
            ("20/80",),
            ("20%/80%",),
            ("wisdom-0=20", "wisdom-1=80"),
            ("wisdom-1=80,wisdom-0=20",),
            ("candidate=80%",),
            ("primary=20%",),
            ("primary=20", "candidate=80"),
        ],
    )
    def test_are_written_in_many_ways(self, cluster: InMemoryCluster, arguments: tuple[str, ...]) -> None:
        done = run("weights", "wisdom", *arguments)
        assert done.exit_code == 0, done.stderr
        assert spec(cluster) == {"weights": {"wisdom-0": 20, "wisdom-1": 80}}
        both = "wisdom-0 20% / wisdom-1 80%"
        assert (done.stdout, done.stderr) == (f"before: {both}\nafter:  {both}\n", "")

    @pytest.mark.parametrize(
        ("arguments", "expected"),
        [
            (("1/2/3",), {"wisdom-0": 1, "wisdom-1": 2, "wisdom-2": 3}),
            (("wisdom-2=7",), {"wisdom-2": 7}),
            (("wisdom-0=0",), {"wisdom-0": 0}),
            (("primary=60%", "wisdom-2=30%"), {"wisdom-0": 10, "wisdom-1": 60, "wisdom-2": 30}),
            (("primary=100%",), {"wisdom-0": 0, "wisdom-1": 100, "wisdom-2": 0}),
        ],
    )
    def test_are_of_any_number_of_versions(
        self, cluster: InMemoryCluster, arguments: tuple[str, ...], expected: dict[str, int]
    ) -> None:
        three(cluster)
        done = run("weights", "wisdom", *arguments, "--no-wait")
        assert done.exit_code == 0, done.stderr
        assert spec(cluster) == {"weights": expected}

    def test_are_data(self, cluster: InMemoryCluster) -> None:
        found = json.loads(run("weights", "wisdom", "20/80", "-o", "json").stdout)
        assert found["weights"] == {"wisdom-0": 20, "wisdom-1": 80}
        assert found["before"]["split"] == found["after"]["split"] == "wisdom-0 20% / wisdom-1 80%"
        found = json.loads(run("weights", "wisdom", "--reset", "--no-wait", "-o", "json").stdout)
        assert (found["weights"], found["after"]) == (None, None)

    def test_need_not_be_waited_for(self, cluster: InMemoryCluster) -> None:
        done = run("weights", "wisdom", "1/1", "--no-wait")
        told = "routingpolicy.turnout.dev/wisdom has wisdom-0=1 wisdom-1=1, in force: wisdom-0 20% / wisdom-1 80%"
        assert (done.exit_code, done.stdout) == (0, f"{told}\n")

    def test_are_reset(self, cluster: InMemoryCluster) -> None:
        run("weights", "wisdom", "20/80")
        cluster.set_status(WISDOM, status("50%", "50%"))
        done = run("weights", "wisdom", "--reset")
        assert (done.exit_code, done.stdout.splitlines()[-1]) == (0, "after:  wisdom-0 50% / wisdom-1 50%")
        assert spec(cluster) is None

    def test_of_a_version_that_is_not_ready_are_noted(self, cluster: InMemoryCluster) -> None:
        said = decided(20, 80)
        said["versions"][1] |= {"ready": "False", "message": "not ready: loading", "share": "0%"}
        cluster.set_status(WISDOM, said)
        done = run("weights", "wisdom", "20/80")
        assert done.exit_code == 0
        assert done.stderr == "Note: wisdom-1 gets its share once it is ready: not ready: loading\n"

    def test_in_time_or_not(self, cluster: InMemoryCluster) -> None:
        done = run("weights", "wisdom", "1/1", "--timeout=200ms")
        assert (done.exit_code, done.stdout) == (6, "")
        assert done.stderr.splitlines()[-1].endswith(
            "not within 0.2 s: no controller has looked at the traffic weights; is it running?"
        )

    def test_of_a_suspended_policy_are_not_written(self, cluster: InMemoryCluster) -> None:
        """Unless that is all that is wanted."""
        cluster.patch(WISDOM, {"spec": {"suspend": True}})
        done = run("weights", "wisdom", "20/80")
        assert (done.exit_code, done.stdout, spec(cluster)) == (1, "", None)
        assert done.stderr.startswith("Error: RoutingPolicy models/wisdom is suspended: ")
        assert run("weights", "wisdom", "20/80", "--no-wait").exit_code == 0
        assert spec(cluster)

    @pytest.mark.parametrize(
        ("arguments", "code", "told"),
        [
            (("wisdm", "20/80"), 5, "no RoutingPolicy models/wisdm; did you mean wisdom?"),
            (("wisdom",), 2, "expected weights, such as 20/80, or --reset"),
            (("wisdom", "20/80", "--reset"), 2, "expected weights, such as 20/80, or --reset"),
            (("wisdom", "20/80/1"), 2, "models/wisdom: found 3 weights, expected 2: of wisdom-0, wisdom-1"),
            (("wisdom", "80"), 2, 'found "80", expected VERSION=WEIGHT, such as 20/80, wisdom-1=80'),
            (("wisdom", "wisdom-0=1.5"), 2, 'found "1.5", expected a whole weight from 0 to 1000000'),
            (("wisdom", "wisdom-0=1000001"), 2, 'found "1000001", expected a whole weight'),
            (("wisdom", "wisdom-0=-1"), 2, 'found "-1", expected a whole weight'),
            (("wisdom", "wisdom-0=\u0662"), 2, "expected a whole weight"),
            (("wisdom", "wisdom-0="), 2, 'found "", expected a whole weight'),
            (("wisdom", "=20"), 2, 'found "=20", expected VERSION=WEIGHT'),
            (("wisdom", "wisdom-0=20%", "wisdom-1=80"), 2, "expected weights or percentages, not both"),
            (("wisdom", "wisdom-2=20"), 2, 'has no version "wisdom-2", it has wisdom-0, wisdom-1; did you'),
            (("wisdom", "primary=1", "wisdom-0=2"), 2, "wisdom-0 comes twice"),
            (("wisdom", "0/0"), 2, "found 0 for each version of RoutingPolicy models/wisdom, expected"),
            (("wisdom", "20%/70%"), 2, "found 90% in all, expected 100%"),
            (("wisdom", "candidate=120%"), 2, "found 120% in all, expected 100%"),
            (("mill", "20/80", "--context=no"), 3, "the context 'no' is none"),
        ],
    )
    def test_that_are_wrong_are_one_line(
        self, cluster: InMemoryCluster, arguments: tuple[str, ...], code: int, told: str
    ) -> None:
        done = run("weights", *arguments)
        assert (done.exit_code, done.stdout, spec(cluster)) == (code, "", None)
        last = done.stderr.splitlines()[-1]
        assert last.startswith("Error: ")
        assert told in last

    @pytest.mark.parametrize(
        ("arguments", "told"),
        [
            (
                ("candidate=20%",),
                "has 2 candidates, expected the name of one of wisdom-0, wisdom-1, wisdom-2",
            ),
            (("wisdom-1=20%",), "found 20% in all, expected 100%; wisdom-0, wisdom-2 have none"),
        ],
    )
    def test_of_one_candidate_of_two_have_to_name_it(
        self, cluster: InMemoryCluster, arguments: tuple[str, ...], told: str
    ) -> None:
        three(cluster)
        done = run("weights", "wisdom", *arguments)
        assert done.exit_code == 2
        assert told in done.stderr


class TestAbort:
    def test_gives_all_to_the_primary(self, cluster: InMemoryCluster) -> None:
        said = decided(100, 0)
        said["versions"][1]["share"] = "0%"
        cluster.set_status(WISDOM, said)
        done = run("abort", "wisdom")
        assert (done.exit_code, done.stderr) == (0, "")
        assert spec(cluster) == {"weights": {"wisdom-0": 100, "wisdom-1": 0}}

    def test_tells_that_a_candidate_keeps_its_calls(self, cluster: InMemoryCluster) -> None:
        """As where the primary is not ready, and routes are held."""
        cluster.set_status(WISDOM, decided(100, 0, ready="False"))
        done = run("abort", "wisdom")
        assert done.exit_code == 1
        assert done.stderr == "Error: calls still go to wisdom-1: Ready is False: Ready\n"

    def test_is_of_the_policys_primary(self, cluster: InMemoryCluster) -> None:
        three(cluster)
        assert run("abort", "wisdom", "--no-wait").exit_code == 0
        assert spec(cluster) == {"weights": {"wisdom-1": 100, "wisdom-0": 0, "wisdom-2": 0}}

    @pytest.mark.parametrize("strategy", ["blue-green", "canary", "mirror"])
    def test_leaves_nothing_to_the_candidate_under_any_strategy(self, strategy: str) -> None:
        """Neither calls nor copies, as the controller decides it."""
        policy = document("RoutingPolicy", "wisdom")
        policy["spec"] = {
            "targetEnv": "kserve-modelmesh",
            "trafficStrategy": strategy,
            "modelVersions": [{"name": "wisdom-0"}, {"name": "wisdom-1"}],
        }
        weights = document("TrafficWeights", "wisdom")
        weights["spec"] = {"weights": _aborted(Rollout.read(policy))}
        settings = Settings()
        known = Offline(loading.load_for(settings), settings, datetime.now(UTC), assume_ready=True)
        versions = [
            document("InferenceService", name, "serving.kserve.io/v1beta1")
            for name in ("wisdom-0", "wisdom-1")
        ]
        for one in versions:
            one["metadata"]["annotations"] = {"serving.kserve.io/deploymentMode": "ModelMesh"}
        shares = [planned_shares(known, [policy, *versions, *extra]) for extra in ([], [weights])]
        assert shares[0] != shares[1] == {"wisdom-0": "100%", "wisdom-1": "0%"}


@pytest.fixture
def aborted(cluster: InMemoryCluster) -> InMemoryCluster:
    """With a primary and a candidate, to which no calls go any more."""
    cluster.install(INFERENCE_SERVICE)
    for name in ("wisdom-0", "wisdom-1"):
        model(cluster, name)
    said = decided(100, 0)
    said["versions"][1]["share"] = "0%"
    cluster.set_status(WISDOM, said)
    return cluster


def model(cluster: InMemoryCluster, name: str) -> None:
    head = {"apiVersion": "serving.kserve.io/v1beta1", "kind": "InferenceService", "metadata": {"name": name}}
    cluster.create(head, namespace="models")


def models(cluster: InMemoryCluster) -> list[str]:
    return [one["metadata"]["name"] for one in cluster.objects(INFERENCE_SERVICE, "models")]


class TestDeleting:
    def test_candidates_are_deleted_and_the_primary_is_not(self, aborted: InMemoryCluster) -> None:
        done = run("abort", "wisdom", "--delete")
        assert (done.exit_code, done.stderr) == (0, "Deleted: wisdom-1\n")
        assert models(aborted) == ["wisdom-0"]
        done = run("abort", "wisdom", "--delete")
        assert (done.exit_code, done.stderr) == (0, "Deleted: no candidate was there\n")

    def test_a_candidate_that_something_holds_is_waited_for(self, aborted: InMemoryCluster) -> None:
        aborted.patch(CANDIDATE, {"metadata": {"finalizers": ["turnout.dev/drain"]}})
        held = "InferenceService models/wisdom-1 is being deleted, held by turnout.dev/drain"
        done = run("abort", "wisdom", "--delete", "--timeout=1s")
        assert done.exit_code == 6
        error = f"Error: RoutingPolicy models/wisdom: not within 1 s: {held}"
        assert done.stderr.splitlines() == [f"Waiting: {held}", error]

        async def released(request: Any, _: Any) -> None:
            if request.method == "DELETE":
                aborted.patch(CANDIDATE, {"metadata": {"finalizers": None}})

        aborted.on_response = released
        assert run("abort", "wisdom", "--delete").stderr == "Deleted: wisdom-1\n"

    def test_nothing_is_deleted_to_which_calls_still_go(self, aborted: InMemoryCluster) -> None:
        aborted.set_status(WISDOM, decided(100, 0, ready="False"))
        done = run("abort", "wisdom", "--delete")
        assert (done.exit_code, models(aborted)) == (1, ["wisdom-0", "wisdom-1"])
        client = turnout.Client(aborted, "models")
        with pytest.raises(NotShiftedError, match="calls still go to wisdom-1: nothing is deleted"):
            asyncio.run(client.delete_candidates("wisdom", timeout=5))
        assert models(aborted) == ["wisdom-0", "wisdom-1"]

    @pytest.mark.parametrize(
        ("said", "told"),
        [
            pytest.param({}, "no controller has looked at it yet", id="no status"),
            pytest.param(
                decided(100, 0, generation=0) | {"versions": []},
                "the controller has not yet seen the policy as it is now",
                id="of another spec",
            ),
        ],
    )
    def test_nothing_is_deleted_where_nobody_knows_where_calls_go(
        self, aborted: InMemoryCluster, said: dict[str, Any], told: str
    ) -> None:
        """As of a policy that was made anew, whose routes are those of the former one."""
        aborted.set_status(WISDOM, said)
        client = turnout.Client(aborted, "models")
        with pytest.raises(NotShiftedError, match=f"where calls go: {told}; nothing is deleted"):
            asyncio.run(client.delete_candidates("wisdom", timeout=5))
        assert models(aborted) == ["wisdom-0", "wisdom-1"]

    def test_a_lost_connection_is_no_end_of_the_wait(self, aborted: InMemoryCluster) -> None:
        aborted.patch(CANDIDATE, {"metadata": {"finalizers": ["turnout.dev/drain"]}})
        looks = 0

        def lost(request: Any) -> None:
            nonlocal looks
            if request.method != "GET" or "inferenceservices/" not in request.path:
                return
            looks += 1
            if looks == 2:
                aborted.patch(CANDIDATE, {"metadata": {"finalizers": None}})
                raise ConnectionFailed("connection refused")

        aborted.on_request = lost
        done = run("abort", "wisdom", "--delete")
        assert (done.exit_code, done.stderr) == (0, "Waiting: connection refused\nDeleted: wisdom-1\n")

    def test_one_of_the_same_name_that_came_since_is_another_one(self, aborted: InMemoryCluster) -> None:
        """It is neither deleted nor waited for."""

        def replaced(request: Any) -> None:
            if request.method == "DELETE":
                aborted.on_request = None
                aborted.delete(CANDIDATE)
                model(aborted, "wisdom-1")

        aborted.on_request = replaced
        done = run("abort", "wisdom", "--delete")
        assert done.exit_code == 1
        told = "InferenceService models/wisdom-1 was replaced meanwhile, and is not deleted"
        assert done.stderr == f"Error: {told}\n"
        assert models(aborted) == ["wisdom-0", "wisdom-1"]

    def test_without_waiting_for_the_routes_nothing_is_deleted(self, aborted: InMemoryCluster) -> None:
        done = run("abort", "wisdom", "--delete", "--no-wait")
        assert done.exit_code == 2
        assert "excludes --no-wait" in done.stderr
        assert spec(aborted) is None

    def test_of_a_policy_whose_objects_nobody_knows_nothing_is_deleted(
        self, aborted: InMemoryCluster
    ) -> None:
        aborted.patch(WISDOM, {"spec": {"targetEnv": "elsewhere"}})
        said = decided(100, 0, generation=2)
        said["versions"][1]["share"] = "0%"
        aborted.set_status(WISDOM, said)
        done = run("abort", "wisdom", "--delete")
        assert done.exit_code == 1
        assert 'UnknownPlugin: unknown environment "elsewhere"' in done.stderr
        assert models(aborted) == ["wisdom-0", "wisdom-1"]


def document(kind: str, name: str, version: str = "turnout.dev/v1alpha1") -> dict[str, Any]:
    return {"apiVersion": version, "kind": kind, "metadata": {"name": name, "namespace": "default"}}


def planned_shares(known: Offline, documents: list[dict[str, Any]]) -> dict[str, str]:
    known.add(Sourced("here", one) for one in documents)
    (planned,) = known.plan()
    outcome = planned.assessment.outcome
    assert planned.problem is None
    assert outcome
    return {one.name: share_of(outcome.plan, one.name) for one in outcome.versions}


def test_an_interruption_says_what_is_there() -> None:
    before = Rollout.read({"metadata": {"name": "wisdom"}})
    assert _stands(Shift()) == "nothing is written."
    assert _stands(Shift(before=before)) == "whether the weights are written is not known."
    assert "are written, and the controller goes on" in _stands(Shift(before=before, written=True))


def test_weights_that_may_not_be_followed_are_told_to_be_written(cluster: InMemoryCluster) -> None:
    """It takes no timeout to say so, and nobody is told to look for a controller."""

    def refused(request: Request) -> None:
        if "fieldSelector" in request.query and "/trafficweights" in request.path:
            raise StatusError(403, "Forbidden", "not for you")

    cluster.on_request = refused
    done = run("weights", "wisdom", "1/1", "--timeout=30s")
    assert done.exit_code == 3
    assert done.stderr.splitlines()[-2:] == [
        "Note: the weights are written, and the controller goes on by itself.",
        "Error: list trafficweights.turnout.dev in models: not for you (403 Forbidden)",
    ]


class TestInterruptedDeletion:
    """Ctrl-C says what is there, by how far it has come."""

    @pytest.mark.parametrize(
        ("verb", "told"),
        [
            ("DELETE", "whether the candidates are being deleted is not known"),
            ("GET", "what was to be deleted goes by itself, once its drain is over"),
        ],
    )
    def test_says_whether_it_has_begun(self, aborted: InMemoryCluster, verb: str, told: str) -> None:
        aborted.patch(CANDIDATE, {"metadata": {"finalizers": ["turnout.dev/drain"]}})
        looks = 0

        def interrupted(request: Request) -> None:
            nonlocal looks
            if "inferenceservices/" in request.path and request.method == verb:
                looks += 1
                if looks == (3 if verb == "GET" else 1):  # once before it is deleted, twice after that
                    raise KeyboardInterrupt

        aborted.on_request = interrupted
        done = run("abort", "wisdom", "--delete")
        assert done.exit_code == 130
        assert f"Interrupted: {told}" in done.stderr
