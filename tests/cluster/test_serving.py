"""The stand-in for ModelMesh as a process, on a real API server."""

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest

from tests.cluster.controller import Site
from tests.support import wait_until
from turnout.inference import Answer, InferenceClient
from turnout.testing.serving import Model

LISTENING = re.compile(r"listening on (127\.0\.0\.1:\d+), control on (http://127\.0\.0\.1:\d+)\n")


class StandIn:
    """The process, and who asks it."""

    def __init__(self, site: Site, *arguments: str) -> None:
        command = [sys.executable, "-m", "turnout.testing.serving", "--namespace", site.namespace, *arguments]
        kubeconfig = str(site.control_plane.admin.kubeconfig)
        self.process = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "KUBECONFIG": kubeconfig},
        )
        assert self.process.stdout
        line = self.process.stdout.readline()
        found = LISTENING.fullmatch(line)
        assert found, line
        self.address, self.control = found.groups()

    def infer(self, model: str) -> Answer:
        async def ask() -> Answer:
            async with InferenceClient(self.address) as client:
                return await client.infer(model)

        return asyncio.run(ask())

    def told(self, path: str, method: str = "GET") -> dict[str, Any]:
        request = urllib.request.Request(f"{self.control}{path}", method=method)
        with urllib.request.urlopen(request, timeout=5) as response:
            found: dict[str, Any] = json.load(response)
            return found

    def stop(self) -> tuple[int, str]:
        """Its exit code, and what it said on stderr."""
        self.process.send_signal(signal.SIGTERM)
        _, said = self.process.communicate(timeout=20)
        return self.process.returncode, said


@pytest.fixture
def stand_in(site: Site) -> Iterator[StandIn]:
    running = StandIn(site, "--load-seconds", "0.5")
    yield running
    running.process.kill()
    running.process.communicate()


def test_a_model_is_served_replaced_and_unloaded_with_its_service(site: Site, stand_in: StandIn) -> None:
    def transition() -> tuple[str, str]:
        status = site.get("inferenceservice", "wisdom-0").get("status", {})
        ready = next((one["status"] for one in status.get("conditions", ()) if one["type"] == "Ready"), "")
        return ready, status.get("modelStatus", {}).get("transitionStatus", "")

    site.kubectl("apply", "-f", "-", document=site.tutorial("1-primary.yaml"))
    wait_until(lambda: transition() == ("True", "UpToDate"), what="wisdom-0 is loaded")
    first = stand_in.infer("wisdom-0")
    assert first.model_name == Model.of(site.get("inferenceservice", "wisdom-0")).id

    stand_in.told("/load?service=wisdom-0&seconds=inf", "POST")
    promoted = site.tutorial("5-promoted-primary.yaml").replace("mnist-svm", "mnist-tree")
    site.kubectl("replace", "-f", "-", document=promoted)
    wait_until(lambda: transition() == ("True", "InProgress"), what="wisdom-0 is replaced")
    assert stand_in.infer("wisdom-0").model_name == first.model_name
    stand_in.told("/finish?service=wisdom-0", "POST")
    wait_until(lambda: transition() == ("True", "UpToDate"), what="wisdom-0 is loaded again")
    assert stand_in.infer("wisdom-0").model_version == "v1"

    site.kubectl("delete", "inferenceservice", "wisdom-0")
    wait_until(lambda: stand_in.told("/models") == {}, what="wisdom-0 is unloaded")
    assert stand_in.told("/counts")["answered"] == {"wisdom-0": 3}
    assert stand_in.stop() == (0, "")
