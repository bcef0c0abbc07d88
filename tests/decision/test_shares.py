"""Who gets how much, in numbers and in words."""

import pytest

from turnout.decision.shares import percent, share_of, shares, split
from turnout.plugin import Match, Mirror, RoutePlan, Rule, Share
from turnout.testing.builders import plan, version

BY_WEIGHT = plan({"wisdom-0": 1, "wisdom-1": 2})
MATCHED = plan(
    Rule("wisdom-1", (Share(version("wisdom-1"), 100),), (Match(method="POST"),)),
    Rule("default", (Share(version("wisdom-0"), 100),)),
)
MIRRORED = plan(
    Rule("default", (Share(version("wisdom-0"), 100),), mirrors=(Mirror(version("wisdom-1"), 12.5),))
)


def test_shares_are_percentages_of_the_last_rule() -> None:
    assert shares(plan({"wisdom-0": 20, "wisdom-1": 60})) == {"wisdom-0": 25, "wisdom-1": 75}
    assert shares(MATCHED) == {"wisdom-0": 100}


def test_without_a_plan_nobody_has_a_share() -> None:
    assert shares(None) == {}


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (0, "0%"),
        (0.04, "<0.1%"),
        (0.1, "0.1%"),
        (33.3333, "33.3%"),
        (50, "50%"),
        (66.6666, "66.7%"),
        (99.9, "99.9%"),
        (99.95, ">99.9%"),
        (100, "100%"),
    ],
)
def test_a_percentage_is_short_and_never_rounded_to_all_or_nothing(value: float, words: str) -> None:
    assert percent(value) == words


@pytest.mark.parametrize(
    ("of", "words"),
    [
        pytest.param(None, "", id="nothing"),
        pytest.param(plan({"wisdom-0": 20, "wisdom-1": 80}), "wisdom-0 20% / wisdom-1 80%", id="weights"),
        pytest.param(BY_WEIGHT, "wisdom-0 33.3% / wisdom-1 66.7%", id="fractions"),
        pytest.param(MATCHED, "wisdom-0 100%, wisdom-1 on match", id="matches"),
        pytest.param(MIRRORED, "wisdom-0 100%, wisdom-1 mirror 12.5%", id="mirrors"),
    ],
)
def test_a_plan_in_one_line(of: RoutePlan | None, words: str) -> None:
    assert split(of) == words


@pytest.mark.parametrize(
    ("of", "name", "words"),
    [
        pytest.param(BY_WEIGHT, "wisdom-1", "66.7%", id="a share"),
        pytest.param(MATCHED, "wisdom-1", "match", id="matches"),
        pytest.param(MIRRORED, "wisdom-1", "mirror 12.5%", id="copies"),
        pytest.param(MIRRORED, "wisdom-2", "0%", id="nothing"),
        pytest.param(None, "wisdom-0", "0%", id="no plan"),
    ],
)
def test_what_one_version_gets(of: RoutePlan | None, name: str, words: str) -> None:
    assert share_of(of, name) == words
