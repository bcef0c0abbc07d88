"""The plugins that docs/around.md makes do what it says, on a cluster in memory."""

import asyncio
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from types import ModuleType
from typing import Any

import pytest
import yaml

from tests.api.documents import POLICY
from tests.docs import pages
from tests.runtime.harness import Bed
from tests.testing.conformance.checking import failures
from turnout.plugin import Plugin
from turnout.testing.conformance import AdmissionConformance, GateConformance, NotifierConformance
from turnout.testing.fastloop import FastLoop

PAGE = "docs/around.md"
ALONE, HALVES = "wisdom-0 100%", "wisdom-0 50% / wisdom-1 50%"


@pytest.fixture(scope="module")
def office() -> ModuleType:
    """The page's module."""
    (block,) = (block for block in pages.read(PAGE) if block.language == "python")
    module = ModuleType("turnout_office")
    exec(compile(block.text, str(block), "exec"), module.__dict__)
    return module


@pytest.fixture
def posted() -> Iterator[tuple[str, list[Any]]]:
    """A URL, and what was posted there."""
    found: list[Any] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            found.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *said: object) -> None:
            """Nothing."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/models", found
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("open_now", [True, False], ids=["open", "closed"])
def test_the_example_does_what_it_says(
    office: ModuleType, posted: tuple[str, list[Any]], open_now: bool
) -> None:
    (block,) = (block for block in pages.read(PAGE) if block.file == "settings.yaml")
    settings = yaml.safe_load(block.text)
    settings["plugins"]["post"]["fixed"]["url"] = posted[0]
    settings["plugins"]["office-hours"]["fixed"] = {
        "opens": 0 if open_now else 23,
        "closes": 24 if open_now else 1,
    }
    plugins: list[Plugin[Any]] = [office.Owned(), office.OfficeHours(), office.Post()]
    with asyncio.Runner(loop_factory=FastLoop) as runner:
        bed = Bed(runner, *plugins)
        try:
            bed.version("wisdom-0")
            bed.policy()
            bed.start(settings=settings)
            bed.until(lambda: bed.condition("Accepted") == ("False", "NotAdmitted"))
            bed.policy(labels={"owner": "ann"})
            bed.until(lambda: bed.split() == ALONE)
            bed.version("wisdom-1")
            if open_now:
                bed.until(lambda: bed.split() == HALVES)
                bed.until(lambda: posted[1] == [{"policy": "models/wisdom", "gaining": ["wisdom-1"]}])
            else:
                bed.until(
                    lambda: bed.message("Routed") == f"office-hours: open from 23:00 UTC; then: {HALVES}"
                )
                assert bed.split() == ALONE
        finally:
            bed.close()


def test_the_examples_pass_their_suites(office: ModuleType) -> None:
    """As anyone's have to, but for another process, which does not know the page."""
    owned = {**POLICY, "metadata": {"name": "wisdom", "labels": {"owner": "ann"}}}
    given: dict[type[Any], dict[str, Any]] = {
        AdmissionConformance: {"plugin": office.Owned(), "admitted": owned, "refused": POLICY},
        GateConformance: {"plugin": office.OfficeHours(), "options": ({}, {"opens": 0}, {"opens": 23})},
        NotifierConformance: {"plugin": office.Post(), "options": ({"url": "http://127.0.0.1:9/"},)},
    }
    for suite, attributes in given.items():
        assert failures(type(suite.__name__, (suite,), attributes)) == {}
