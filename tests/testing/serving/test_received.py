"""What was received is counted for ever, and remembered for a while."""

from turnout.testing.serving import Key, Received
from turnout.testing.serving.received import KEYS, LONGEST, OTHERS


def key(*headers: str | None) -> Key:
    return Key("wisdom", "wisdom__isvc-0123456789", "v0", "OK", headers)


def test_the_last_calls_are_kept() -> None:
    received = Received(calls=3)
    for number in range(5):
        received.note(number, number + 0.5, key())
    assert [call.began for call in received.calls()] == [2, 3, 4]
    assert received.answered() == {"wisdom": 5}


def test_headers_that_never_repeat_are_told_apart_no_longer() -> None:
    received = Received(["X-Request-Id"])
    for number in range(KEYS + 50):
        received.note(0, 1, key(str(number)))
    received.note(0, 1, key("7"))
    counts = received.counts()
    assert len(counts) == KEYS + 1
    assert (counts[key()], counts[key("7")]) == (50, 2)


def test_names_that_never_repeat_are_told_apart_no_longer() -> None:
    received = Received(calls=10)
    for number in range(2 * KEYS + 50):
        received.note(0, 1, Key(f"wisdom-{number}", "", "", "NOT_FOUND", ()))
    received.note(0, 1, Key("wisdom-7", "", "", "NOT_FOUND", ()))
    counts = received.counts()
    assert len(counts) == 2 * KEYS + 1
    assert counts[Key(OTHERS, "", "", "NOT_FOUND", ())] == 50
    assert counts[Key("wisdom-7", "", "", "NOT_FOUND", ())] == 2


def test_of_long_names_and_values_the_beginning_is_kept() -> None:
    received = Received(["x"])
    received.note(0, 1, Key("w" * 9999, "", "", "NOT_FOUND", ("v" * 9999,)))
    assert list(received.counts()) == [Key("w" * LONGEST, "", "", "NOT_FOUND", ("v" * LONGEST,))]


def test_headers_have_their_names_in_json() -> None:
    received = Received(["X-User", "traffic"])
    assert received.as_json(key("me", None))["headers"] == {"x-user": "me", "traffic": None}
    assert received.as_json(key())["headers"] == {}
