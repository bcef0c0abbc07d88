"""Answers over HTTP that are none of a model."""

import asyncio
import json

import pytest

from turnout.verification.over_http import LONGEST, Http
from turnout.verification.question import Question
from turnout.verification.tally import Failed

SETTINGS = b"\x00\x00\x12\x04\x00\x00\x00\x00\x00\x00\x03\x7f\xff\xff\xff\x00\x04\x00\x10\x00\x00\x00\x06\x00\x00\x40\x00"
"""A frame of HTTP/2, with which a server of gRPC begins."""


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


def said(answer: bytes, *, tls: bool = False) -> tuple[str, str]:
    """What a call comes to where this is answered, whatever it is, and the connection then ends."""

    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.read(1)
            writer.write(answer)
            await writer.drain()
        except ConnectionError:
            pass
        finally:
            writer.close()

    async def main() -> None:
        async with await asyncio.start_server(speak, "127.0.0.1", 0) as listener:
            address = f"127.0.0.1:{listener.sockets[0].getsockname()[1]}"
            async with Http(Question(address, "wisdom.models", "wisdom", tls=tls)) as asker:
                await asker.ask()

    with pytest.raises(Failed) as raised:
        asyncio.run(main())
    return raised.value.code, raised.value.message


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        pytest.param(b"", ("no connection", "it broke off before the answer was whole"), id="nothing"),
        pytest.param(
            b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{",
            ("no connection", "it broke off before the answer was whole"),
            id="a part",
        ),
        pytest.param(SETTINGS, ("no HTTP", "the answer is not HTTP/1.1"), id="HTTP/2"),
        pytest.param(b"\x15\x03\x03\x00\x02\x02F", ("no HTTP", "the answer is not HTTP/1.1"), id="TLS"),
    ],
)
def test_what_is_no_http_is_told_from_no_connection(answer: bytes, told: tuple[str, str]) -> None:
    assert said(answer) == told


def test_a_server_without_tls_is_told() -> None:
    answer = b"HTTP/1.1 400 Bad Request\r\n\r\n"
    assert said(answer, tls=True) == ("no connection", "TLS failed: wrong version number")


def test_where_nobody_listens_is_no_connection() -> None:
    async def main() -> None:
        async with Http(Question("127.0.0.1:1", "wisdom.models", "wisdom")) as asker:
            await asker.ask()

    with pytest.raises(Failed) as raised:
        asyncio.run(main())
    assert (raised.value.code, raised.value.message) == ("no connection", "Connection refused")
