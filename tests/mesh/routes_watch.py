"""Which versions the routes of a proxy lead to, over time."""

import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Protocol

from tests.mesh.load import Call

INTERVAL = 0.03
GRACE = 0.3
"""Seconds in which a proxy's workers follow what it shows as its configuration."""


@dataclass(frozen=True, slots=True)
class Span:
    """A proxy's routes: the shares of 100 by version. Seen first and last at these times."""

    shares: dict[str, int]
    first: float
    last: float


class RoutesWatch:
    """Looks at the shares of a proxy's routes all the time, from a thread of its own, while it is a context."""

    def __init__(self, shares: Callable[[], dict[str, int]]) -> None:
        self._shares = shares
        self._spans: list[Span] = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="routes", daemon=True)

    def __enter__(self) -> "RoutesWatch":
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._stop.set()
        self._thread.join(10)

    @property
    def now(self) -> dict[str, int]:
        """The shares in force; empty where there are no routes."""
        return self._spans[-1].shares if self._spans else {}

    def allowed(self, call: Call) -> set[str]:
        """The versions to which a call may have been sent, by the routes in force in its time."""
        spans = list(self._spans)
        found: set[str] = set()
        for index, span in enumerate(spans):
            began = spans[index - 1].last if index else 0.0
            ended = spans[index + 1].first if index + 1 < len(spans) else float("inf")
            if began <= call.ended and ended + GRACE >= call.began:
                found |= span.shares.keys()
        return found

    def _run(self) -> None:
        while not self._stop.wait(INTERVAL):
            asked = time.monotonic()
            shares = self._shares()
            if self._spans and self._spans[-1].shares == shares:
                last = self._spans[-1]
                self._spans[-1] = Span(shares, last.first, asked)
            else:
                self._spans.append(Span(shares, time.monotonic(), asked))


def astray(calls: Iterable[Call], routes: RoutesWatch) -> list[Call]:
    """Calls that were answered by a version to which no route in force led."""
    return [
        call for call in calls if not call.error and not set(call.version.split(",")) <= routes.allowed(call)
    ]


class Proxy(Protocol):
    """What has routes."""

    def routes(self) -> list[dict[str, Any]]:
        """Its route configurations in force."""


def shares_of(proxy: Proxy, host: str) -> dict[str, int]:
    """The shares of a host's last rule, which all calls meet that no other takes."""
    for config in proxy.routes():
        for virtual_host in config.get("virtual_hosts", ()):
            if host in virtual_host["domains"]:
                return _shares(virtual_host["routes"][-1])
    return {}


def _shares(entry: dict[str, Any]) -> dict[str, int]:
    route = entry.get("route", {})
    if "weighted_clusters" in route:
        clusters = [one for one in route["weighted_clusters"]["clusters"] if one.get("weight")]
        total = sum(one["weight"] for one in clusters)
        return {_version(one): round(100 * one["weight"] / total) for one in clusters}
    return {_version(entry): 100} if route else {}


def _version(said: dict[str, Any]) -> str:
    for header in said.get("request_headers_to_add", ()):
        if header["header"]["key"] == "mm-vmodel-id":
            value: str = header["header"]["value"]
            return value
    return ""
