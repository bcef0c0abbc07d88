"""Asks a model over HTTP, and tells which version answered."""

import asyncio
import json
import os
import ssl
from types import TracebackType
from typing import Any, Self

import aiohttp

from turnout.verification.question import Question, infer_path
from turnout.verification.tally import NOTHING_OF_HTTP, Failed

BROKEN = (aiohttp.ClientError, OSError, UnicodeError)
LONGEST = 1024 * 1024
"""How many bytes of an answer are read."""
NO_MODEL = "no answer of a model"
NO_CONNECTION = "no connection"


class Http:
    """POST /v2/models/<model>/infer of the open inference protocol. Raises TensorError."""

    def __init__(self, question: Question) -> None:
        self._question = question
        self._body = {"inputs": [tensor.as_json() for tensor in question.tensors]}
        scheme = "https" if question.tls else "http"
        self._url = f"{scheme}://{question.address}{infer_path(question.model, over_http=True)}"
        # Envoy shares out requests and not connections, so that one may be used again.
        self._session = aiohttp.ClientSession(
            timeout=aiohttp.ClientTimeout(total=question.timeout),
            connector=aiohttp.TCPConnector(limit=0, ssl=_context(question.tls)),
            headers=[("Host", question.authority), *question.metadata],
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._session.close()
        await asyncio.sleep(0)  # for connections to say goodbye

    async def ask(self) -> str:
        question = self._question
        host = self._question.authority.partition(":")[0] if self._question.tls else None
        try:
            async with self._session.post(
                self._url, json=self._body, server_hostname=host, allow_redirects=False
            ) as response:
                if response.status != 200:
                    body, _ = await _read(response)
                    said = body.decode(errors="replace").strip().partition("\n")[0]
                    raise Failed(f"HTTP {response.status}", said[:200])
                if question.header:
                    return question.version(
                        "", {name.lower(): value for name, value in response.headers.items()}
                    )
                body, whole = await _read(response)
        except TimeoutError:
            raise Failed("timeout", f"no answer within {self._question.timeout:g} s") from None
        except BROKEN as error:
            raise _failed(error) from None
        if not whole:
            raise Failed(NO_MODEL, f"more than {LONGEST} bytes; with --header, the body is not read")
        try:
            found: Any = json.loads(body)
        except (ValueError, RecursionError):
            raise Failed(NO_MODEL, "the body is not JSON that can be read") from None
        if not isinstance(found, dict) or not isinstance(name := found.get("model_name"), str):
            raise Failed(NO_MODEL, "there is no model_name in it")
        return question.version(name, {})


def _failed(error: Exception) -> Failed:
    """What happened, without the library's own text, which may hold bytes that the server sent."""
    match error:
        case aiohttp.InvalidURL() | UnicodeError():
            return Failed(NO_CONNECTION, "no host can have that name")
        case aiohttp.ClientResponseError():
            return Failed(NOTHING_OF_HTTP, "the answer is not HTTP/1.1")
        case aiohttp.ClientConnectorCertificateError():
            return Failed(NO_CONNECTION, f"TLS failed: {_reason(error.certificate_error)}")
        case aiohttp.ClientConnectorSSLError():
            return Failed(NO_CONNECTION, f"TLS failed: {_reason(error.os_error)}")
        case aiohttp.ClientConnectorError():
            return Failed(NO_CONNECTION, _reason(error.os_error))
    return Failed(NO_CONNECTION, "it broke off before the answer was whole")


def _reason(error: Exception) -> str:
    match error:
        case ssl.SSLError(reason=str(reason)):
            words = reason.lower().replace("_", " ")
            return f"{words}: {told}" if (told := getattr(error, "verify_message", "")) else words
        case OSError(errno=int(number)) if number > 0:
            return os.strerror(number)
        case OSError(strerror=str(text)):
            return text
    return str(error)


async def _read(response: aiohttp.ClientResponse) -> tuple[bytes, bool]:
    """The first bytes of a body, and whether they are all of it."""
    body = bytearray()
    async for chunk in response.content.iter_any():
        body += chunk
        if len(body) > LONGEST:
            return bytes(body[:LONGEST]), False
    return bytes(body), True


def _context(tls: bool | bytes) -> ssl.SSLContext | bool:
    if isinstance(tls, bytes):
        return ssl.create_default_context(cadata=tls.decode("ascii", errors="replace"))
    return True
