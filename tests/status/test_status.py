"""Conditions, versions and routes as users and other programs read them."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from turnout.plugin import Kind, Match, Ref, Rule, Share
from turnout.reasons import Reason
from turnout.status import Verdict, conditions, policy_status, ready, routes, same, stamp, versions
from turnout.testing.builders import NOW, plan, version

VALID = Verdict(True, Reason.VALID)
IN_FORCE = Verdict(True, Reason.IN_FORCE)
LATER = NOW + timedelta(minutes=5)
UP, DOWN, UNKNOWN = version("wisdom-0"), version("wisdom-0", False), version("wisdom-0", None)


@pytest.mark.parametrize(
    ("accepted", "routed", "of", "held", "expected"),
    [
        pytest.param(VALID, IN_FORCE, [UP], None, (True, "Ready", "wisdom-0 ready"), id="ready"),
        pytest.param(
            VALID,
            IN_FORCE,
            [UP, version("wisdom-1"), version("wisdom-2", False)],
            None,
            (True, "Ready", "wisdom-0, wisdom-1 ready"),
            id="two of three",
        ),
        pytest.param(
            Verdict(False, Reason.INVALID_SPEC, "spec: no"),
            IN_FORCE,
            [UP],
            None,
            (False, "NotAccepted", "the policy is not accepted"),
            id="not accepted",
        ),
        pytest.param(
            VALID,
            IN_FORCE,
            [DOWN],
            Reason.NO_VERSION_READY,
            (False, "NoVersionReady", "no version is ready; the routes in force are held"),
            id="none ready",
        ),
        pytest.param(
            VALID,
            IN_FORCE,
            [UNKNOWN],
            None,
            (
                False,
                "NoVersionReady",
                "no version is ready; what was ready and is unknown now keeps its share",
            ),
            id="unknown, with its share",
        ),
        pytest.param(
            VALID,
            IN_FORCE,
            [UP],
            Reason.NO_WEIGHT,
            (False, "NothingHasWeight", "wisdom-0 ready, with weight 0; the routes in force are held"),
            id="nothing has weight",
        ),
        pytest.param(
            VALID,
            IN_FORCE,
            [UNKNOWN],
            Reason.NO_WEIGHT,
            (False, "NoVersionReady", "no version is ready; the routes in force are held"),
            id="unknown, without weight",
        ),
        pytest.param(
            VALID,
            Verdict(False, Reason.CONFLICT, "VirtualService models/wisdom exists"),
            [UP],
            None,
            (False, "NotRouted", "VirtualService models/wisdom exists"),
            id="not routed",
        ),
        pytest.param(
            VALID,
            Verdict(None, Reason.WAITING),
            [UP],
            None,
            (None, "NotRouted", "the decided routes are not in force"),
            id="not known to be routed",
        ),
        pytest.param(
            VALID,
            Verdict(None, Reason.WAITING, "forbidden: list services"),
            None,
            None,
            (None, "NotRouted", "forbidden: list services"),
            id="not looked at, as nothing could be read",
        ),
        pytest.param(
            VALID,
            Verdict(None, Reason.PENDING, "HTTPRoute models/wisdom: no word yet"),
            [DOWN],
            None,
            (
                False,
                "NoVersionReady",
                "no version is ready; what was ready and is unknown now keeps its share",
            ),
            id="not known to be routed, and none ready",
        ),
        pytest.param(
            VALID,
            Verdict(False, Reason.MOVING, "the routes lead to deployment until …"),
            [UP],
            Reason.MOVING,
            (True, "Ready", "wisdom-0 ready in the former environment"),
            id="moving",
        ),
        pytest.param(
            VALID,
            Verdict(True, Reason.MOVING, "removed once …"),
            [UP],
            None,
            (True, "Ready", "wisdom-0 ready"),
            id="moving to another router",
        ),
        pytest.param(
            VALID,
            Verdict(False, Reason.MOVING, "the routes lead to deployment until …"),
            [DOWN],
            Reason.MOVING,
            (False, "NoVersionReady", "no version is ready; the routes in force are held"),
            id="moving, and none ready in the former environment",
        ),
        pytest.param(
            VALID,
            Verdict(False, Reason.FORBIDDEN, "patch virtualservices: no"),
            [UP],
            Reason.MOVING,
            (False, "NotRouted", "patch virtualservices: no"),
            id="moving, and the routes cannot be written",
        ),
    ],
)
def test_ready_says_what_is_missing_first(
    accepted: Verdict, routed: Verdict, of: Any, held: Reason | None, expected: tuple[bool | None, str, str]
) -> None:
    verdict = ready(accepted, routed, of, held)

    assert (verdict.value, verdict.reason, verdict.message) == expected


@pytest.mark.parametrize(
    ("value", "status"),
    [(True, "True"), (False, "False"), (None, "Unknown")],
    ids=["true", "false", "unknown"],
)
def test_a_condition_has_the_form_that_all_have(value: bool | None, status: str) -> None:
    (made,) = conditions({"Routed": Verdict(value, Reason.WAITING, "soon")}, {}, 3, NOW)

    assert made == {
        "type": "Routed",
        "status": status,
        "reason": "WaitingForCaches",
        "message": "soon",
        "observedGeneration": 3,
        "lastTransitionTime": "2026-01-01T00:00:00Z",
    }


def transition(before: Verdict, after: Verdict) -> str:
    """The time of the second condition, five minutes after the first."""
    previous = {"conditions": conditions({"Ready": before}, {}, 1, NOW)}
    made: str = conditions({"Ready": after}, previous, 2, LATER)[0]["lastTransitionTime"]
    return made


def test_a_condition_whose_status_stays_keeps_its_time_whatever_its_reason() -> None:
    before, after = Verdict(False, Reason.NOT_ROUTED, "a"), Verdict(False, Reason.NO_VERSION_READY, "b")

    assert transition(before, after) == stamp(NOW)


def test_a_condition_whose_status_changes_has_the_time_of_now() -> None:
    assert transition(Verdict(False, Reason.NOT_ROUTED), Verdict(None, Reason.WAITING)) == stamp(LATER)


@pytest.mark.parametrize(
    "listed",
    [
        pytest.param(None, id="null"),
        pytest.param("Ready", id="text"),
        pytest.param(7, id="a number"),
        pytest.param([None, "Ready", {"type": ["Ready"]}, {}], id="odd items"),
        pytest.param([{"type": "Ready", "status": "True"}], id="no time"),
    ],
)
def test_conditions_that_someone_has_spoilt_begin_anew(listed: Any) -> None:
    (made,) = conditions({"Ready": Verdict(True, Reason.READY)}, {"conditions": listed}, 1, LATER)

    assert made["lastTransitionTime"] == stamp(LATER)


def test_a_long_message_is_cut_to_what_a_schema_takes() -> None:
    (made,) = conditions({"Routed": Verdict(False, Reason.WRITE_FAILED, "x" * 5000)}, {}, 1, NOW)

    assert len(made["message"]) == 1024


@pytest.mark.parametrize(
    "time",
    [
        datetime(2026, 1, 1, 12, 30, 15, 999999, tzinfo=UTC),
        datetime(2026, 1, 1, 14, 30, 15, tzinfo=timezone(timedelta(hours=2))),
    ],
    ids=["with parts of a second", "of another zone"],
)
def test_times_are_in_whole_seconds_of_utc(time: datetime) -> None:
    assert stamp(time) == "2026-01-01T12:30:15Z"


def test_versions_say_their_role_readiness_reason_and_share() -> None:
    observed = (
        version("wisdom-0", weight=20, app_version="v1"),
        version("wisdom-1", None, weight=0),
        version("wisdom-2", False, reason="ModelLoadFailed"),
    )
    in_force = plan({"wisdom-0": 1, "wisdom-1": 2})

    assert versions(observed, {"wisdom-0": "ready, weight 20 of 20"}, "wisdom-0", in_force) == [
        {
            "name": "wisdom-0",
            "role": "primary",
            "ready": "True",
            "reason": "Ready",
            "message": "ready, weight 20 of 20",
            "share": "33.3%",
            "appVersion": "v1",
            "weight": 20,
        },
        {
            "name": "wisdom-1",
            "role": "candidate",
            "ready": "Unknown",
            "reason": "NotReady",
            "message": "",
            "share": "66.7%",
            "weight": 0,
        },
        {
            "name": "wisdom-2",
            "role": "candidate",
            "ready": "False",
            "reason": "ModelLoadFailed",
            "message": "",
            "share": "0%",
        },
    ]


@pytest.mark.parametrize(
    ("reason", "word"),
    [
        ("Model Load-Failed!", "ModelLoadFailed"),
        ("", "Unknown"),
        ("404", "Unknown"),
        ("ünïcode", "ncode"),
        ("X" * 500, "X" * 128),
    ],
    ids=["with signs", "empty", "digits first", "other letters", "too long"],
)
def test_an_environments_reason_becomes_one_that_the_schema_takes(reason: str, word: str) -> None:
    (made,) = versions([version("wisdom-0", False, reason=reason)], {}, "wisdom-0", None)

    assert made["reason"] == word


def test_what_an_environment_says_is_cut_to_what_the_schema_takes() -> None:
    (made,) = versions(
        [version("wisdom-0", app_version="v" * 100)], {"wisdom-0": "x" * 5000}, "wisdom-0", None
    )

    assert (len(made["appVersion"]), len(made["message"])) == (63, 1024)


def test_routes_are_named_in_the_version_they_were_written_in() -> None:
    ref = Ref(Kind("networking.istio.io", ("v1",), "VirtualService", "virtualservices"), "models", "wisdom")

    assert routes([(ref, "networking.istio.io/v1beta1")]) == [
        {
            "apiVersion": "networking.istio.io/v1beta1",
            "kind": "VirtualService",
            "namespace": "models",
            "name": "wisdom",
        }
    ]


def test_a_first_status_has_nothing_empty() -> None:
    made = policy_status({}, generation=1, verdicts={"Accepted": VALID}, now=NOW)

    assert set(made) == {"observedGeneration", "conditions"}


def test_a_status_says_all_there_is_to_say() -> None:
    made = policy_status(
        {},
        generation=4,
        verdicts={"Accepted": VALID, "Routed": IN_FORCE},
        now=NOW,
        observed=[{"name": "wisdom-0"}],
        in_force=plan({"wisdom-0": 20, "wisdom-1": 80}),
        strategy_state={"strategy": "steps"},
        written=[{"kind": "VirtualService"}],
    )

    assert [one["type"] for one in made.pop("conditions")] == ["Accepted", "Routed"]
    assert made == {
        "observedGeneration": 4,
        "split": "wisdom-0 20% / wisdom-1 80%",
        "versions": [{"name": "wisdom-0"}],
        "strategyState": {"strategy": "steps"},
        "routes": [{"kind": "VirtualService"}],
    }


def test_what_was_not_looked_at_stays_as_it_was() -> None:
    previous = {
        "split": "wisdom-0 100%",
        "versions": [{"name": "wisdom-0"}],
        "routes": [{"kind": "VirtualService"}],
        "strategyState": {"strategy": "steps"},
    }

    made = policy_status(previous, generation=2, verdicts={}, now=NOW)

    assert {key: made[key] for key in previous} == previous


@pytest.mark.parametrize(("given", "key"), [("strategy_state", "strategyState"), ("written", "routes")])
def test_what_is_empty_now_is_taken_away(given: str, key: str) -> None:
    empty: dict[str, Any] = {given: {} if given == "strategy_state" else []}

    made = policy_status({key: ["something"]}, generation=2, verdicts={}, now=NOW, **empty)

    assert key not in made


def test_a_split_is_cut_to_what_the_schema_takes() -> None:
    names = ["x" * 60 + f"-{index:02}" for index in range(16)]
    matched = [Rule(name, (Share(version(name), 1),), (Match(method="POST"),)) for name in names]
    in_force = plan(*matched, dict.fromkeys(names, 1))

    made = policy_status({}, generation=1, verdicts={}, now=NOW, in_force=in_force)

    assert len(made["split"]) == 2048


@pytest.mark.parametrize(
    ("one", "other", "equal"),
    [
        pytest.param({"split": "a"}, {"split": "a"}, True, id="equal"),
        pytest.param({"split": "a"}, {"split": "b"}, False, id="another value"),
        pytest.param({"split": "a", "routes": []}, {"split": "a"}, True, id="empty is as good as absent"),
        pytest.param({}, {"split": "a"}, False, id="one more"),
    ],
)
def test_whether_two_statuses_say_the_same(one: dict[str, Any], other: dict[str, Any], equal: bool) -> None:
    assert same(one, other) is equal
