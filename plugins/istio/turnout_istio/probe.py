"""The probe istio-gateway."""

import asyncio
import logging
import re
import socket
from collections.abc import Iterable, Sequence
from enum import Enum
from http import HTTPStatus
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from turnout.plugin import Options, Probe, Route
from turnout_istio import marker
from turnout_istio.options import NAME
from turnout_istio.virtual_service import MESH

if TYPE_CHECKING:
    from aiohttp import ClientSession

_log = logging.getLogger(__name__)

Address = Annotated[str, Field(pattern=rf"^({NAME}|\[[0-9a-f:]+\]):[0-9]{{1,5}}$", max_length=259)]
SECONDS = 1.5
"""Within which a gateway answers."""
_REVISION = re.compile(r"[0-9a-f]{16}")


class GatewayOptions(Options):
    """Where the gateways are."""

    addresses: tuple[Address, ...] = Field(min_length=1)
    """`host:port` of gateways, for plain HTTP. A host stands for all its addresses: a headless Service."""


class _Word(Enum):
    """What one gateway answers."""

    CARRIES = "carries"
    BEHIND = "is behind"
    UNCONCERNED = "has no routes for the host"
    UNKNOWN = "cannot tell"


class IstioGateway(Probe[GatewayOptions]):
    """Asks ingress gateways by the rule that istio's option `marker` puts before a model's others.

    They do not speak for sidecars: of routes that are for those as well it learns only that a gateway is
    behind.
    """

    name = "istio-gateway"
    options = GatewayOptions
    router = "istio"

    async def in_force(self, routes: Sequence[Route], options: GatewayOptions) -> bool | None:
        from aiohttp import ClientSession, ClientTimeout  # only the controller asks

        specs = [route.body.get("spec", {}) for route in routes]
        asked = [(spec["hosts"][0], *found) for spec in specs if (found := marker.read(spec))]
        if not asked:
            return None
        places = await _resolve(options.addresses)
        async with ClientSession(timeout=ClientTimeout(SECONDS)) as session:
            calls = (
                _ask(session, place, host, mark, revision)
                for host, mark, revision in asked
                for place in places
                if place
            )
            words = set(await asyncio.gather(*calls))
        if _Word.BEHIND in words:
            return False
        whole = len(asked) == len(routes) and None not in places and _Word.UNKNOWN not in words
        sidecars = any(MESH in spec.get("gateways", (MESH,)) for spec in specs)
        return True if whole and not sidecars and _Word.CARRIES in words else None


async def _resolve(addresses: Iterable[str]) -> set[str | None]:
    """All addresses of all hosts, as they stand in a URL; None among them for a host that has none."""
    found: set[str | None] = set()
    for address in addresses:
        host, _, port = address.rpartition(":")
        try:
            listed = await asyncio.get_running_loop().getaddrinfo(
                host.strip("[]"), int(port), type=socket.SOCK_STREAM
            )
        except (OSError, UnicodeError) as error:  # the latter for a label that is too long
            _log.debug("%s: %s", address, error)
            found.add(None)
            continue
        found |= {_place(family, sockaddr[0], port) for family, _, _, _, sockaddr in listed}
    return found


def _place(family: int, host: Any, port: str) -> str:
    return f"[{host}]:{port}" if family == socket.AF_INET6 else f"{host}:{port}"


async def _ask(session: "ClientSession", place: str, host: str, mark: str, revision: str) -> _Word:
    """What the gateway at a place says of the routes for a host."""
    from aiohttp import ClientError

    headers = {"Host": host, marker.HEADER: mark, "Accept-Encoding": "identity"}
    try:
        async with session.get(f"http://{place}/", headers=headers, allow_redirects=False) as response:
            said = (await response.content.read(64)).decode("utf-8", "replace")
            upstream = "x-envoy-upstream-service-time" in response.headers
    except (ClientError, OSError, TimeoutError) as error:
        _log.debug("%s: %s: %s", place, type(error).__name__, error)
        return _Word.UNKNOWN
    if response.status == HTTPStatus.OK and _REVISION.fullmatch(said):
        return _Word.CARRIES if said == revision else _Word.BEHIND
    if response.status == HTTPStatus.NOT_FOUND and not said and not upstream:
        return _Word.UNCONCERNED  # no calls for that host go on from there, by these routes or older ones
    _log.debug("%s: found status %d, expected a revision for host %s", place, response.status, host)
    return _Word.UNKNOWN
