"""What people read of a verification, and what programs do."""

import json
from collections import Counter
from dataclasses import replace

import click
import pytest

from turnout.verification import report as reports
from turnout.verification.question import Question
from turnout.verification.report import Report
from turnout.verification.split import Share, Split, Strictness, of_weights
from turnout.verification.tally import HOPELESS, Failed, Tally

QUESTION = Question("localhost:8080", "wisdom.models", "wisdom")
DECIDED = of_weights({"wisdom-0": 20, "wisdom-1": 80})


def report(split: Split = DECIDED, **answers: int) -> Report:
    counts = Counter({name.replace("_", "-"): count for name, count in answers.items()})
    return Report(QUESTION, split, Tally(counts), Strictness())


def failing(code: str) -> Report:
    """Nothing was answered."""
    told = report()
    told.tally.fail(Failed(code))
    return told


def some_failed(told: Report, count: int) -> Report:
    """So many calls have failed besides."""
    for _ in range(count):
        told.tally.fail(Failed("HTTP 503"))
    return told


def lines(of: Report) -> list[str]:
    return [click.unstyle(line) for line in reports.text(of)]


def test_a_table_has_a_line_for_each_version() -> None:
    assert lines(report(wisdom_0=410, wisdom_1=1590)) == [
        "wisdom: 2000 calls to localhost:8080 as wisdom.models, 2000 answered",
        "  VERSION   DECIDED  ANSWERS   SHARE  INTERVAL",
        "  wisdom-0      20%      410   20.5%  17.5% to 23.8%    ████░░░░░░░░░░░░░░░░",
        "  wisdom-1      80%     1590   79.5%  76.2% to 82.5%    ████████████████░░░░",
        "matches: no share is off by more than 5 points, with 99.9% confidence",
    ]


def test_failures_are_counted_by_code_with_their_first_message() -> None:
    told = report(wisdom_0=1)
    for code, message in (("NOT_FOUND", ""), ("UNAVAILABLE", "no upstream"), ("UNAVAILABLE", "later")):
        told.tally.fail(Failed(code, message))
    assert lines(told)[0].endswith("4 calls to localhost:8080 as wisdom.models, 1 answered")
    assert lines(told)[-3:-1] == ["  failed: 2 x UNAVAILABLE: no upstream", "  failed: 1 x NOT_FOUND"]


@pytest.mark.parametrize(
    ("told", "sentence"),
    [
        pytest.param(
            report(wisdom_0=1600, wisdom_1=400),
            "differs: wisdom-0 gets 76.7% to 83%, and should get 20%; "
            "wisdom-1 gets 17% to 23.3%, and should get 80%",
            id="swapped",
        ),
        pytest.param(
            report(wisdom_0=400, wisdom_1=1600, wisdom_2=1),
            "differs: wisdom-2 answered 1 call, and is no version of the split",
            id="stranger",
        ),
        pytest.param(
            report(of_weights({"wisdom-0": 1, "wisdom-1": 0}), wisdom_0=400, wisdom_1=2),
            "differs: wisdom-1 answered 2 calls, and should get none; "
            "wisdom-0 gets 97% to >99.9%, and should get 100%",
            id="should get none",
        ),
        pytest.param(
            report(wisdom=2000),
            "not enough evidence: all versions answer as wisdom; let the routes tell who answered: "
            "the router's option appVersionHeader, and --header",
            id="by the model's name alone",
        ),
        pytest.param(
            report(wisdom=1999, wisdom_0=1),
            "differs: wisdom answered 1999 calls, and is no version of the split; "
            "wisdom-0 gets <0.1% to 0.5%, and should get 20%; wisdom-1 gets 0% to 0.4%, and should get 80%",
            id="by the model's name too",
        ),
        pytest.param(
            Report(replace(QUESTION, header="app-version"), DECIDED, Tally(Counter({"": 3})), Strictness()),
            "not enough evidence: no answer has the header app-version: "
            "the router's option appVersionHeader sets one",
            id="no header",
        ),
        pytest.param(
            Report(
                *(replace(QUESTION, header="app-version"), DECIDED),
                *(Tally(Counter({"": 3, "wisdom-1": 1})), Strictness()),
            ),
            "differs: (no app-version) answered 3 calls, and is no version of the split",
            id="a header of some answers",
        ),
        pytest.param(
            Report(QUESTION, DECIDED, Tally(Counter({"": 3})), Strictness()),
            "not enough evidence: no answer names a model; let the routes tell who answered: "
            "the router's option appVersionHeader, and --header",
            id="no name",
        ),
        pytest.param(
            some_failed(report(of_weights({"wisdom-0": 1, "wisdom-1": 1}), wisdom_0=1000), 1000),
            "not enough evidence: 1000 calls failed, which may have been for any version",
            id="all calls of a version fail",
        ),
        pytest.param(
            some_failed(report(wisdom_0=800, wisdom_1=3200), 6),
            "matches: no share is off by more than 5 points, with 99.9% confidence; but 6 calls failed",
            id="a few calls fail",
        ),
        pytest.param(
            some_failed(report(wisdom_0=1600, wisdom_1=400), 1),
            "differs: wisdom-0 gets 76.7% to 83%, and should get 20%; "
            "wisdom-1 gets 17% to 23.3%, and should get 80%",
            id="swapped, whatever the one that failed was for",
        ),
        pytest.param(
            report(wisdom_0=4, wisdom_1=16),
            "not enough evidence: 20 answers are too few; try --requests 3600",
            id="few",
        ),
        pytest.param(
            report(wisdom_0=40, wisdom_1=160),
            "not enough evidence: a share may be off by more than 5 points; try --requests 3600",
            id="not enough",
        ),
        pytest.param(
            report(wisdom_0=450, wisdom_1=1550),
            "not enough evidence: a share may be off by more than 5 points; try --requests 3600",
            id="many, by bad luck",
        ),
        pytest.param(
            replace(report(wisdom_0=20, wisdom_1=80), strictness=Strictness(tolerance=0.0001)),
            "not enough evidence: a share may be off by more than 0.01 points; try --tolerance 0.29",
            id="a tolerance for which no number of calls is enough",
        ),
        pytest.param(
            replace(report(wisdom_0=171_700, wisdom_1=678_300), strictness=Strictness(0.999999, 0.0036)),
            "not enough evidence: a share may be off by more than 0.36 points; try --requests 1000000",
            id="all that can be asked for",
        ),
        pytest.param(
            replace(report(wisdom_0=201_900, wisdom_1=798_100), strictness=Strictness(0.999999, 0.0036)),
            "not enough evidence: a share may be off by more than 0.36 points; try --tolerance 0.72",
            id="more than can be asked for",
        ),
        pytest.param(report(), "not enough evidence: nothing was answered", id="nothing"),
        *(
            pytest.param(failing(code), f"not enough evidence: nothing was answered{hint}", id=code)
            for code, hint in (
                ("UNAVAILABLE", ""),
                ("UNIMPLEMENTED", "; does localhost:8080 serve wisdom.models? see --authority"),
                ("HTTP 404", "; does localhost:8080 serve wisdom.models? see --authority"),
                ("HTTP 503", "; is the model served over HTTP?"),
                ("no HTTP", "; is the model served over HTTP?"),
            )
        ),
        pytest.param(
            Report(
                QUESTION, DECIDED, Tally(Counter({"wisdom-0": 1000})), Strictness(), doubt="it was changed"
            ),
            "not enough evidence: it was changed",
            id="changed",
        ),
        pytest.param(
            Report(QUESTION, DECIDED, Tally(), Strictness(), interrupted=True),
            "interrupted: no verdict",
            id="interrupted",
        ),
    ],
)
def test_the_verdict_says_what_it_stands_on(told: Report, sentence: str) -> None:
    assert lines(told)[-1] == sentence
    assert reports.data(told)["message"] == sentence


def test_many_names_that_are_none_of_versions_are_told_as_one() -> None:
    """Such as those of a header that is another one in each answer."""
    names = Counter({f"id-{number}": 1 for number in range(1000)} | {"id-7": 3, "wisdom-0": 200})
    told = Report(QUESTION, DECIDED, Tally(names), Strictness())
    found = lines(told)
    assert len(found) == 16
    assert [line.split()[0] for line in found[2:]][:12] == [
        *("wisdom-0", "wisdom-1"),
        *(f"id-{number}" for number in range(10)),
    ]
    assert found[14].split()[:6] == ["…", "990", "other", "names", "-", "990"]
    assert "; … 990 other names answered 990 calls, and is no version of the split; " in found[-1]
    assert [one["answers"] for one in reports.data(told)["versions"]] == [200, 0, *[1] * 7, 3, 1, 1, 990]


def test_what_a_terminal_would_obey_is_escaped() -> None:
    told = Report(QUESTION, of_weights({"\x1b[31m": 1}), Tally(Counter({"a\nb": 1})), Strictness())
    told.tally.fail(Failed("HTTP 503", "\x1b]0;"))
    found = lines(told)
    assert all(line.isprintable() for line in found)
    assert found[2].startswith('  "\\u001b[31m"  ')
    assert found[3].startswith('  "a\\nb" ')
    assert found[4] == '  failed: 1 x HTTP 503: "\\u001b]0;"'
    assert '"a\\nb" answered 1 call' in found[5]


def test_programs_read_numbers() -> None:
    told = report(wisdom_0=400, wisdom_1=1600, other=1)
    told.tally.fail(Failed("UNAVAILABLE", "no upstream"))
    found = json.loads(json.dumps(reports.data(told)))
    assert (found["verdict"], found["requests"], found["answered"]) == ("differs", 2002, 2001)
    assert found["failures"] == [{"code": "UNAVAILABLE", "count": 1, "message": "no upstream"}]
    first, _, other = found["versions"]
    assert (first["name"], first["decided"], first["answers"], first["verdict"]) == (
        "wisdom-0",
        0.2,
        400,
        "matches",
    )
    assert first["interval"][0] < first["share"] < first["interval"][1]
    assert (other["name"], other["decided"], other["verdict"]) == ("other", None, "differs")


@pytest.mark.parametrize("text", ["33.3%", "<0.1%", ">99.9%", "100%", "0%"])
def test_a_decided_share_is_shown_as_the_policy_says_it(text: str) -> None:
    assert reports.decided(Share.parse(text)) == text


def test_it_is_hopeless_when_many_calls_failed_and_none_was_answered() -> None:
    tally = Tally()
    for _ in range(HOPELESS):
        assert not tally.hopeless
        tally.fail(Failed("UNAVAILABLE"))
    assert tally.hopeless
    tally.answers["wisdom-0"] += 1
    assert not tally.hopeless
