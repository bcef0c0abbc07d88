"""What is said of data that people write: one line a fault, with the place, what is there and what is right."""

from enum import StrEnum
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator
from pydantic.alias_generators import to_camel

from turnout.errors import Invalid, Problem
from turnout.validation import Expected, broken, nearest, parse, path_of, shown


class Fallback(StrEnum):
    PRIMARY = "primary"
    CANDIDATE = "candidate"


class Server(BaseModel):
    model_config = ConfigDict(extra="forbid", alias_generator=to_camel)

    host_name: Annotated[str, Expected("a host's name")]
    port: int = Field(default=80, ge=1, le=65535)


class Everything(BaseModel):
    model_config = ConfigDict(extra="forbid", alias_generator=to_camel)

    share: float = Field(default=1, gt=0, lt=1)
    retries: int = Field(default=0, ge=0)
    strict_number: int = Field(default=0, strict=True)
    name: str = Field(default="a", max_length=3)
    tag: str = Field(default="v1", pattern="^v")
    enabled: bool = True
    fallback: Fallback = Fallback.PRIMARY
    mode: Literal["fast", "safe"] = "fast"
    server: Server | None = None
    servers: tuple[Server, ...] = ()
    pair: list[int] = Field(default_factory=list, max_length=2)
    several: list[int] = Field(default_factory=lambda: [1], min_length=1)
    weights: dict[str, Annotated[int, Field(ge=0)]] = Field(default_factory=dict)
    short_keys: dict[Annotated[str, Field(max_length=2)], Any] = Field(default_factory=dict)
    either: int | bool | None = None
    even: int = 0

    @field_validator("even")
    @classmethod
    def _even(cls, value: int) -> int:
        if value % 2:
            raise ValueError("odd numbers bring bad luck")
        return value

    @model_validator(mode="after")
    def _rule(self) -> "Everything":
        if self.retries and not self.enabled:
            raise broken("0 while enabled is false", "retries", found=self.retries)
        return self


def lines(data: object, prefix: str = "") -> list[str]:
    with pytest.raises(Invalid) as refused:
        parse(Everything, data, subject="example", prefix=prefix)
    return [str(problem) for problem in refused.value.problems]


@pytest.mark.parametrize(
    ("data", "line"),
    [
        pytest.param({"share": 2}, "share: found 2, expected a number above 0 and below 1", id="open range"),
        pytest.param({"retries": -1}, "retries: found -1, expected an integer of at least 0", id="one bound"),
        pytest.param({"retries": "x"}, 'retries: found "x", expected an integer of at least 0', id="type"),
        pytest.param({"strictNumber": 1.5}, "strictNumber: found 1.5, expected an integer", id="fraction"),
        pytest.param(
            {"name": "long"}, 'name: found "long", expected a string of at most 3 characters', id="length"
        ),
        pytest.param({"tag": "1"}, 'tag: found "1", expected a string that matches ^v', id="pattern"),
        pytest.param({"enabled": {}}, "enabled: found {}, expected true or false", id="boolean"),
        pytest.param(
            {"fallback": "x"}, 'fallback: found "x", expected primary or candidate', id="enumeration"
        ),
        pytest.param(
            {"mode": "sfae"},
            'mode: found "sfae", expected fast or safe; did you mean "safe"?',
            id="near value",
        ),
        pytest.param({"server": {}}, "server.hostName: missing, expected a host's name", id="missing"),
        pytest.param(
            {"servers": [{"hostName": "a"}, {"hostName": "b", "port": 0}]},
            "servers[1].port: found 0, expected an integer 1..65535",
            id="in a list",
        ),
        pytest.param({"server": 5}, "server: found 5, expected an object", id="no object"),
        pytest.param({"servers": {"a": 1}}, 'servers: found {"a": 1}, expected a list', id="no list"),
        pytest.param(
            {"pair": [1, 2, 3]}, "pair: found 3 items, expected a list of at most 2 items", id="long list"
        ),
        pytest.param(
            {"several": []}, "several: found [], expected a list of at least 1 item", id="short list"
        ),
        pytest.param({"several": ["x"]}, 'several[0]: found "x", expected an integer', id="wrong item alone"),
        pytest.param(
            {"weights": {"a.b": -1}}, 'weights["a.b"]: found -1, expected an integer of at least 0', id="key"
        ),
        pytest.param(
            {"shortKeys": {"abc": 1}},
            'shortKeys: found key "abc", expected a string of at most 2 characters',
            id="bad key",
        ),
        pytest.param({"either": {}}, "either: found {}, expected an integer or true or false", id="union"),
        pytest.param({"even": 3}, "even: found 3: odd numbers bring bad luck", id="model's own words"),
        pytest.param({"retires": 1}, 'unknown field "retires"; did you mean "retries"?', id="near field"),
        pytest.param(
            {"server": {"hostName": "a", "xyz": 1}},
            'server: unknown field "xyz"; known: hostName, port',
            id="far field",
        ),
        pytest.param(
            {"ENABLED": 1}, 'unknown field "ENABLED"; did you mean "enabled"?', id="case of a field"
        ),
        pytest.param({1: 2}, "found key 1, expected a string", id="key that is no string"),
        pytest.param(
            {"retries": 1, "enabled": False}, "retries: found 1, expected 0 while enabled is false", id="rule"
        ),
        pytest.param([], "found [], expected an object", id="no document"),
    ],
)
def test_a_fault_is_one_line(data: object, line: str) -> None:
    assert lines(data) == [line]


def test_every_fault_is_told() -> None:
    assert lines({"retries": -1, "mode": "x", "retires": 1}) == [
        "retries: found -1, expected an integer of at least 0",
        'mode: found "x", expected fast or safe',
        'unknown field "retires"; did you mean "retries"?',
    ]


def test_paths_begin_with_the_prefix() -> None:
    assert lines({"retries": -1, "server": {}}, "spec.config.istio") == [
        "spec.config.istio.retries: found -1, expected an integer of at least 0",
        "spec.config.istio.server.hostName: missing, expected a host's name",
    ]


def test_one_problem_stands_beside_its_subject() -> None:
    assert (
        str(Invalid("values.yaml", [Problem("a", found="1", expected="2")]))
        == "values.yaml: a: found 1, expected 2"
    )


def test_several_problems_stand_below_their_subject() -> None:
    problems = [Problem("a", expected="2"), Problem("", "is empty")]
    assert str(Invalid("values.yaml", problems)) == "values.yaml:\n  a: missing, expected 2\n  is empty"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        pytest.param("a", '"a"', id="text"),
        pytest.param({"a": [1, None, True, 0.5]}, '{"a": [1, null, true, 0.5]}', id="JSON"),
        pytest.param("é \u2028\x1b", '"é \\u2028\\u001b"', id="only what a terminal prints"),
        pytest.param("x" * 100, '"' + "x" * 58 + "…", id="long text"),
        pytest.param(
            list(range(100)), "[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, …", id="long list"
        ),
        pytest.param(1 << 20000, "an integer of thousands of digits", id="long integer"),
    ],
)
def test_a_value_is_shown_as_short_json(value: object, text: str) -> None:
    assert shown(value) == text


def test_a_value_that_contains_itself_is_shown_as_far_as_there_is_room() -> None:
    endless: list[object] = []
    endless.append(endless)
    assert shown(endless) == "[" * 59 + "…"


def test_odd_keys_are_quoted_in_a_path() -> None:
    assert (
        path_of(["spec", "config", "kserve-modelmesh", 0, "a b", ""])
        == 'spec.config.kserve-modelmesh[0]["a b"][""]'
    )


@pytest.mark.parametrize(
    ("name", "near"),
    [("weigth", "weight"), ("WEIGHT", "weight"), ("", None), ("zzz", None)],
    ids=["letters swapped", "other case", "empty", "nothing like it"],
)
def test_the_nearest_name_is_found(name: str, near: str | None) -> None:
    assert nearest(name, ["name", "weight"]) == near
