"""Answers over HTTP that are none of a model."""

import asyncio
import json

import pytest

from turnout.verification.over_http import LONGEST, Http
from turnout.verification.question import Question
from turnout.verification.tally import Failed


def asked(body: bytes, status: int = 200) -> str:
    """Ask once where this is answered."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 %d X\r\nContent-Length: %d\r\n\r\n" % (status, len(body)) + body)
        try:
            await writer.drain()
            await reader.read()
        except ConnectionError:
            pass
        finally:
            writer.close()

    async def main() -> str:
        async with await asyncio.start_server(answer, "127.0.0.1", 0) as listener:
            address = f"127.0.0.1:{listener.sockets[0].getsockname()[1]}"
            async with Http(Question(address, "wisdom.models", "wisdom")) as asker:
                return await asker.ask()

    return asyncio.run(main())


@pytest.mark.parametrize(
    ("body", "said"),
    [
        pytest.param(b"[" * 100_000, "the body is not JSON that can be read", id="deep"),
        pytest.param(b"\xff", "the body is not JSON that can be read", id="no text"),
        pytest.param(b"[]", "there is no model_name in it", id="no mapping"),
        pytest.param(
            b" " * LONGEST + b"{}", "more than 1048576 bytes; with --header, the body is not read", id="long"
        ),
    ],
)
def test_what_is_no_answer_of_a_model_is_a_failed_call(body: bytes, said: str) -> None:
    with pytest.raises(Failed) as raised:
        asked(body)
    assert (raised.value.code, raised.value.message) == ("no answer of a model", said)


def test_a_long_answer_is_read() -> None:
    body = json.dumps({"model_name": "wisdom-1", "pad": "x" * (LONGEST - 100)}).encode()
    assert asked(body) == "wisdom-1"


def test_of_a_long_error_the_beginning_is_told() -> None:
    with pytest.raises(Failed) as raised:
        asked(b"no\xff\n" + b"x" * (8 * LONGEST), 503)
    assert (raised.value.code, raised.value.message) == ("HTTP 503", "no\ufffd")
