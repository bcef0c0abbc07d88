"""Asks proxies for the revision of the routes that they carry, over plain HTTP."""

import asyncio
import logging
import re
import socket
from collections.abc import Iterable, Sequence
from enum import Enum
from http import HTTPStatus
from typing import NamedTuple

from aiohttp import ClientError, ClientSession, ClientTimeout

from turnout_istio.marker import HEADER

_log = logging.getLogger(__name__)

SECONDS = 1.5
"""Within which a proxy answers."""
_REVISION = re.compile(r"[0-9a-f]{16}")


class Word(Enum):
    """What a proxy says."""

    CARRIES = "it carries the revision asked for"
    BEHIND = "it carries another revision"
    UNCONCERNED = "it has no routes for the host"
    UNKNOWN = "it does not say"


class Question(NamedTuple):
    """Whether calls for a host meet a revision of its routes; `mark` lets one ask."""

    host: str
    mark: str
    revision: str


async def ask(addresses: Iterable[str], questions: Iterable[Question]) -> set[Word]:
    """What the proxies at all of these addresses say, UNKNOWN for a host that has no address."""
    places = set[str | None]().union(*await asyncio.gather(*map(_resolve, addresses)))
    async with ClientSession(timeout=ClientTimeout(SECONDS)) as session:
        calls = (_ask(session, place, question) for place in places for question in questions)
        return set(await asyncio.gather(*calls))


async def _resolve(address: str) -> Sequence[str | None]:
    """All addresses of a host, as they stand in a URL; None if it has none."""
    host, _, port = address.rpartition(":")
    loop = asyncio.get_running_loop()
    try:
        found = await loop.getaddrinfo(host.strip("[]"), int(port), type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:  # the latter where a label is too long
        _log.debug("%s: %s", address, error)
        return [None]
    hosts = (f"[{at[0]}]" if family == socket.AF_INET6 else at[0] for family, _, _, _, at in found)
    return [f"{host}:{port}" for host in hosts]


async def _ask(session: ClientSession, place: str | None, question: Question) -> Word:
    if place is None:
        return Word.UNKNOWN
    headers = {"Host": question.host, HEADER: question.mark, "Accept-Encoding": "identity"}
    try:
        async with session.get(f"http://{place}/", headers=headers, allow_redirects=False) as response:
            said = (await response.content.read(64)).decode("utf-8", "replace")
            upstream = "x-envoy-upstream-service-time" in response.headers
    except (ClientError, OSError) as error:  # a timeout among them
        _log.debug("%s: %s: %s", place, type(error).__name__, error)
        return Word.UNKNOWN
    if response.status == HTTPStatus.OK and _REVISION.fullmatch(said):
        return Word.CARRIES if said == question.revision else Word.BEHIND
    if response.status == HTTPStatus.NOT_FOUND and not said and not upstream:
        return Word.UNCONCERNED  # it sends no calls on for that host, by these routes or by older ones
    _log.debug("%s: status %d, expected a revision for %s", place, response.status, question.host)
    return Word.UNKNOWN
