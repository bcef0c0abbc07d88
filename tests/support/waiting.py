"""Waiting for other processes, with a limit; asking over HTTP; finding free addresses for them."""

import random
import socket
import ssl
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")

PORTS = range(20000, 32000)
"""Below the range from which Linux takes ports of outgoing connections, so that none is lost to one
between the moment it was found free and the moment its process listens."""


def wait_until(
    condition: Callable[[], T], *, timeout: float = 10.0, interval: float = 0.05, what: str = ""
) -> T:
    """Call `condition` until it returns something true, and return that.

    `timeout` and `interval` are seconds. Raises TimeoutError, whose text names `what` was waited
    for and what `condition` returned last; an exception of `condition` passes through.
    """
    deadline = time.monotonic() + timeout
    while not (found := condition()):
        if time.monotonic() > deadline:
            awaited = what or getattr(condition, "__name__", repr(condition))
            raise TimeoutError(f"not within {timeout:g} s: {awaited} (last: {found!r})")
        time.sleep(interval)
    return found


def answers(url: str, *, ca_file: Path | None = None, token: str = "") -> bool:
    """Whether a GET is answered, within a second, with a status of success."""
    try:
        fetch(url, ca_file=ca_file, token=token, timeout=1)
    except OSError:  # refused, reset, timed out, and (as HTTPError) every other status
        return False
    return True


def fetch(
    url: str,
    *,
    method: str = "GET",
    accept: str = "*/*",
    ca_file: Path | None = None,
    token: str = "",
    timeout: float = 5,
) -> bytes:
    """Return what a request is answered with. Raises OSError, of which HTTPError is one."""
    request = urllib.request.Request(url, method=method, headers={"Accept": accept})
    if token:
        request.add_header("Authorization", f"Bearer {token}")
    tls = ssl.create_default_context(cafile=ca_file) if ca_file else None
    with urllib.request.urlopen(request, timeout=timeout, context=tls) as response:
        body: bytes = response.read()
    return body


def free_port() -> int:
    """Return a loopback port that nobody listens on, and that no other call returns while this process runs."""
    for port in random.sample(PORTS, 100):
        mark = socket.socket(type=socket.SOCK_DGRAM)  # another process sees it too, and TCP stays free
        try:
            mark.bind(("127.0.0.1", port))
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", port))
        except OSError:
            mark.close()
            continue
        _marks.append(mark)
        return port
    raise RuntimeError(f"no free port among 100 of {PORTS}")


_marks: list[socket.socket] = []
"""A UDP socket at each port that `free_port` has returned."""


def free_address() -> str:
    """Return an address of the loopback interface that, most likely, nobody else uses: all its ports are free."""
    return f"127.{random.randint(64, 127)}.{random.randint(0, 255)}.{random.randint(1, 254)}"
