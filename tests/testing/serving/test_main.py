"""The stand-in as a process that cannot begin: one line says why."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

KUBECONFIG = """
apiVersion: v1
kind: Config
current-context: c
clusters: [{name: c, cluster: {server: "http://127.0.0.1:1"}}]
users: [{name: u, user: {token: t}}]
contexts: [{name: c, context: {cluster: c, user: u}}]
"""


def run(kubeconfig: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {
        "PATH": os.defpath,
        "PYTHONPATH": os.environ.get("PYTHONPATH", ""),
        "KUBECONFIG": kubeconfig,
    }
    return subprocess.run(
        [sys.executable, "-m", "turnout.testing.serving", "--namespace", "models", *arguments],
        capture_output=True,
        text=True,
        env=environment,
        timeout=30,
    )


def test_without_a_cluster_it_says_so() -> None:
    done = run("/nowhere")
    assert (done.returncode, done.stdout) == (1, "")
    (line,) = done.stderr.splitlines()
    assert line.startswith("python -m turnout.testing.serving: ")
    assert "/nowhere" in line


@pytest.mark.parametrize("option", ["--port", "--control-port"])
def test_a_port_that_is_taken_is_named(option: str, tmp_path: Path) -> None:
    file = tmp_path / "kubeconfig"
    file.write_text(KUBECONFIG, encoding="utf-8")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = run(str(file), option, port)
    assert (done.returncode, done.stdout) == (1, "")
    (line,) = done.stderr.splitlines()
    assert port in line


@pytest.mark.parametrize(
    ("option", "value", "said"),
    [
        ("--host", "localhost", "found 'localhost', expected an IPv4 address"),
        ("--port", "65536", "expected a port from 0 to 65535"),
        ("--load-seconds", "nan", "found 'nan', expected seconds, 0 or more"),
        ("--load-seconds", "-1", "found '-1', expected seconds, 0 or more"),
        ("--namespace", "X_", "found 'X_', expected the name of a namespace"),
    ],
)
def test_what_cannot_be_is_told(option: str, value: str, said: str) -> None:
    done = run("/nowhere", f"{option}={value}")
    assert done.returncode == 2
    assert said in done.stderr
