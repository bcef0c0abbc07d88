"""Asks a model over HTTP, and tells which version answered."""

import asyncio
import json
import ssl
from types import TracebackType
from typing import Any, Self

import aiohttp

from turnout.verification.question import Question, infer_path
from turnout.verification.tally import Failed

BROKEN = (aiohttp.ClientError, OSError)
LONGEST = 1024 * 1024
"""How many bytes of an answer are read."""
NO_MODEL = "no answer of a model"


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
            raise Failed("no connection", str(error)) from None
        if not whole:
            raise Failed(NO_MODEL, f"more than {LONGEST} bytes; with --header, the body is not read")
        try:
            found: Any = json.loads(body)
        except (ValueError, RecursionError):
            raise Failed(NO_MODEL, "the body is not JSON that can be read") from None
        if not isinstance(found, dict) or not isinstance(name := found.get("model_name"), str):
            raise Failed(NO_MODEL, "there is no model_name in it")
        return question.version(name, {})


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
