"""Promotions by `turnout.Client`, of a rollout in memory."""

import asyncio
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest

import turnout
from tests.client.promoting import (
    CANDIDATE,
    ISVC,
    PRIMARY,
    RECORD,
    SETTINGS,
    Bed,
    Connection,
    DeadError,
    Made,
    model,
)
from turnout.client import NoControllerError
from turnout.client.promotion import (
    CandidateError,
    ChangedError,
    Promoted,
    PromotionError,
    PromotionRefusedError,
    TakenBackError,
    UnderWayError,
)
from turnout.client.promotion.record import RETURNING
from turnout.names import ROUTING_POLICY
from turnout.plugin import Ref
from turnout.runtime.lease import LEASE
from turnout.testing.fastloop import FastLoop

POLICY = Ref(ROUTING_POLICY, "models", "wisdom")


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


STUCK = 20.0
"""Seconds for which a primary that will never be ready is waited for."""


def killed(made: Made, number: int, *, answered: bool, stuck: bool = False) -> Bed:
    """A promotion whose process was killed at a call, if it made so many. `stuck`: it has to be taken back."""
    bed = made()
    if stuck:
        bed.models.load_in("wisdom-0", float("inf"))
    with suppress(DeadError, TakenBackError, UnderWayError):
        connection = Connection(bed.cluster, dies=number, answered=answered)
        bed.promote(connection, timeout=STUCK if stuck else 60.0)
    return bed


def taken_back(bed: Bed) -> TakenBackError:
    """Promote as often as it takes until it is taken back: a slow machine may not keep the time of a wait."""
    for _ in range(10):
        try:
            bed.promote(timeout=STUCK)
        except UnderWayError:
            continue
        except TakenBackError as error:
            return error
    raise AssertionError("it is not taken back")


def calls_of(bed: Bed, **given: float) -> list[int]:
    """At which calls of a promotion a process is to die: each write, what follows it, and some between."""
    connection = Connection(bed.cluster)
    with suppress(TakenBackError, UnderWayError):
        bed.promote(connection, **given)
    bed.close()
    near = {number + more for number, _ in connection.writes for more in (0, 1)}
    return sorted(near | set(range(1, connection.writes[-1][0], 40)))


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
    assert str(taken_back(bed)) == (
        "not promoted: wisdom-0 is not ready within 20 s: the transition to its model is InProgress: Loading; "
        "RoutingPolicy models/wisdom is as it was before, wisdom-0 too"
    )
    back(bed)


def test_a_word_for_the_former_model_is_not_believed(bed: Bed) -> None:
    """ModelMesh says for a while that all is up to date, and means the model of before."""
    bed.models.load_in("wisdom-0", float("inf"))
    led: list[set[str]] = []

    def told(progress: object) -> None:
        if str(progress).startswith("3/6"):
            bed.lag = 2.0  # less than a primary has to stay ready
        if not str(progress).startswith(("1/6", "2/6")):
            led.append(bed.led())

    with pytest.raises(TakenBackError):
        bed.promote(told=told, timeout=STUCK)
    assert {"wisdom-1"} in led
    assert not any("wisdom-0" in one for one in led)
    back(bed)


def test_what_the_api_server_writes_itself_is_no_change_of_others(bed: Bed) -> None:
    """As a webhook does that sets a field of each object anew."""

    def owned(document: dict[str, Any]) -> None:
        document["spec"]["owner"] = document["metadata"]["name"]

    bed.cluster.install(ISVC, default=owned)
    bed.cluster.patch(CANDIDATE, {"spec": {"owner": "?"}})
    assert bed.get(CANDIDATE)["spec"]["owner"] == "wisdom-1"
    bed.until(lambda: "wisdom-1" in bed.split())
    bed.promote()
    assert bed.get(PRIMARY)["spec"]["owner"] == "wisdom-0"
    promoted(bed)


@pytest.mark.parametrize("answered", [False, True])
def test_killed_at_any_call_it_is_taken_back_all_the_same(made: Made, answered: bool) -> None:
    first = made()
    first.models.load_in("wisdom-0", float("inf"))
    for number in calls_of(first, timeout=STUCK):
        bed = killed(made, number, answered=answered, stuck=True)
        if bed.exists(RECORD):
            taken_back(bed)
        back(bed)
        bed.close()


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({"wisdom-0": 20, "wisdom-1": 80}, {"weights": {"wisdom-0": 20, "wisdom-1": 80}}),
        ({"wisdom-1": 80}, {"weights": {"wisdom-1": 80}}),
        ({"wisdom-0": 0, "wisdom-1": 100}, None),
    ],
)
def test_weights_of_before_hold_for_later_candidates(bed: Bed, before: dict[str, int], after: object) -> None:
    """But for such that keep the primary out: nobody would be left to answer."""
    bed.weights("wisdom", **{name.replace("-", "_"): weight for name, weight in before.items()})
    bed.until(lambda: bed.split() != "wisdom-0 50% / wisdom-1 50%")
    assert bed.promote().weights == after
    promoted(bed)
    assert bed.weights_spec() == after


def test_weights_of_before_hold_again_once_it_is_taken_back(bed: Bed) -> None:
    bed.weights(wisdom_0=50, wisdom_1=50)
    bed.models.load_in("wisdom-0", float("inf"))
    taken_back(bed)
    back(bed, {"weights": {"wisdom-0": 50, "wisdom-1": 50}})


def test_the_policy_may_keep_the_primary_out_as_well(made: Made) -> None:
    """Then all goes to it in the end."""
    bed = made(modelVersions=[{"name": "wisdom-0", "weight": 0}, {"name": "wisdom-1"}])
    bed.promote()
    promoted(bed)
    assert bed.weights_spec() == {"weights": {"wisdom-0": 100, "wisdom-1": 0}}


class TestIsRefused:
    """With nothing written."""

    def refused(self, bed: Bed, **given: object) -> str:
        bed.settle()
        connection = Connection(bed.cluster)
        with pytest.raises((PromotionRefusedError, CandidateError)) as told:
            bed.promote(connection, **given)
        assert connection.writes == []
        return str(told.value)

    def test_without_a_candidate(self, bed: Bed) -> None:
        bed.delete(CANDIDATE)
        bed.until(lambda: not bed.exists(CANDIDATE))
        told = self.refused(bed)
        assert told.endswith("models/wisdom has no candidate to promote: of wisdom-1 none exists")

    def test_of_a_candidate_that_is_not_ready(self, bed: Bed) -> None:
        bed.models.load_in("wisdom-1", float("inf"))
        bed.delete(CANDIDATE)
        bed.until(lambda: not bed.exists(CANDIDATE) and "wisdom-1" not in bed.models.names())
        bed.apply(model("wisdom-1", "v1", "s3://models/new"))
        assert self.refused(bed).startswith("wisdom-1 is not ready: ")

    def test_of_a_candidate_without_calls(self, bed: Bed) -> None:
        bed.weights(wisdom_0=100, wisdom_1=0)
        bed.until(lambda: bed.split() == "wisdom-0 100%")
        assert self.refused(bed).startswith(
            "wisdom-1 carries no calls that would show it fit: its weight is 0; "
        )

    def test_of_one_of_two_candidates(self, made: Made) -> None:
        bed = made(modelVersions=[{"name": f"wisdom-{number}"} for number in range(3)])
        bed.apply(model("wisdom-2", "v2", "s3://models/newer"))
        bed.until(lambda: "wisdom-2" in bed.split())
        assert self.refused(bed).endswith("has 2 candidates, wisdom-1, wisdom-2: say which one with --from")
        assert self.refused(bed, candidate="wisdom-0").startswith("wisdom-0 is the primary of ")
        assert self.refused(bed, candidate="wisdm-2").endswith("did you mean wisdom-2?")
        bed.promote(candidate="wisdom-2")
        assert bed.model_of() == ("v2", "s3://models/newer")
        assert bed.exists(CANDIDATE)
        bed.until(lambda: bed.split() == "wisdom-0 50% / wisdom-1 50%")
        assert bed.broken == []

    @pytest.mark.parametrize("strategy", ["canary", "mirror"])
    def test_where_the_primary_cannot_be_spared(self, made: Made, strategy: str) -> None:
        """Unless the policy lets the candidate take over."""
        bed = made(trafficStrategy=strategy)
        told = self.refused(bed)
        assert f"strategy {strategy} leaves calls with wisdom-0 whatever the weights" in told
        assert told.endswith(f"with spec.config.{strategy}.fallback: candidate it does not")
        bed.policy(
            targetEnv="kserve-modelmesh",
            trafficStrategy=strategy,
            config={strategy: {"fallback": "candidate"}},
        )
        bed.settle()
        bed.promote()
        promoted(bed)

    def test_while_the_policy_is_suspended(self, bed: Bed) -> None:
        bed.cluster.patch(POLICY, {"spec": {"suspend": True}})
        assert " is suspended: " in self.refused(bed)

    def test_of_another_candidate_while_one_is_promoted(self, made: Made) -> None:
        bed = made(modelVersions=[{"name": f"wisdom-{number}"} for number in range(3)])
        bed.apply(model("wisdom-2", "v2", "s3://models/newer"))
        bed.until(lambda: "wisdom-2" in bed.split())
        bed.models.load_in("wisdom-0", float("inf"))
        self.at(bed, "4/6", candidate="wisdom-2")
        told = self.refused(bed, candidate="wisdom-1")
        assert told.startswith("the promotion of wisdom-2 has not ended: ")

    @staticmethod
    def at(bed: Bed, step: str, **given: object) -> None:
        """Kill a promotion once it is there."""
        connection = Connection(bed.cluster)
        before = list(bed.told)

        def told(progress: object) -> None:
            if str(progress).startswith(step) and not connection.dies:
                connection.dies = connection.count + 1

        with pytest.raises(DeadError):
            bed.promote(connection, told=told, **given)
        assert before == bed.told


class TestSomebodyElse:
    def test_changes_the_primary(self, bed: Bed) -> None:
        """What they wrote stays; once it is put back, the promotion is gone on with."""
        bed.models.load_in("wisdom-0", float("inf"))
        TestIsRefused.at(bed, "4/6")
        uri = {"spec": {"predictor": {"model": {"storageUri": "s3://models/other"}}}}
        bed.cluster.patch(PRIMARY, uri, manager="someone")
        with pytest.raises(ChangedError) as told:
            bed.promote()
        assert str(told.value).startswith("InferenceService models/wisdom-0 was changed by someone at ")
        assert "delete ControllerRevision models/turnout-promotion-wisdom to leave all as it is" in str(
            told.value
        )
        assert bed.model_of()[1] == "s3://models/other"
        uri["spec"]["predictor"]["model"]["storageUri"] = "s3://models/new"
        bed.cluster.patch(PRIMARY, uri)
        bed.models.load_in("wisdom-0", 0.5)
        bed.models.finish("wisdom-0")
        bed.promote()
        promoted(bed)

    def test_makes_another_version_the_primary(self, made: Made) -> None:
        """Which is not what the promotion is about, and gets nothing of it, whatever it is."""
        bed = made(modelVersions=[{"name": f"wisdom-{number}"} for number in range(3)])
        bed.apply(model("wisdom-2", "v0", "s3://models/old"))
        bed.until(lambda: "wisdom-2" in bed.split())
        bed.models.load_in("wisdom-0", float("inf"))
        TestIsRefused.at(bed, "4/6", candidate="wisdom-1")
        bed.cluster.patch(POLICY, {"spec": {"primary": "wisdom-2"}})
        bed.settle()
        connection = Connection(bed.cluster)
        with pytest.raises(PromotionRefusedError) as told:
            bed.promote(connection)
        assert "does not fit RoutingPolicy models/wisdom any more: the policy has changed since" in str(
            told.value
        )
        assert connection.writes == []

    def test_writes_in_between_again_and_again(self, bed: Bed) -> None:
        """As a busy controller does: each write that comes through is a new beginning."""
        bed.models.load_in("wisdom-0", 60.0)
        conflicts = 0

        def meddle(request: Any) -> None:
            nonlocal conflicts
            bed._watched(request)
            if request.method == "PUT" and request.path.endswith("/wisdom-0"):
                # What is stored is not what was written, so that the API server is asked each time.
                request.body["spec"] = {**request.body["spec"], "defaulted": "by a webhook"}
            if request.query.get("dryRun") and request.method == "PUT" and bed.model_of()[0] == "v1":
                conflicts += 1
                if conflicts % 2:
                    bed.cluster.patch(PRIMARY, {"metadata": {"annotations": {"seen": str(conflicts)}}})

        bed.cluster.on_request = meddle
        bed.promote(timeout=300.0)
        assert conflicts > 50
        promoted(bed)

    def test_puts_the_primary_back(self, bed: Bed) -> None:
        """As a GitOps tool does: told once, and not fought over."""
        bed.models.load_in("wisdom-0", float("inf"))
        former = bed.get(PRIMARY)

        def told(progress: object) -> None:
            if str(progress).startswith("4/6") and bed.model_of()[0] == "v1":
                bed.cluster.replace(former, manager="gitops")

        with pytest.raises(ChangedError) as error:
            bed.promote(told=told)
        assert "was put back by gitops at " in str(error.value)
        assert bed.model_of() == ("v0", "s3://models/old")

    def test_writes_other_fields_meanwhile(self, bed: Bed) -> None:
        """They stay as they are written, also where the promotion is taken back."""
        bed.models.load_in("wisdom-0", float("inf"))

        def told(progress: object) -> None:
            if str(progress).startswith("4/6"):
                bed.cluster.patch(PRIMARY, {"metadata": {"labels": {"team": "blue"}}})

        with pytest.raises(TakenBackError):
            bed.promote(told=told, timeout=STUCK)
        assert bed.get(PRIMARY)["metadata"]["labels"]["team"] == "blue"
        back(bed)

    def test_changes_the_candidate(self, bed: Bed) -> None:
        """Then it is not deleted: what it serves now is nowhere else."""

        def told(progress: object) -> None:
            if str(progress).startswith("5/6"):
                uri = {"spec": {"predictor": {"model": {"storageUri": "s3://models/newest"}}}}
                bed.cluster.patch(CANDIDATE, uri)

        with pytest.raises(ChangedError) as error:
            bed.promote(told=told)
        assert str(error.value).startswith(
            "wisdom-1 was changed since its promotion began, and is not deleted"
        )
        assert bed.exists(CANDIDATE)

    def test_deletes_the_candidate(self, bed: Bed) -> None:
        """Before the primary is replaced: there is nothing left that could carry the calls meanwhile."""

        def told(progress: object) -> None:
            if str(progress).startswith("2/6 waits 2 s"):
                bed.delete(CANDIDATE)

        with pytest.raises(TakenBackError) as error:
            bed.promote(told=told)
        assert "wisdom-1 is gone or being deleted" in str(error.value)
        assert bed.model_of() == ("v0", "s3://models/old")
        bed.until(lambda: bed.split() == "wisdom-0 100%")
        assert bed.broken == []


class TestTheCandidateFails:
    """It stops being ready, when nobody else could carry the calls."""

    @staticmethod
    def at(bed: Bed, step: str, **given: Any) -> PromotionError | Promoted:
        def told(progress: object) -> None:
            bed.told.append(str(progress))
            if str(progress).startswith(step):
                bed.failed.add("wisdom-1")

        try:
            return bed.promote(told=told, **given)
        except PromotionError as error:
            return error

    @pytest.mark.parametrize("step", ["2/6 all calls", "2/6 waits 2 s"])
    def test_before_the_primary_is_replaced(self, bed: Bed, step: str) -> None:
        """Then the primary has the calls again at once, as it was."""
        error = self.at(bed, step)
        assert isinstance(error, TakenBackError)
        assert str(error).startswith("not promoted: wisdom-1 is not ready any more: ")
        assert not any(line.startswith("3/6") for line in bed.told)
        assert bed.model_of() == ("v0", "s3://models/old")
        assert bed.weights_spec() is None
        assert not bed.exists(RECORD)
        bed.until(lambda: bed.split() == "wisdom-0 100%")

    def test_after_that(self, bed: Bed) -> None:
        """The primary has them as soon as it is ready."""
        bed.models.load_in("wisdom-0", 5.0)
        assert isinstance(self.at(bed, "4/6"), Promoted)
        promoted(bed)

    def test_after_that_with_weights_of_others(self, bed: Bed) -> None:
        """Nor is it waited until it carries the calls again."""
        bed.models.load_in("wisdom-0", 5.0)
        TestIsRefused.at(bed, "4/6")
        bed.failed.add("wisdom-1")
        bed.weights(wisdom_0=50, wisdom_1=50)
        bed.settle()
        began = bed._loop_time()
        bed.promote()
        assert bed._loop_time() - began < 30
        promoted(bed)

    def test_and_the_primary_is_never_ready(self, bed: Bed) -> None:
        """What it was is the only way back."""
        bed.models.load_in("wisdom-0", float("inf"))
        error = self.at(bed, "4/6", timeout=STUCK)
        assert isinstance(error, TakenBackError)
        assert bed.model_of() == ("v0", "s3://models/old")
        bed.until(lambda: bed.split() == "wisdom-0 100%")


def test_weights_that_leave_nobody_do_not_come_back_without_the_candidate(bed: Bed) -> None:
    bed.weights(wisdom_0=0, wisdom_1=100)
    bed.until(lambda: bed.split() == "wisdom-1 100%")

    def told(progress: object) -> None:
        if str(progress).startswith("2/6 waits 2 s"):
            bed.delete(CANDIDATE)

    with pytest.raises(TakenBackError):
        bed.promote(told=told)
    assert bed.weights_spec() is None
    bed.until(lambda: bed.split() == "wisdom-0 100%")
    bed.apply(model("wisdom-1", "v1", "s3://models/new"))
    bed.until(lambda: bed.split() == "wisdom-0 50% / wisdom-1 50%")


def test_without_a_controller_nothing_is_replaced(bed: Bed) -> None:
    bed.stop()
    with pytest.raises(TakenBackError) as told:
        bed.promote(timeout=5.0)
    assert "no controller has looked at the traffic weights; is it running?" in str(told.value)
    assert bed.model_of() == ("v0", "s3://models/old")
    assert bed.weights_spec() is None
    assert not bed.exists(RECORD)


def test_without_a_controller_the_candidate_does_not_go(bed: Bed) -> None:
    """Its drain is the controller's, which is told by its Lease; once one is at work, it is gone on with."""

    def told(progress: object) -> None:
        if str(progress).startswith("6/6 delete"):
            bed.connection.alive = False
            said = bed.get(POLICY)["status"]
            bed.cluster.set_status(POLICY, {**said, "lease": "turnout-system/turnout"})

    bed.cluster.install(LEASE)
    with pytest.raises(NoControllerError) as error:
        bed.promote(told=told)
    assert str(error.value).endswith("its Lease turnout-system/turnout does not exist")
    assert bed.exists(CANDIDATE)
    bed.restart(settings=SETTINGS)
    bed.promote()
    promoted(bed)


def test_a_prospect_of_one_that_is_taken_back_says_so(bed: Bed) -> None:
    bed.models.load_in("wisdom-0", float("inf"))
    TestIsRefused.at(bed, "back: wisdom-0 is not ready", timeout=STUCK)
    bed.cluster.patch(RECORD, {"metadata": {"annotations": {RETURNING: "no luck"}}})
    with pytest.raises(PromotionRefusedError) as told:
        bed.promote(method="prospect")
    assert str(told.value) == (
        "the promotion of wisdom-1 is being taken back: no luck; promoting again goes on with that"
    )


def test_a_candidate_that_does_not_drain_is_deleted_once_proxies_have_followed(bed: Bed) -> None:
    """Where nothing else makes its deletion wait for them."""
    bed.restart(settings={"drain": {**SETTINGS["drain"], "enabled": False}})
    bed.until(lambda: not bed.get(CANDIDATE)["metadata"].get("finalizers"))
    bed.promote()
    waits = "6/6 waits 2 s, as long as proxies may still call wisdom-1"
    assert bed.told.index(waits) < bed.told.index("6/6 delete InferenceService models/wisdom-1")
    promoted(bed)


def test_a_policy_that_is_not_valid_here_is_told(bed: Bed) -> None:
    bed.cluster.patch(POLICY, {"spec": {"targetEnv": "unheard-of"}})
    with pytest.raises(PromotionRefusedError) as told:
        bed.promote()
    assert 'is not valid with the plugins and settings known here: unknown environment "unheard-of"' in str(
        told.value
    )


def test_two_at_once_are_one(bed: Bed) -> None:
    """Whoever writes later finds what is there; one may end before the other, which says so."""

    async def both() -> list[Any]:
        clients = [turnout.Client(bed.cluster, "models") for _ in range(2)]
        promoting = [one.promote("wisdom", terms=bed.terms()) for one in clients]
        return await asyncio.gather(*promoting, return_exceptions=True)

    found = bed.wait_for(both())
    assert any(isinstance(one, Promoted) for one in found), found
    assert all(isinstance(one, Promoted | PromotionError) for one in found), found
    promoted(bed)


def test_a_prospect_changes_nothing(bed: Bed) -> None:
    connection = Connection(bed.cluster)
    found: Any = bed.promote(connection, method="prospect")
    assert connection.writes == []
    (change,) = found.changes
    assert change.after["spec"] == bed.get(CANDIDATE)["spec"]
    assert (found.candidate, found.weights, len(found.steps)) == ("wisdom-1", None, 6)
