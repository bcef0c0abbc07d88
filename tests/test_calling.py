"""Calls into plugin code: whatever it raises becomes a failure of that plugin."""

from typing import Any

import pytest

from tests.toys.naughty import Raises, Recurses
from turnout.calling import MESSAGE_LIMIT, Abandoned, Calls, PluginFailed, Quarantined, Sentence, describe
from turnout.plugin import Options

INPUTS: Any = None


class Unreadable(Exception):  # noqa: N818  a plugin's own
    def __str__(self) -> str:
        raise ValueError("no text for you")


def test_a_call_gives_what_the_plugin_returns() -> None:
    assert Calls().to("toy", max, 3, 7) == 7


@pytest.mark.parametrize("error", [ValueError("bad"), SystemExit(3), GeneratorExit(), StopIteration()])
def test_whatever_a_plugin_raises_is_its_failure(error: BaseException) -> None:
    with pytest.raises(PluginFailed) as caught:
        Calls().to("toy-raises", Raises(error).decide, INPUTS, Options())

    assert (caught.value.plugin, caught.value.method) == ("toy-raises", "decide")
    assert str(caught.value).startswith(f"plugin toy-raises: decide raised {type(error).__name__}")
    assert caught.value.__cause__ is error


def test_endless_recursion_is_a_failure() -> None:
    with pytest.raises(PluginFailed, match="decide raised RecursionError"):
        Calls().to("toy-recurses", Recurses().decide, INPUTS, Options())


def test_control_c_on_the_main_thread_is_the_users() -> None:
    with pytest.raises(KeyboardInterrupt):
        Calls().to("toy-raises", Raises(KeyboardInterrupt()).decide, INPUTS, Options())


def test_a_call_through_a_lambda_is_named_by_its_method() -> None:
    with pytest.raises(PluginFailed) as caught:
        Calls().to("toy-raises", lambda: Raises().decide(INPUTS, Options()))

    assert caught.value.method == "decide"


def test_it_is_known_who_runs() -> None:
    calls = Calls()

    seen = [calls.running, calls.to("toy", lambda: calls.running), calls.running]

    assert seen == [None, "toy", None]


def test_a_call_within_a_call_blames_the_inner_one() -> None:
    calls = Calls()

    def outer() -> str | None:
        with pytest.raises(PluginFailed, match="plugin inner: int raised ValueError"):
            calls.to("outer", lambda: calls.to("inner", int, "x"))
        return calls.running

    assert calls.to("outer", outer) == "outer"


def test_a_plugin_in_quarantine_is_not_called() -> None:
    calls = Calls({"toy": Sentence(until=100.0, delay=60.0, reason="took too long")})

    with pytest.raises(Quarantined, match="plugin toy: took too long") as caught:
        calls.to("toy", pytest.fail, "called")

    assert caught.value.until == 100.0


def test_an_abandoned_decision_ends_at_its_next_call() -> None:
    calls = Calls()
    calls.abandoned = True

    with pytest.raises(Abandoned):
        calls.to("toy", pytest.fail, "called")


def test_an_error_is_told_on_one_line_that_is_not_too_long() -> None:
    text = describe(ValueError("first\n  second " + "x" * 9999))

    assert text.startswith("ValueError: first second xxx")
    assert len(text) < MESSAGE_LIMIT + 20


def test_an_error_whose_text_raises_is_told_all_the_same() -> None:
    assert describe(Unreadable()) == "Unreadable: (an error whose text cannot be read)"
