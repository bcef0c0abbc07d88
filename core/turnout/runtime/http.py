"""Serves /metrics, /healthz and /readyz to whoever can reach the address: nothing of it is a secret."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from ipaddress import ip_address

from aiohttp import web

from turnout.runtime.health import alive, readiness
from turnout.runtime.metrics.counted import Metrics

TEXT = "text/plain; version=0.0.4; charset=utf-8"
"""Prometheus' text format."""
ENDING = 1.0
"""Seconds that requests under way have to end when the process does."""


@dataclass(frozen=True, slots=True)
class Listener:
    """`port`: the one that is listened on, which the system chooses where 0 was asked for.

    `everywhere`: on all interfaces, however that was spelt.
    """

    port: int
    everywhere: bool


@asynccontextmanager
async def listening(host: str, port: int, metrics: Metrics) -> AsyncIterator[Listener]:
    """Answer on the event loop that runs, until the end of the context. Raises OSError."""
    runner = web.AppRunner(_application(metrics), access_log=None, shutdown_timeout=ENDING)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
        bound = runner.addresses
        yield Listener(bound[0][1], any(ip_address(one[0]).is_unspecified for one in bound))
    finally:
        await runner.cleanup()


def _application(metrics: Metrics) -> web.Application:
    async def show(_: web.Request) -> web.Response:
        headers = {"Content-Type": TEXT}
        return web.Response(body=await metrics.text(), headers=headers)

    async def healthz(_: web.Request) -> web.Response:
        if alive(metrics.controller):
            return web.Response(text="ok\n")
        return web.Response(status=503, text="the controller has ended\n")

    async def readyz(_: web.Request) -> web.Response:
        found = readiness(metrics.controller)
        said = {"ready": found.ready, "problems": found.problems, "warnings": found.warnings}
        return web.json_response(said, status=200 if found.ready else 503)

    application = web.Application()
    application.add_routes(
        [web.get("/metrics", show), web.get("/healthz", healthz), web.get("/readyz", readyz)]
    )
    return application
