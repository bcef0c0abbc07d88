"""`turnout.Client`, on a cluster in memory."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

import pytest

import turnout
from tests.client.policies import WISDOM, declare, served, status
from turnout.client import DeletedError, NotFoundError, NotInTimeError, NotReadableError
from turnout.client.following import Latest
from turnout.rollout import Rollout
from turnout.runtime import client as runtime
from turnout.runtime.client import Page
from turnout.runtime.errors import ApiError
from turnout.runtime.stream import Event
from turnout.runtime.transport import Request
from turnout.testing.memory import InMemoryCluster, StatusError


@pytest.fixture
def cluster() -> InMemoryCluster:
    cluster = served()
    declare(cluster)
    return cluster


def client(cluster: InMemoryCluster) -> turnout.Client:
    return turnout.Client(cluster, "models")


def test_a_rollout_is_got_by_one_call(cluster: InMemoryCluster) -> None:
    cluster.set_status(WISDOM, status("20%", "80%"))

    found = asyncio.run(client(cluster).get("wisdom"))

    assert (found.name, found.split, found.ready) == ("wisdom", "wisdom-0 20% / wisdom-1 80%", True)
    assert [call.verb for call in cluster.calls] == ["discover", "get"]


def test_one_that_is_not_there_is_told_with_one_that_is_much_like_it(cluster: InMemoryCluster) -> None:
    with pytest.raises(NotFoundError, match=r"no RoutingPolicy models/wisdm; did you mean wisdom\?$"):
        asyncio.run(client(cluster).get("wisdm"))
    with pytest.raises(NotFoundError, match=r"no RoutingPolicy models/zebra$"):
        asyncio.run(client(cluster).get("zebra"))


def test_all_of_a_namespace_or_of_the_cluster_are_listed(cluster: InMemoryCluster) -> None:
    declare(cluster, "mill")
    declare(cluster, "other", namespace="others")

    async def listed() -> tuple[list[str], list[str]]:
        made = client(cluster)
        return (
            [str(one) for one in await made.list()],
            [one.name for one in await made.list(all_namespaces=True)],
        )

    here, everywhere = asyncio.run(listed())
    assert here == ["RoutingPolicy models/mill", "RoutingPolicy models/wisdom"]
    assert everywhere == ["mill", "wisdom", "other"]


def test_a_watch_tells_how_it_is_and_whenever_it_is_another(cluster: InMemoryCluster) -> None:
    """Also that it is deleted, and there again; not what happens to others."""

    async def watched() -> list[str | None]:
        found: list[str | None] = []

        async def take(states: Any) -> None:
            state = await asyncio.wait_for(anext(states), 5)
            found.append(state.split if state else None)

        async with aclosing(client(cluster).watch("wisdom")) as states:
            await take(states)
            cluster.set_status(WISDOM, status("100%"))
            await take(states)
            declare(cluster, "other")
            cluster.delete(WISDOM)
            await take(states)
            declare(cluster)
            await take(states)
        return found

    assert asyncio.run(watched()) == ["", "wisdom-0 100%", None, ""]
    assert {call.request.query.get("fieldSelector") for call in cluster.calls if call.verb != "discover"} == {
        "metadata.name=wisdom"
    }


def test_states_that_nobody_asked_for_give_way_to_the_last(cluster: InMemoryCluster) -> None:
    async def watched() -> Rollout | None:
        async with aclosing(client(cluster).watch("wisdom")) as states:
            await anext(states)
            for share in range(5):
                cluster.set_status(WISDOM, status(f"{share}%"))
                await asyncio.sleep(0.02)
            return await anext(states)

    found = asyncio.run(watched())
    assert found
    assert found.split == "wisdom-0 4%"


def test_a_watch_outlives_its_connection(cluster: InMemoryCluster) -> None:
    async def watched() -> Rollout | None:
        async with aclosing(client(cluster).watch("wisdom")) as states:
            await anext(states)
            await asyncio.sleep(0.05)
            cluster.end_watches(broken=True)
            cluster.set_status(WISDOM, status("100%"))
            return await asyncio.wait_for(anext(states), 5)

    found = asyncio.run(watched())
    assert found
    assert found.split == "wisdom-0 100%"


class TestWaiting:
    def wait(self, cluster: InMemoryCluster, *steps: Any, timeout: float = 5.0) -> tuple[Rollout, list[str]]:
        """Wait until it is ready, while things happen. Returns how it is then, and what was told."""
        told: list[str] = []

        async def play() -> Rollout:
            async def happen() -> None:
                for step in steps:
                    await asyncio.sleep(0.05)
                    step()

            async with asyncio.TaskGroup() as group:
                group.create_task(happen())
                return await client(cluster).wait(
                    "wisdom",
                    lambda rollout: bool(rollout.ready),
                    timeout=timeout,
                    told=lambda rollout: told.append(rollout.awaits),
                )

        return asyncio.run(play()), told

    def test_what_is_so_already_is_not_waited_for(self, cluster: InMemoryCluster) -> None:
        cluster.set_status(WISDOM, status("100%"))
        found, told = self.wait(cluster)
        assert (found.split, told) == ("wisdom-0 100%", [])
        assert [call.verb for call in cluster.calls] == ["discover", "get"]

    def test_ends_when_it_is_so(self, cluster: InMemoryCluster) -> None:
        moving = status("100%", ready="False", routed=("False", "Moving", "soon"))
        found, told = self.wait(
            cluster,
            lambda: cluster.set_status(WISDOM, moving),
            lambda: cluster.set_status(WISDOM, status("100%")),
        )
        assert found.ready
        assert list(dict.fromkeys(told)) == [
            "no controller has looked at it yet",
            "Routed is False: Moving: soon",
        ]

    def test_ends_in_time_and_says_what_it_waits_for(self, cluster: InMemoryCluster) -> None:
        with pytest.raises(NotInTimeError) as caught:
            asyncio.run(client(cluster).wait("wisdom", lambda rollout: bool(rollout.ready), timeout=0.2))
        told = "RoutingPolicy models/wisdom: not within 0.2 s: no controller has looked at it yet"
        assert str(caught.value) == told
        assert caught.value.rollout.name == "wisdom"

    def test_ends_when_it_is_deleted(self, cluster: InMemoryCluster) -> None:
        with pytest.raises(ExceptionGroup) as caught:
            self.wait(cluster, lambda: cluster.delete(WISDOM))
        (error,) = caught.value.exceptions
        assert isinstance(error, DeletedError)
        assert str(error) == "RoutingPolicy models/wisdom is deleted"


def test_a_cluster_without_the_crds_says_so() -> None:
    with pytest.raises(ApiError, match="is its CRD installed"):
        asyncio.run(client(InMemoryCluster()).get("wisdom"))


def test_nothing_else_is_in_the_package() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Klient'"):
        _ = turnout.Klient


def test_of_changes_that_come_together_the_last_counts() -> None:
    async def last() -> Any:
        latest = Latest()
        latest.events([Event("MODIFIED", {"n": 1}), Event("MODIFIED", {"n": 2})])
        return await latest.next()

    assert asyncio.run(last()) == {"n": 2}


def test_a_list_that_begins_again_is_listed_once(
    cluster: InMemoryCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its snapshot may expire between two pages."""

    async def pages(*_: object) -> AsyncIterator[Page]:
        for first in (True, True, False):
            yield Page([{"metadata": {"name": "wisdom"}}], "1", first)

    monkeypatch.setattr(runtime.Client, "pages", pages)
    assert [one.name for one in asyncio.run(client(cluster).list())] == ["wisdom", "wisdom"]


def test_a_policy_that_may_not_be_followed_is_no_wait(cluster: InMemoryCluster) -> None:
    """Which verb is missing is told at once, and not after the timeout as if it had not come."""

    def refused(request: Request) -> None:
        if "fieldSelector" in request.query:
            raise StatusError(403, "Forbidden", "not for you")

    cluster.on_request = refused
    with pytest.raises(
        NotReadableError, match=r"^list routingpolicies.turnout.dev in models: not for you \(403 Forbidden\)$"
    ):
        asyncio.run(client(cluster).wait("wisdom", lambda _: False, timeout=30))
