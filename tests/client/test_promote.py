"""Promotions by `turnout.Client`, of a rollout in memory."""

import asyncio
from collections.abc import Iterator
from contextlib import suppress

import pytest

from tests.client.promoting import (
    CANDIDATE,
    PRIMARY,
    RECORD,
    Bed,
    Connection,
    DeadError,
    Made,
)
from turnout.client.promotion import TakenBackError
from turnout.testing.fastloop import FastLoop


@pytest.fixture
def made() -> Iterator[Made]:
    beds: list[Bed] = []
    with asyncio.Runner(loop_factory=FastLoop) as runner:

        def make(**policy: object) -> Bed:
            beds.append(Bed(runner, policy=policy))
            beds[-1].until(lambda: "wisdom-1" in beds[-1].split())
            return beds[-1]

        yield make
        for bed in beds:
            bed.close()


@pytest.fixture
def bed(made: Made) -> Bed:
    """Two ready versions that share the calls by halves."""
    return made()


def promoted(bed: Bed) -> None:
    """All is as it is to be after a promotion."""
    assert bed.model_of() == ("v1", "s3://models/new")
    assert not bed.exists(CANDIDATE)
    assert not bed.exists(RECORD)
    bed.until(lambda: bed.split() == "wisdom-0 100%")
    assert bed.led() == {"wisdom-0"}
    assert bed.broken == []


STEPS = [
    "POST controllerrevisions",
    "POST trafficweights",
    "PUT wisdom-0",
    "PATCH wisdom",
    "DELETE wisdom-1",
    "DELETE wisdom",
    "DELETE turnout-promotion-wisdom",
]
"""What is written, in this order, where there were no traffic weights before."""


def test_the_primary_becomes_what_the_candidate_is(bed: Bed) -> None:
    """And all calls lead to it; its own name, labels, annotations and finalizers stay."""
    before = bed.get(PRIMARY)["metadata"]
    connection = Connection(bed.cluster)
    done = bed.promote(connection)
    promoted(bed)
    assert bed.weights_spec() is None
    assert [what for _, what in connection.writes] == STEPS
    assert (done.candidate, done.app_version, done.weights) == ("wisdom-1", "v1", None)
    assert (done.rollout.primary, done.rollout.split) == ("wisdom-0", "wisdom-0 100%")
    after = bed.get(PRIMARY)["metadata"]
    assert after["uid"] == before["uid"]
    assert after["finalizers"] == before["finalizers"] == ["turnout.dev/drain"]
    assert after["annotations"] == before["annotations"]
    assert after["labels"] == before["labels"] | {"app.kubernetes.io/version": "v1"}


def test_each_step_is_told(bed: Bed) -> None:
    bed.promote()
    numbers = [line.split("/")[0] for line in bed.told]
    assert numbers == sorted(numbers)
    assert set(numbers) == set("123456")
    assert bed.told[0] == "1/6 wisdom-1 is ready and carries calls, wisdom-0 50% / wisdom-1 50%"
    assert "3/6 replace InferenceService models/wisdom-0" in bed.told


def killed(made: Made, number: int, *, answered: bool, stuck: bool = False) -> Bed:
    """A promotion whose process was killed at a call. `stuck`: the primary will never be ready."""
    bed = made()
    if stuck:
        bed.models.load_in("wisdom-0", float("inf"))
    with pytest.raises((DeadError, TakenBackError)):  # it takes back in as many calls as its waits need
        bed.promote(Connection(bed.cluster, dies=number, answered=answered), timeout=10.0 if stuck else 60.0)
    return bed


def calls_of(bed: Bed, **given: float) -> list[int]:
    """At which calls of a promotion a process is to die: each write, what follows it, and some between."""
    connection = Connection(bed.cluster)
    with suppress(TakenBackError):
        bed.promote(connection, **given)
    bed.close()
    near = {number + more for number, _ in connection.writes for more in (0, 1)}
    last = connection.writes[-1][0]
    return sorted(number for number in near | set(range(1, last, 30)) if number <= last)


@pytest.mark.parametrize("answered", [False, True])
def test_killed_at_any_call_it_is_gone_on_with(made: Made, answered: bool) -> None:
    for number in calls_of(made()):
        bed = killed(made, number, answered=answered)
        assert bed.broken == []
        assert bed.led() <= {"wisdom-0", "wisdom-1"}
        if bed.exists(RECORD) or bed.exists(CANDIDATE):
            bed.promote()
        promoted(bed)
        assert bed.weights_spec() is None
        bed.close()


def back(bed: Bed, weights: object = None) -> None:
    """All is as it was before."""
    assert bed.model_of() == ("v0", "s3://models/old")
    assert bed.model_of(CANDIDATE) == ("v1", "s3://models/new")
    assert not bed.exists(RECORD)
    assert bed.weights_spec() == weights
    bed.until(lambda: bed.split() == "wisdom-0 50% / wisdom-1 50%")
    assert bed.broken == []


def test_a_primary_that_never_gets_ready_is_taken_back(bed: Bed) -> None:
    bed.models.load_in("wisdom-0", float("inf"))
    with pytest.raises(TakenBackError) as told:
        bed.promote(timeout=5.0)
    assert str(told.value) == (
        "not promoted: wisdom-0 is not ready within 5 s: the transition to its model is InProgress: Loading; "
        "RoutingPolicy models/wisdom is as it was before, wisdom-0 too"
    )
    back(bed)


@pytest.mark.parametrize("answered", [False, True])
def test_killed_at_any_call_it_is_taken_back_all_the_same(made: Made, answered: bool) -> None:
    first = made()
    first.models.load_in("wisdom-0", float("inf"))
    for number in calls_of(first, timeout=10.0):
        bed = killed(made, number, answered=answered, stuck=True)
        if bed.exists(RECORD):
            with pytest.raises(TakenBackError):
                bed.promote(timeout=10.0)
        back(bed)
        bed.close()
