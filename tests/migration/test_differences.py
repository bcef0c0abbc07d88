"""Whether two VirtualServices route alike."""

from typing import Any

import pytest

from turnout.migration.differences import of_objects, of_routes

Object = dict[str, Any]


def to(name: str, weight: int | None = None, **more: Any) -> Object:
    said: Object = {"destination": {"host": name}, **more}
    return said if weight is None else {**said, "weight": weight}


def spec(*routes: Object, **rule: Any) -> Object:
    return {"hosts": ["a", "b"], "gateways": ["g", "mesh"], "http": [{"route": [*routes], **rule}]}


@pytest.mark.parametrize(
    ("left", "right"),
    [
        pytest.param(spec(to("a")), spec(to("a", 100)), id="one destination has all"),
        pytest.param(spec(to("a")), spec(to("a", 7)), id="by any weight"),
        pytest.param(spec(to("a", 50), to("b", 50)), spec(to("a", 1), to("b", 1)), id="weights are relative"),
        pytest.param(spec(to("a", 1), to("b", 2)), spec(to("a", 50), to("b", 100)), id="also in thirds"),
        pytest.param(
            spec(to("a", 1), to("b", 1), to("c", 0)), spec(to("a", 1), to("b", 1)), id="0 is nothing"
        ),
        pytest.param(spec(to("a"), name="rule"), spec(to("a")), id="names of rules"),
        pytest.param(
            spec(to("a"), mirror={"host": "b"}),
            spec(to("a"), mirrors=[{"destination": {"host": "b"}, "percentage": {"value": 100.0}}]),
            id="the field for copies",
        ),
        pytest.param(
            {**spec(to("a")), "hosts": ["b", "a"], "gateways": ["mesh", "g"]},
            spec(to("a")),
            id="the order of hosts and gateways",
        ),
        pytest.param(
            spec(to("a"), match=[{"headers": {"Traffic": {"exact": "Test"}}}]),
            spec(to("a"), match=[{"headers": {"traffic": {"exact": "Test"}}}]),
            id="the case of names of headers",
        ),
    ],
)
def test_alike(left: Object, right: Object) -> None:
    assert of_routes(left, right) == []
    assert of_routes(right, left) == []


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [
        pytest.param(
            spec(to("a")),
            spec(to("b")),
            [("spec.http[0].route[0].destination.host", '"a"', '"b"')],
            id="another destination",
        ),
        pytest.param(
            spec(to("a", 1), to("b", 3)),
            spec(to("a", 1), to("b", 1)),
            [
                ("spec.http[0].route[0].weight", '"25%"', '"50%"'),
                ("spec.http[0].route[1].weight", '"75%"', '"50%"'),
            ],
            id="other shares",
        ),
        pytest.param(
            {**spec(to("a")), "gateways": ["mesh"]},
            {**spec(to("a")), "gateways": ["g"]},
            [("spec.gateways[0]", '"mesh"', '"g"')],
            id="another gateway",
        ),
        pytest.param(
            spec(to("a"), match=[{"headers": {"t": {"exact": "x"}}}]),
            spec(to("a"), match=[{"headers": {"t": {"exact": "X"}}}]),
            [("spec.http[0].match[0].headers.t.exact", '"x"', '"X"')],
            id="another match",
        ),
        pytest.param(
            spec(to("a", headers={"request": {"set": {"m": "1"}}})),
            spec(to("a")),
            [("spec.http[0].route[0].headers", '{"request": {"set": {"m": "1"}}}', "nothing")],
            id="a header",
        ),
        pytest.param(
            spec(to("a"), timeout="5s"),
            spec(to("a")),
            [("spec.http[0].timeout", '"5s"', "nothing")],
            id="anything else",
        ),
        pytest.param(
            {**spec(to("a")), "exportTo": ["."]},
            spec(to("a")),
            [("spec.exportTo", '["."]', "nothing")],
            id="who sees it",
        ),
    ],
)
def test_not_alike(left: Object, right: Object, expected: list[tuple[str, str, str]]) -> None:
    assert of_routes(left, right) == expected


def test_an_object_may_say_more_than_is_wanted() -> None:
    assert of_objects({"a": 1, "b": 2}, {"a": 1}, said=["a"]) == []
    assert of_objects({"b": 2}, {"a": 1}, said=[]) == [("spec.a", "nothing", "1")]


def test_what_somebody_has_said_would_be_lost() -> None:
    assert of_objects({"a": 1, "b": 2}, {"a": 1}, said=["a", "b"]) == [("spec.b", "2", "nothing")]


def test_weights_that_no_proxy_takes_are_told() -> None:
    assert of_routes(spec(to("a", -1), to("b", 1)), spec(to("a")))
