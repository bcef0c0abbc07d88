"""Strategies that decide nonsense: each time one error, by the field, and what would be right."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from tests.decision.scripted import everything, world
from tests.decision.test_odd_answers import change, table
from turnout.calling import PluginError
from turnout.plugin import Decision, Inputs, Match, MatchType, Mirror, Rule, Share
from turnout.testing.builders import version

USER: tuple[str, MatchType, str] = ("x-user", "exact", "test")


def _rule(inputs: Inputs, **fields: Any) -> Decision:
    """A rule with these fields before the last one."""
    rule = Rule("odd", (Share(inputs.version("wisdom-1"), 100),), (Match(headers=(USER,)),))
    return _decision(inputs, rules=(replace(rule, **fields), *everything(inputs).rules))


def _decision(inputs: Inputs, **fields: Any) -> Decision:
    return replace(everything(inputs), **fields)


def _share(inputs: Inputs, **fields: Any) -> Decision:
    share = replace(Share(inputs.version("wisdom-1"), 100), **fields)
    return _rule(inputs, shares=(share,))


def _match(inputs: Inputs, **fields: Any) -> Decision:
    return _rule(inputs, matches=(Match(**fields),))


HEADERS = "a tuple of pairs of a header's name and its value, on one line"
CONDITIONS = 'a tuple of such as ("x-user", "exact", "test")'


@pytest.mark.parametrize(
    ("make", "fields", "told"),
    table(
        (lambda inputs: "everything", {}, "str, expected a Decision"),
        (_decision, {"rules": None}, "rules=null, expected a tuple of Rule"),
        (_decision, {"rules": ("everything",)}, 'rules[0]="everything", expected a Rule'),
        (_decision, {"reasons": ["because"]}, 'reasons=["because"], expected reasons to be a mapping'),
        (_decision, {"reasons": {"wisdom-0": 5}}, "the reason 5 for wisdom-0, expected a sentence"),
        (_decision, {"state": None}, "state=null, expected state to be a mapping"),
        (
            _decision,
            {"requeue_after": 60},
            "requeue_after=60, expected requeue_after to be a timedelta or None",
        ),
        (_rule, {"name": None}, "rules[0].name=null, expected a name on one line"),
        (_rule, {"name": ""}, 'rules[0].name="", expected a name on one line'),
        (_rule, {"name": "a\nb"}, 'rules[0].name="a\\nb", expected a name on one line'),
        (_rule, {"name": "\ud800"}, 'rules[0].name="\\ud800", expected a name on one line'),
        (_rule, {"name": "x" * 254}, f'rules[0].name="{"x" * 58}…, expected a name on one line'),
        (_rule, {"shares": None}, "rules[0].shares=null, expected a tuple of Share"),
        (
            _rule,
            {"shares": {"wisdom-0": 100}},
            'rules[0].shares={"wisdom-0": 100}, expected a tuple of Share',
        ),
        (_rule, {"shares": ("wisdom-0",)}, 'rules[0].shares[0]="wisdom-0", expected a Share'),
        (_share, {"version": "wisdom-0"}, 'rules[0].shares[0].version="wisdom-0", expected a Version of the'),
        (
            _share,
            {"version": change(version("a"), spec=None)},
            "rules[0].shares[0].version=Version(spec=None",
        ),
        *(
            (
                _share,
                {"set_response_headers": given},
                f"rules[0].shares[0].set_response_headers={said}, expected {HEADERS}",
            )
            for given, said in (
                ({"x": "y"}, '{"x": "y"}'),
                (("a",), '["a"]'),
                ((("x", 5),), '[["x", 5]]'),
                ((("x\n y", "z"),), '[["x\\n y", "z"]]'),
                ((("x", "y\r\nz"),), '[["x", "y\\r\\nz"]]'),
            )
        ),
        (_rule, {"mirrors": None}, "rules[0].mirrors=null, expected a tuple of Mirror"),
        (
            _rule,
            {"mirrors": (change(Mirror(version("wisdom-1")), version=None),)},
            "rules[0].mirrors[0].version=null, expected a Version of the Inputs",
        ),
        (_rule, {"matches": ("POST",)}, 'rules[0].matches[0]="POST", expected a Match'),
        (_rule, {"matches": ({"headers": {}},)}, 'rules[0].matches[0]={"headers": {}}, expected a Match'),
        (_match, {}, "rules[0].matches[0] without any condition, expected headers, query, path or method"),
        *(
            (_match, {"headers": given}, f"rules[0].matches[0].headers={said}, expected {CONDITIONS}")
            for given, said in (
                ({"a": "b"}, '{"a": "b"}'),
                (("a",), '["a"]'),
                ((("a", "exact", 5),), '[["a", "exact", 5]]'),
                ((("a", "equals", "b"),), '[["a", "equals", "b"]]'),
                ((("a b", "exact", "c"),), '[["a b", "exact", "c"]]'),
                ((("a", "exact", "b\nc"),), '[["a", "exact", "b\\nc"]]'),
            )
        ),
        (
            _match,
            {"query": (("a", "like", "b"),)},
            'rules[0].matches[0].query=[["a", "like", "b"]], expected a',
        ),
        (
            _match,
            {"path": ("like", "/")},
            'rules[0].matches[0].path=["like", "/"], expected None, or such as',
        ),
        (
            _match,
            {"path": "/v2"},
            'rules[0].matches[0].path="/v2", expected None, or such as ("prefix", "/v2")',
        ),
        (_match, {"method": "GET POST"}, 'rules[0].matches[0].method="GET POST", expected None, or such as'),
    ),
)
def test_nonsense_in_a_decision_is_the_strategys_error(
    make: Any, fields: Mapping[str, Any], told: str
) -> None:
    with pytest.raises(PluginError) as caught:
        world(lambda inputs: make(inputs, **fields)).ask()

    assert caught.value.plugin == "scripted"
    assert caught.value.message.startswith(f"plugin scripted: decide returned {told}")


def test_reasons_are_told_short_and_on_one_line() -> None:
    said = {"wisdom-0": "a\nb\x1b[31m", "wisdom-1": "very " * 200_000}

    reasons = world(lambda inputs: everything(inputs, reasons=said)).ask().reasons

    assert reasons["wisdom-0"] == "a b\\u001b[31m"
    assert (reasons["wisdom-1"][:10], len(reasons["wisdom-1"])) == ("very very ", 512)
