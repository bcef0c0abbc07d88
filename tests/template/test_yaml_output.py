"""YAML that every parser reads as the text it was."""

import pytest
import yaml

from turnout.yaml_output import dump


@pytest.mark.parametrize(
    "text",
    [
        "1e3",
        "12e03",
        "0o7",
        "0x1f",
        "1_000",
        "y",
        "N",
        "on",
        "no",
        "null",
        "~",
        "",
        " a",
        "a: b",
        "1.5",
        ".5e3",
        "=",
        "+1",
        "-",
    ],
)
def test_text_that_another_parser_may_take_for_something_else_is_quoted(text: str) -> None:
    assert dump([{"key": text}]) in (f'key: "{text}"\n', f"key: '{text}'\n")


@pytest.mark.parametrize("text", ["wisdom-0", "turnout.dev/v1alpha1", "POST", "blue-green", "a b"])
def test_plain_text_stays_plain(text: str) -> None:
    assert dump([{"key": text}]) == f"key: {text}\n"


@pytest.mark.parametrize("text", ["true", "é", "a\nb", "\u2028", "[ab].*", "#x", '"', "\\", "True"])
def test_any_text_can_be_read_back(text: str) -> None:
    assert yaml.safe_load(dump([{text: [text]}])) == {text: [text]}


def test_repeated_parts_are_written_out() -> None:
    part = [1]
    assert dump([{"one": part, "two": part}]) == "one:\n- 1\ntwo:\n- 1\n"


def test_several_documents_are_told_apart() -> None:
    assert dump([{"one": 1}, {"two": 2}]) == "one: 1\n---\ntwo: 2\n"
