"""/metrics, /healthz and /readyz over a real socket."""

import asyncio
import json
import socket
from collections.abc import Iterator

import aiohttp
import pytest
from prometheus_client.parser import text_string_to_metric_families

from turnout.runtime.http import listening
from turnout.runtime.metrics.counted import Metrics


@pytest.fixture
def runner() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as runner:
        yield runner


def ask(
    runner: asyncio.Runner, path: str, host: str = "127.0.0.1", method: str = "GET"
) -> tuple[int, str, str]:
    """Status, content type and body."""

    async def work() -> tuple[int, str, str]:
        async with listening(host, 0, Metrics()) as listener, aiohttp.ClientSession() as session:
            shown = f"[{host}]" if ":" in host else host
            async with session.request(method, f"http://{shown}:{listener.port}{path}") as response:
                return response.status, response.headers.get("Content-Type", ""), await response.text()

    return runner.run(work())


def test_metrics_are_in_the_format_of_prometheus(runner: asyncio.Runner) -> None:
    status, content, text = ask(runner, "/metrics")
    assert (status, content) == (200, "text/plain; version=0.0.4; charset=utf-8")
    assert "turnout_build_info" in [family.name for family in text_string_to_metric_families(text)]


def test_a_process_without_a_controller_yet_is_alive_and_not_ready(runner: asyncio.Runner) -> None:
    assert ask(runner, "/healthz")[0] == 200
    status, content, text = ask(runner, "/readyz")
    assert (status, content) == (503, "application/json; charset=utf-8")
    assert json.loads(text) == {"ready": False, "problems": ["the controller is starting"], "warnings": []}


@pytest.mark.parametrize(
    ("method", "path", "status"), [("GET", "/", 404), ("POST", "/metrics", 405), ("HEAD", "/healthz", 200)]
)
def test_nothing_else_is_answered(runner: asyncio.Runner, method: str, path: str, status: int) -> None:
    assert ask(runner, path, method=method)[0] == status


def test_it_listens_where_it_is_told_and_nowhere_else(runner: asyncio.Runner) -> None:
    assert ask(runner, "/healthz", host="::1")[0] == 200

    async def elsewhere() -> None:
        async with listening("127.0.0.1", 0, Metrics()) as listener:
            await asyncio.open_connection("127.0.0.2", listener.port)

    with pytest.raises(ConnectionRefusedError):
        runner.run(elsewhere())


def test_a_port_that_is_taken_is_an_error_of_the_system(runner: asyncio.Runner) -> None:
    async def work(port: int) -> None:
        async with listening("127.0.0.1", port, Metrics()):
            raise AssertionError("it listens")

    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(OSError, match="in use"):
        runner.run(work(taken.getsockname()[1]))
