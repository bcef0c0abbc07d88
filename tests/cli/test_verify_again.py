"""`turnout verify` and a cluster: what was counted is told, whatever becomes of the policy meanwhile."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.support.answering import Answering
from tests.support.scripted import status

RUN = [sys.executable, "-c", "from turnout.cli import main; main()", "verify", "wisdom", "-n", "models"]
FEW = ("--requests=300", "--tolerance=20", "--confidence=99", "-o", "json")
KUBECONFIG = """
apiVersion: v1
kind: Config
current-context: c
clusters: [{{name: c, cluster: {{server: "http://127.0.0.1:{port}"}}}}]
users: [{{name: u, user: {{token: t}}}}]
contexts: [{{name: c, context: {{cluster: c, user: u}}}}]
"""
SILENT = None
GONE = status(404, "NotFound")
AWAY = status(500, "InternalError", "etcd is away\x1b[31m")


def policy(*shares: str) -> dict[str, Any]:
    return {
        "apiVersion": "turnout.dev/v1alpha1",
        "kind": "RoutingPolicy",
        "metadata": {"name": "wisdom", "namespace": "models", "generation": 1},
        "spec": {
            "targetEnv": "kserve-modelmesh",
            "trafficStrategy": "blue-green",
            "modelVersions": [{"name": "wisdom-0"}, {"name": "wisdom-1"}],
        },
        "status": {
            "observedGeneration": 1,
            "versions": [{"name": f"wisdom-{n}", "share": share} for n, share in enumerate(shares)],
            "conditions": [{"type": "Routed", "status": "True"}],
        },
    }


class ApiServer:
    """Answers the gets of a policy in turn, with an object, a Status or, for SILENT, not at all."""

    def __init__(self, *answers: dict[str, Any] | None) -> None:
        self.answers = list(answers)
        self.silent = threading.Event()
        self._ended = threading.Event()
        serving = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                serving.answer(self)

            def log_message(self, *_: object) -> None: ...

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        body: dict[str, Any] | None = {"resources": [{"name": "routingpolicies"}]}
        if "/namespaces/" in request.path:
            body = self.answers.pop(0)
        if body is SILENT:
            self.silent.set()
            self._ended.wait(60)
            return
        data = json.dumps(body).encode()
        request.send_response(body.get("code", 200))
        request.send_header("Content-Length", str(len(data)))
        request.end_headers()
        request.wfile.write(data)

    def __enter__(self) -> "ApiServer":
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._ended.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@pytest.fixture(scope="module")
def halves() -> Iterator[Answering]:
    with Answering(_0=1, _1=1) as running:
        yield running


def started(server: ApiServer, where: Answering, folder: Path) -> "subprocess.Popen[str]":
    file = folder / "kubeconfig"
    file.write_text(KUBECONFIG.format(port=server.port), encoding="utf-8")
    environment = {
        "PATH": os.defpath,
        "PYTHONPATH": os.environ.get("PYTHONPATH", ""),
        "KUBECONFIG": str(file),
    }
    return subprocess.Popen(
        [*RUN, "--address", where.address, *FEW],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
    )


READ = "not enough evidence: the policy cannot be read again: "


@pytest.mark.parametrize(
    ("again", "code", "said"),
    [
        pytest.param(policy("50%", "50%"), 0, "matches: ", id="the same"),
        pytest.param(
            policy("20%", "80%"),
            4,
            "not enough evidence: the decided split has changed while the calls were made",
            id="another",
        ),
        pytest.param(GONE, 4, f"{READ}there is no RoutingPolicy models/wisdom", id="gone"),
        pytest.param(AWAY, 4, f'{READ}"get ', id="broken"),
        pytest.param(SILENT, 4, f"{READ}no answer within 5 s", id="silent"),
    ],
)
def test_the_counts_are_told_whatever_the_policy_says_by_then(
    halves: Answering, tmp_path: Path, again: dict[str, Any] | None, code: int, said: str
) -> None:
    with (
        ApiServer(policy("50%", "50%"), *[again] * 9) as server,
        started(server, halves, tmp_path) as asking,
    ):
        printed, errors = asking.communicate(timeout=60)
    assert asking.returncode == code, errors
    found = json.loads(printed)
    assert (found["answered"], found["message"][: len(said)]) == (300, said)
    assert r"etcd is away\u001b" in found["message"] or again is not AWAY


def test_a_policy_that_is_long_in_coming_is_waited_for_aloud(halves: Answering, tmp_path: Path) -> None:
    with ApiServer(SILENT) as server, started(server, halves, tmp_path) as asking:
        assert asking.stderr
        assert asking.stderr.readline() == "Waiting for the API server to answer …\n"
        asking.send_signal(signal.SIGINT)
        asking.communicate(timeout=60)
    assert asking.returncode == 130


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_counts_are_told_when_it_is_interrupted_by_then(
    halves: Answering, tmp_path: Path, number: signal.Signals
) -> None:
    with (
        ApiServer(policy("50%", "50%"), SILENT) as server,
        started(server, halves, tmp_path) as asking,
    ):
        assert server.silent.wait(60)
        asking.send_signal(number)
        printed, _ = asking.communicate(timeout=60)
    found = json.loads(printed)
    assert (asking.returncode, found["verdict"], found["answered"]) == (130, "interrupted", 300)
