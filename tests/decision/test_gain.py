"""Which shifts give a version more, and which only rescue calls from one that is lost."""

import pytest

from turnout.decision.gain import gaining, rescues
from turnout.plugin import Match, Mirror, Rule, Share, Version
from turnout.testing.builders import plan, version

POST, GET = Match(method="POST"), Match(method="GET")


def canary(*matches: Match) -> Rule:
    return Rule("canary", (Share(version("wisdom-1"), 100),), matches)


def mirrored(percentage: float) -> Rule:
    shares = (Share(version("wisdom-0"), 100),)
    return Rule("default", shares, mirrors=(Mirror(version("wisdom-1"), percentage),))


ALONE = {"wisdom-0": 100}


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        pytest.param([ALONE], [ALONE], (), id="the same"),
        pytest.param([ALONE], [{"wisdom-0": 50, "wisdom-1": 50}], ("wisdom-1",), id="a new one"),
        pytest.param([{"wisdom-0": 1, "wisdom-1": 1}], [{"wisdom-0": 50, "wisdom-1": 50}], (), id="as before"),
        pytest.param([{"wisdom-0": 20, "wisdom-1": 80}], [{"wisdom-0": 80, "wisdom-1": 20}], ("wisdom-0",), id="back"),
        pytest.param([{"wisdom-0": 50, "wisdom-1": 50}], [ALONE], ("wisdom-0",), id="one leaves"),
        pytest.param([ALONE], [canary(POST), ALONE], ("wisdom-1",), id="a match"),
        pytest.param([canary(POST), ALONE], [canary(POST, GET), ALONE], ("wisdom-1",), id="another match"),
        pytest.param([canary(POST, GET), ALONE], [canary(POST), ALONE], (), id="a match less"),
        pytest.param([ALONE], [mirrored(10)], ("wisdom-1",), id="copies"),
        pytest.param([mirrored(10)], [mirrored(20)], ("wisdom-1",), id="more copies"),
        pytest.param([mirrored(20)], [mirrored(10)], (), id="fewer copies"),
    ],
)  # fmt: skip
def test_who_gains(before: list[Rule], after: list[Rule], expected: tuple[str, ...]) -> None:
    assert gaining(plan(*before), plan(*after)) == expected


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        pytest.param([version("wisdom-0"), version("wisdom-1")], False, id="both are there"),
        pytest.param([version("wisdom-0"), version("wisdom-1", ready=False)], True, id="one is not ready"),
        pytest.param([version("wisdom-0")], True, id="one is gone"),
        pytest.param([version("wisdom-0"), version("wisdom-1", uid="another")], True, id="one is another"),
    ],
)
def test_what_is_a_rescue(now: list[Version], expected: bool) -> None:
    assert rescues(plan({"wisdom-0": 50, "wisdom-1": 50}), now) is expected
