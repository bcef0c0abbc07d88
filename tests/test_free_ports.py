"""Ports for the processes of tests: they start listening minutes after their port was chosen."""

import socket
import subprocess
import sys

import pytest

from tests.support import waiting
from tests.support.waiting import free_port

ASK = """
import sys
from tests.support.waiting import free_port
print(*(free_port() for _ in range(int(sys.argv[1]))), flush=True)
sys.stdin.read()
"""


def test_no_port_is_given_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "PORTS", range(31000, 31100))
    given = {free_port() for _ in range(20)}
    assert len(given) == 20


def test_nor_by_another_process() -> None:
    """The workers of a test run choose from the same ports."""
    with subprocess.Popen(
        [sys.executable, "-c", ASK, "600"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdin
        assert other.stdout
        theirs = {int(port) for port in other.stdout.readline().split()}
        assert len(theirs) == 600
        assert not theirs & {free_port() for _ in range(200)}
        other.stdin.close()


def test_its_process_can_listen_there() -> None:
    with socket.socket() as server:
        server.bind(("127.0.0.1", free_port()))
        server.listen()
