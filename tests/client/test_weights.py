"""Traffic weights by `turnout.Client`, on a cluster in memory."""

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest

import turnout
from tests.client.policies import WISDOM, declare, served, status
from turnout.client import DeletedError, NotInTimeError, NotShiftedError
from turnout.names import TRAFFIC_WEIGHTS
from turnout.plugin import Ref
from turnout.runtime.errors import ApiError
from turnout.testing.memory import InMemoryCluster

WEIGHTS = Ref(TRAFFIC_WEIGHTS, "models", "wisdom")


@pytest.fixture
def cluster() -> InMemoryCluster:
    cluster = served()
    cluster.install(TRAFFIC_WEIGHTS)
    declare(cluster)
    return cluster


def client(cluster: InMemoryCluster) -> turnout.Client:
    return turnout.Client(cluster, "models")


def put(cluster: InMemoryCluster, weights: Mapping[str, int] | None) -> bool:
    return asyncio.run(client(cluster).put_weights("wisdom", weights))


def spec(cluster: InMemoryCluster) -> Any:
    found = cluster.get(WEIGHTS)
    return found["spec"] if found else None


def decided(*weights: int, **other: Any) -> dict[str, Any]:
    """What the controller says once the routes in force are those of the weights."""
    said = status("20%", "80%", **other)
    for one, weight in zip(said["versions"], weights, strict=True):
        one["weight"] = weight
    return said


def looked_at(cluster: InMemoryCluster, accepted: str = "True", reason: str = "Valid") -> None:
    found = cluster.get(WEIGHTS)
    assert found
    condition = {
        "type": "Accepted",
        "status": accepted,
        "reason": reason,
        "message": "so it is",
        "lastTransitionTime": "2026-01-02T03:04:05Z",
    }
    said = {"observedGeneration": found["metadata"]["generation"], "conditions": [condition]}
    cluster.set_status(WEIGHTS, said)


class TestPutting:
    def test_creates_them_as_a_person_does(self, cluster: InMemoryCluster) -> None:
        assert put(cluster, {"wisdom-0": 20, "wisdom-1": 80}) is True
        assert spec(cluster) == {"weights": {"wisdom-0": 20, "wisdom-1": 80}}
        found = cluster.get(WEIGHTS)
        assert found
        assert [one["manager"] for one in found["metadata"]["managedFields"]] == ["turnout-cli"]

    def test_replaces_what_is_there(self, cluster: InMemoryCluster) -> None:
        """Versions that are no longer named go, and so does a percentage."""
        put(cluster, {"wisdom-0": 20, "wisdom-1": 80})
        assert put(cluster, {"wisdom-1": 0}) is True
        assert spec(cluster) == {"weights": {"wisdom-1": 0}}
        cluster.delete(WEIGHTS)
        cluster.create(
            {
                "apiVersion": "turnout.dev/v1alpha1",
                "kind": "TrafficWeights",
                "metadata": {"name": "wisdom"},
                "spec": {"mirrorPercentage": 30},
            },
            namespace="models",
        )
        put(cluster, {"wisdom-1": 5})
        assert spec(cluster) == {"weights": {"wisdom-1": 5}}

    def test_writes_nothing_that_is_there(self, cluster: InMemoryCluster) -> None:
        put(cluster, {"wisdom-1": 80})
        cluster.calls.clear()
        assert put(cluster, {"wisdom-1": 80}) is False
        assert put(cluster, None) is True
        assert put(cluster, None) is False
        assert [call.verb for call in cluster.calls if call.verb != "discover"] == [
            "get",
            "get",
            "delete",
            "get",
        ]
        assert spec(cluster) is None

    def test_goes_by_what_somebody_else_wrote_in_between(self, cluster: InMemoryCluster) -> None:
        """What they named is not left over."""
        put(cluster, {"wisdom-0": 1})
        others = [{"wisdom-1": 2}]

        def between(request: Any) -> None:
            if request.method == "PATCH" and others:
                body = {
                    "apiVersion": "turnout.dev/v1alpha1",
                    "kind": "TrafficWeights",
                    "metadata": {"name": "wisdom"},
                    "spec": {"weights": others.pop()},
                }
                cluster.apply_manifest(body, namespace="models")

        cluster.on_request = between
        put(cluster, {"wisdom-0": 3})
        assert not others
        assert spec(cluster) == {"weights": {"wisdom-0": 3}}

    def test_gives_up_where_it_is_refused(self, cluster: InMemoryCluster) -> None:
        def refuse(request: Any) -> None:
            if request.method == "POST":
                raise ApiError(403, "Forbidden", "cannot create", what="create TrafficWeights")

        cluster.on_request = refuse
        with pytest.raises(ApiError, match="cannot create"):
            put(cluster, {"wisdom-0": 3})


class TestSetting:
    def follow(self, cluster: InMemoryCluster, weights: Mapping[str, int] | None, *later: Any) -> Any:
        """Set weights while a controller does what `later` says, in that order."""

        async def scenario() -> Any:
            made = client(cluster)
            setting = asyncio.create_task(made.set_weights("wisdom", weights, timeout=0.5))
            for step in later:
                await asyncio.sleep(0.05)
                assert not setting.done()
                step()
            return await setting

        return asyncio.run(scenario())

    def test_returns_once_the_routes_are_theirs(self, cluster: InMemoryCluster) -> None:
        found = self.follow(
            cluster,
            {"wisdom-0": 20, "wisdom-1": 80},
            lambda: looked_at(cluster),
            lambda: cluster.set_status(WISDOM, decided(20, 80, routed=("False", "Moving", ""))),
            lambda: cluster.set_status(WISDOM, decided(20, 80)),
        )
        assert found.split == "wisdom-0 20% / wisdom-1 80%"

    def test_is_over_the_policys_own(self, cluster: InMemoryCluster) -> None:
        """A version that is not named keeps the policy's weight, here none."""
        said = decided(0, 80)
        del said["versions"][0]["weight"]
        cluster.set_status(WISDOM, said)
        assert self.follow(cluster, {"wisdom-1": 80}).in_force

    def test_resets(self, cluster: InMemoryCluster) -> None:
        put(cluster, {"wisdom-1": 80})
        cluster.set_status(WISDOM, decided(0, 80))
        self.follow(cluster, None, lambda: cluster.set_status(WISDOM, status("50%", "50%")))
        assert spec(cluster) is None

    def test_tells_that_they_do_not_count(self, cluster: InMemoryCluster) -> None:
        with pytest.raises(
            NotShiftedError,
            match=r"^TrafficWeights models/wisdom: UnknownVersion: so it is; the policy's own weights hold$",
        ):
            self.follow(cluster, {"wisdom-7": 1}, lambda: looked_at(cluster, "False", "UnknownVersion"))

    def test_does_not_go_by_what_was_said_of_others(self, cluster: InMemoryCluster) -> None:
        """A verdict on weights of an earlier generation is none."""
        put(cluster, {"wisdom-7": 1})
        looked_at(cluster, "False", "UnknownVersion")
        found = self.follow(
            cluster,
            {"wisdom-0": 20, "wisdom-1": 80},
            lambda: cluster.set_status(WISDOM, decided(20, 80)),
        )
        assert found.in_force

    def test_tells_that_nobody_looks(self, cluster: InMemoryCluster) -> None:
        cluster.set_status(WISDOM, status("50%", "50%"))
        with pytest.raises(NotInTimeError, match=r"0\.5 s: no controller has looked at the traffic weights"):
            self.follow(cluster, {"wisdom-0": 20})

    def test_tells_what_is_waited_for(self, cluster: InMemoryCluster) -> None:
        with pytest.raises(NotInTimeError, match=r"0\.5 s: Routed is False: Vetoed: not now$"):
            self.follow(
                cluster,
                {"wisdom-0": 20, "wisdom-1": 80},
                lambda: looked_at(cluster),
                lambda: cluster.set_status(WISDOM, decided(20, 80, routed=("False", "Vetoed", "not now"))),
            )

    def test_tells_that_the_policy_is_suspended(self, cluster: InMemoryCluster) -> None:
        def suspend() -> None:
            cluster.patch(WISDOM, {"spec": {"suspend": True}})

        with pytest.raises(NotShiftedError, match=r"^RoutingPolicy models/wisdom is suspended: "):
            self.follow(cluster, {"wisdom-0": 20}, suspend)

    @pytest.mark.parametrize(("gone", "error"), [(WISDOM, DeletedError), (WEIGHTS, NotShiftedError)])
    def test_tells_that_something_is_deleted(
        self, cluster: InMemoryCluster, gone: Ref, error: type[Exception]
    ) -> None:
        with pytest.raises(error, match="deleted"):
            self.follow(cluster, {"wisdom-0": 20}, lambda: cluster.delete(gone))
