"""A plan as the annotation on its routes."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from turnout.decision.stored import Carried, dump, load, routed_uids
from turnout.plugin import Backend, Frontend, Match, Mirror, RoutePlan, Rule, Share, Version, VersionSpec
from turnout.testing.builders import plan, policy, version

TEXT = st.text(st.characters(codec="utf-8"), max_size=8)
PAIRS = st.lists(st.tuples(TEXT, TEXT), max_size=2).map(tuple)
HOW = st.sampled_from(("exact", "prefix", "regex"))
CONDITIONS = st.lists(st.tuples(TEXT, HOW, TEXT), max_size=2).map(tuple)
MATCHES = st.builds(
    Match, CONDITIONS, CONDITIONS, st.none() | st.tuples(HOW, TEXT), st.none() | st.just("POST")
)
BACKENDS = st.builds(Backend, TEXT, TEXT, st.integers(1, 65535), TEXT, st.none() | TEXT, PAIRS)
FRONTENDS = st.builds(
    Frontend,
    TEXT,
    TEXT,
    st.lists(TEXT, max_size=2).map(tuple),
    st.integers(1, 65535),
    st.sampled_from(("http", "grpc")),
    PAIRS,
    st.booleans(),
)


@st.composite
def plans(draw: st.DrawFn) -> RoutePlan:
    """Any plan that can have been sealed."""
    names = draw(st.lists(TEXT, min_size=1, max_size=3, unique=True))
    backends = st.dictionaries(TEXT, BACKENDS, max_size=2)
    others = st.lists(TEXT, max_size=2).map(tuple)
    versions = [
        Version(
            *(VersionSpec(name, draw(TEXT)), True, True, "Ready"),
            backends=draw(backends),
            uid=draw(TEXT),
            other_uids=draw(others),
        )
        for name in names
    ]
    one = st.sampled_from(versions)
    shares = st.builds(Share, one, st.integers(1, 1_000_000), PAIRS)
    mirrors = st.builds(Mirror, one, st.floats(0.001, 100))

    def rule(matches: st.SearchStrategy[list[Match]]) -> Rule:
        return Rule(
            draw(TEXT),
            tuple(draw(st.lists(shares, min_size=1, max_size=2))),
            tuple(draw(matches)),
            tuple(draw(st.lists(mirrors, max_size=2))),
        )

    matched = [rule(st.lists(MATCHES, min_size=1, max_size=2)) for _ in range(draw(st.integers(0, 2)))]
    frontends = tuple(draw(st.lists(FRONTENDS, max_size=2)))
    return RoutePlan(policy(), frontends, (*matched, rule(st.just([]))))


def text_of(one: RoutePlan) -> str:
    return dump(Carried(one, "toy"))


def loaded(text: str, one: RoutePlan) -> RoutePlan:
    back = load(text, one.policy)
    assert back is not None
    assert back.environment == "toy"
    return back.plan


@given(plans())
def test_a_plan_comes_back_as_it_was(one: RoutePlan) -> None:
    """But for what only the moment tells of a version, such as whether it is ready."""
    back = loaded(text_of(one), one)

    assert text_of(back) == text_of(one)
    assert (back.policy, back.frontends) == (one.policy, one.frontends)
    assert [(rule.name, rule.matches) for rule in back.rules] == [
        (rule.name, rule.matches) for rule in one.rules
    ]
    for found, said in zip(back.versions(), one.versions(), strict=True):
        assert (found.name, found.uid, found.other_uids) == (said.name, said.uid, said.other_uids)
        assert found.backends == said.backends


@given(plans())
def test_equal_plans_give_equal_text(one: RoutePlan) -> None:
    back = loaded(text_of(one), one)

    assert text_of(loaded(text_of(back), one)) == text_of(one)


@given(plans())
def test_the_uids_of_a_text_are_those_of_its_plan(one: RoutePlan) -> None:
    versions = list(one.versions())
    uids = {uid for version in versions for uid in (version.uid, *version.other_uids)}
    assert routed_uids(text_of(one)) == uids - {""}


@pytest.mark.parametrize("text", [None, "", "{}", "no JSON"])
def test_a_text_that_is_no_plan_has_no_uids(text: str | None) -> None:
    assert routed_uids(text) == frozenset()


@given(plans(), plans())
def test_a_move_keeps_the_plan_that_it_began_with(now: RoutePlan, first: RoutePlan) -> None:
    text = dump(Carried(now, "toy", {"toy": {"port": 80}}, first))
    back = load(text, now.policy)

    assert back is not None
    assert dump(back) == text
    assert (text_of(back.plan), text_of(back.whole)) == (text_of(now), text_of(first))
    assert back.config == {"toy": {"port": 80}}


def test_what_a_reader_may_do_without_is_stored_only_where_it_tells_something() -> None:
    assert dump(Carried(PLAN, "toy", {}, PLAN)) == text_of(PLAN)


def test_what_a_later_version_stores_besides_is_read_over() -> None:
    assert loaded(spoilt(later={"a": 1}), PLAN) == loaded(spoilt(), PLAN)


PLAN = plan(
    Rule("post", (Share(version("wisdom-1"), 100),), (Match(method="POST"),)),
    Rule("default", (Share(version("wisdom-0"), 100),), mirrors=(Mirror(version("wisdom-1"), 50),)),
)
DOCUMENT: dict[str, Any] = json.loads(text_of(PLAN))
DEFAULT = DOCUMENT["rules"][1]


def spoilt(**fields: Any) -> str:
    return json.dumps({**DOCUMENT, **fields})


def default(**fields: Any) -> str:
    """The plan with another last rule."""
    return spoilt(rules=[{**DEFAULT, **fields}])


def test_the_document_that_is_spoilt_below_is_good() -> None:
    assert load(spoilt(), PLAN.policy) is not None
    assert load(default(), PLAN.policy) is not None


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(None, id="no annotation"),
        pytest.param("", id="empty"),
        pytest.param("{", id="cut off"),
        pytest.param("null", id="null"),
        pytest.param("[]", id="a list"),
        pytest.param("{}", id="no format"),
        pytest.param("[" * 100_000, id="nested too deeply"),
        pytest.param(spoilt(format=2), id="a later format"),
        pytest.param(spoilt(versions=[]), id="versions that are a list"),
        pytest.param(spoilt(versions={}), id="versions that are not there"),
        pytest.param(spoilt(frontends=[{"name": "a"}]), id="half a frontend"),
        pytest.param(spoilt(rules=[]), id="no rules"),
        pytest.param(spoilt(rules="all"), id="rules that are text"),
        pytest.param(spoilt(rules=DOCUMENT["rules"][:1]), id="a last rule with matches"),
        pytest.param(spoilt(rules=[DEFAULT, DEFAULT]), id="a rule without matches before the last"),
        pytest.param(spoilt(start={}), id="a start that is no plan"),
        pytest.param(spoilt(start={**DOCUMENT, "rules": [DEFAULT, DEFAULT]}), id="a start that ends early"),
        pytest.param(spoilt(config={"toy": 1}), id="options that are a number"),
        pytest.param(default(shares=[]), id="no shares"),
        pytest.param(default(shares=[["wisdom-0", "100", []]]), id="a weight that is text"),
        pytest.param(default(shares=[["wisdom-0", 0, []]]), id="weight 0"),
        pytest.param(default(shares=[["wisdom-0", -5, []]]), id="a negative weight"),
        pytest.param(default(shares=[["wisdom-0", True, []]]), id="a weight that is a truth"),
        pytest.param(default(shares=[["wisdom-0", 1]]), id="half a share"),
        pytest.param(default(shares=[["wisdom-9", 1, []]]), id="an unknown version"),
        pytest.param(default(mirrors=[["wisdom-1", 101]]), id="a mirror of too much"),
        pytest.param(default(mirrors=[["wisdom-1", None]]), id="a mirror of nothing"),
        pytest.param(default(matches=[{"headers": [["a", "like", "b"]]}]), id="a match of another kind"),
        pytest.param(
            spoilt(
                versions={"wisdom-0": {"namespace": "models", "uid": "", "backends": {"inference": "host"}}}
            ),
            id="a backend that is text",
        ),
    ],
)
def test_an_annotation_that_someone_has_spoilt_is_as_none(text: str | None) -> None:
    assert load(text, PLAN.policy) is None


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63)
    | st.floats(allow_nan=False)
    | st.text(max_size=5),
    lambda children: (
        st.lists(children, max_size=3) | st.dictionaries(st.text(max_size=5), children, max_size=3)
    ),
    max_leaves=10,
)


@given(st.dictionaries(st.sampled_from(sorted(DOCUMENT)), JSON, min_size=1))
def test_no_annotation_breaks_anything(fields: dict[str, Any]) -> None:
    back = load(spoilt(**fields), PLAN.policy)

    assert back is None or dump(back)
