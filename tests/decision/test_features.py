"""What a plan asks of a router's network."""

from typing import Any

import pytest

from turnout.plugin import (
    Match,
    Mirror,
    RoutePlan,
    Rule,
    Share,
)
from turnout.testing.builders import FRONTEND, backend, plan, version

PLAIN: dict[str, Any] = {"backends": {"inference": backend("", set_headers=())}}


def rule(*matches: Match, **fields: Any) -> Rule:
    return Rule(
        **{"name": "one", "shares": (Share(version("wisdom-0", **PLAIN), 1),), "matches": matches, **fields}
    )


def mirroring(*percentages: float, **fields: Any) -> Rule:
    mirrors = tuple(Mirror(version(f"m-{n}", **{**PLAIN, **fields}), p) for n, p in enumerate(percentages))
    return rule(mirrors=mirrors)


def reached_by(authority: str | None) -> Share:
    """A share of a version that goes by an authority."""
    return Share(version("v", backends={FRONTEND.name: backend("", set_headers=(), authority=authority)}), 1)


@pytest.mark.parametrize(
    ("of", "features"),
    [
        pytest.param(plan(rule()), set(), id="nothing"),
        pytest.param(plan({"wisdom-0": 1}), {"request-headers"}, id="a request header"),
        pytest.param(plan({"wisdom-0": 1, "wisdom-1": 1}), {"weights", "request-headers"}, id="weights"),
        pytest.param(plan(rule(Match((("a", "exact", "1"),)))), {"header-exact"}, id="header"),
        pytest.param(plan(rule(Match((("a", "prefix", "1"),)))), {"header-prefix"}, id="header prefix"),
        pytest.param(plan(rule(Match((("a", "regex", "1"),)))), {"header-regex"}, id="header regex"),
        pytest.param(plan(rule(Match(query=(("a", "exact", "1"),)))), {"query-exact"}, id="query"),
        pytest.param(plan(rule(Match(query=(("a", "prefix", "1"),)))), {"query-prefix"}, id="query prefix"),
        pytest.param(plan(rule(Match(query=(("a", "regex", "1"),)))), {"query-regex"}, id="query regex"),
        pytest.param(plan(rule(Match(path=("exact", "/")))), {"path-exact"}, id="path"),
        pytest.param(plan(rule(Match(path=("prefix", "/")))), {"path-prefix"}, id="path prefix"),
        pytest.param(plan(rule(Match(path=("regex", "/")))), {"path-regex"}, id="path regex"),
        pytest.param(plan(rule(Match(method="GET"))), {"method"}, id="method"),
        pytest.param(
            plan(rule(shares=(Share(version("a", **PLAIN), 1, (("set-cookie", "v=a"),)),))),
            {"response-headers"},
            id="response header",
        ),
        pytest.param(
            plan(
                rule(
                    shares=(
                        Share(version("a", backends={"f": backend("", set_headers=(), authority="a")}), 1),
                    )
                )
            ),
            {"authority"},
            id="authority",
        ),
        pytest.param(
            plan(rule(shares=(reached_by("a.example"), reached_by("a.example")))),
            {"weights", "authority"},
            id="one authority for all shares",
        ),
        pytest.param(
            plan(rule(shares=(reached_by("a.example"), reached_by(None)))),
            {"weights", "authority", "authority-per-share"},
            id="an authority for one of the shares",
        ),
        pytest.param(
            plan(
                rule(
                    shares=(
                        Share(version("a", backends={"f": backend("", set_headers=(), namespace="b")}), 1),
                    )
                )
            ),
            {"cross-namespace"},
            id="another namespace",
        ),
        pytest.param(plan(mirroring(100)), {"mirror"}, id="mirror"),
        pytest.param(plan(mirroring(99.9)), {"mirror", "mirror-percentage"}, id="part of a mirror"),
        pytest.param(plan(mirroring(100, 100)), {"mirror", "several-mirrors"}, id="several mirrors"),
        pytest.param(
            plan(mirroring(100, backends={"f": backend("m")})),
            {"mirror", "mirror-headers"},
            id="mirror with a header",
        ),
        pytest.param(
            plan(mirroring(100, backends={"f": backend("m", set_headers=(), authority="m.example.com")})),
            {"mirror", "mirror-authority"},
            id="mirror to another host",
        ),
        pytest.param(
            plan(mirroring(100, backends={"f": backend("m", set_headers=(), namespace="b")})),
            {"mirror", "cross-namespace"},
            id="mirror in another namespace",
        ),
    ],
)
def test_what_a_plan_asks_is_measured(of: RoutePlan, features: set[str]) -> None:
    assert {str(feature) for feature in of.features()} == features
