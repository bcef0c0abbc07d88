"""What is made of the answers that an API server refuses a call with."""

import orjson
import pytest

from tests.support.scripted import status
from turnout.runtime.errors import ApiError, Verdict, classify
from turnout.runtime.transport import ConnectionFailed


def error(code: int, message: str = "because", reason: str = "Some") -> ApiError:
    return ApiError.from_response(code, {}, orjson.dumps(status(code, reason, message)), "get it")


@pytest.mark.parametrize(
    ("code", "verdict"),
    [
        (302, Verdict.WAIT),
        (400, Verdict.TERMINAL),
        (401, Verdict.WAIT),
        (403, Verdict.WAIT),
        (404, Verdict.WAIT),
        (405, Verdict.TERMINAL),
        (408, Verdict.RETRY),
        (409, Verdict.CONFLICT),
        (410, Verdict.RETRY),
        (413, Verdict.TERMINAL),
        (415, Verdict.TERMINAL),
        (418, Verdict.TERMINAL),
        (422, Verdict.TERMINAL),
        (429, Verdict.RETRY),
        (500, Verdict.RETRY),
        (502, Verdict.RETRY),
        (503, Verdict.RETRY),
        (504, Verdict.RETRY),
    ],
)
def test_each_status_asks_for_one_reaction(code: int, verdict: Verdict) -> None:
    assert classify(error(code)) is verdict


@pytest.mark.parametrize(
    "fault", [".spec.nonsense: field not declared in schema", ".spec.a: expected list, got &{3}"]
)
def test_a_body_that_server_side_apply_refuses_is_terminal_though_it_answers_500(fault: str) -> None:
    message = f"failed to create typed patch object (default/a; example.com/v1, Kind=Widget): {fault}"
    assert classify(error(500, message)) is Verdict.TERMINAL


def test_no_answer_is_worth_another_try() -> None:
    assert classify(ConnectionFailed("refused")) is Verdict.RETRY


def test_says_what_was_asked_and_what_the_server_said() -> None:
    assert str(error(409, "it was modified", "Conflict")) == "get it: it was modified (409 Conflict)"


def test_an_answer_that_is_no_status_is_shown_by_its_first_line() -> None:
    page = ApiError.from_response(502, {}, b"<h1>Bad Gateway</h1>\nnginx", "get it")
    assert (str(page), page.from_api) == ("get it: <h1>Bad Gateway</h1> (502)", False)


@pytest.mark.parametrize(
    ("header", "details", "seconds"),
    [
        pytest.param("2", {}, 2.0, id="header"),
        pytest.param("2", {"retryAfterSeconds": 5}, 2.0, id="header-before-details"),
        pytest.param(None, {"retryAfterSeconds": 5}, 5.0, id="details"),
        pytest.param(None, {}, None, id="none"),
        pytest.param("Wed, 21 Oct 2026 07:28:00 GMT", {}, None, id="date"),
        pytest.param("-1", {}, None, id="negative"),
        pytest.param("nan", {}, None, id="nan"),
        pytest.param("inf", {}, None, id="infinite"),
    ],
)
def test_reads_how_long_the_server_wants_to_be_left_alone(
    header: str | None, details: dict[str, int], seconds: float | None
) -> None:
    headers = {} if header is None else {"Retry-After": header}
    found = ApiError.from_response(429, headers, orjson.dumps(status(429, details=details)), "get it")
    assert found.retry_after == seconds


@pytest.mark.parametrize(
    "body", [b"", b"null", b"[]", b'{"kind": "Status"}', b'{"kind": "Status", "details": 3}', b"\xff"]
)
def test_no_body_is_too_odd_to_be_reported(body: bytes) -> None:
    assert ApiError.from_response(500, {}, body, "get it").status == 500
