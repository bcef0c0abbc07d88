"""`turnout status` and `turnout explain` in a cluster: once, live on a terminal, and with few rights."""

import json
import os
import pty
import re
import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.cluster.controller import TURNOUT, Site
from tests.cluster.proxied import Proxied
from tests.support import Credentials, wait_until

RIGHTS = {
    "trafficweights": "get",
    "inferenceservices": "get",
    "virtualservices": "get",
    "serviceentries": "get",
    "gateways.networking.istio.io": "get",
    "events": "list",
}
"""What is read besides the policy. Gateways are of Gateway API too, where a test has installed that."""


def turnout(site: Site, user: Credentials, *arguments: str) -> tuple[int, str, str]:
    done = subprocess.run(
        [TURNOUT, *arguments, "--namespace", site.namespace],
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "KUBECONFIG": str(user.kubeconfig)},
    )
    return done.returncode, done.stdout, done.stderr


@pytest.fixture
def halves(site: Site) -> Site:
    """Two versions by halves, with the controller at work."""
    for name in ("wisdom-0", "wisdom-1"):
        site.version(name)
    site.policy("wisdom")
    site.start()
    site.until_shares({"wisdom-0": 50, "wisdom-1": 50})
    wait_until(lambda: site.condition("wisdom", "Ready")[0] == "True", what="Ready")
    return site


def allowed(site: Site, *resources: str) -> Credentials:
    """Somebody who may get the policy, and read these."""
    account = site.reader("get")
    for resource in resources:
        role = f"reads-{resource}"
        what = (f"--verb={RIGHTS[resource]}", f"--resource={resource}")
        site.kubectl("create", "role", role, *what)
        to = f"--serviceaccount={site.namespace}:reader"
        site.kubectl("create", "rolebinding", role, f"--role={role}", to)
    return account


def test_desired_shares_take_the_rights_that_the_docs_name(halves: Site) -> None:
    reader = allowed(halves, *RIGHTS)
    wait_until(lambda: not turnout(halves, reader, "status", "wisdom")[2], what="the rights count")
    code, said, told = turnout(halves, reader, "status", "wisdom", "-o", "json")
    found = json.loads(said)
    assert (code, found["unread"], told) == (0, [], "")
    assert [one["desired"] for one in found["versions"]] == ["50%", "50%"]
    assert {one["kind"]: one["exists"] for one in found["routes"]} == {
        "ServiceEntry": True,
        "VirtualService": True,
    }
    assert turnout(halves, reader, "explain", "wisdom")[0] == 0


@pytest.mark.parametrize("missing", RIGHTS)
def test_without_one_of_them_it_is_told_which(halves: Site, missing: str) -> None:
    reader = allowed(halves, *(one for one in RIGHTS if one != missing))
    wait_until(
        lambda: all(missing in one for one in turnout(halves, reader, "status", "wisdom")[2].splitlines()),
        timeout=60,
        what="the others count",
    )
    code, said, told = turnout(halves, reader, "status", "wisdom", "-o", "json")
    found = json.loads(said)
    assert code == 0
    assert re.match(rf"Note: {RIGHTS[missing]} .*{missing}.* is forbidden: ", told)
    assert [one["share"] for one in found["versions"]] == ["50%", "50%"]
    if missing in ("events", "gateways.networking.istio.io"):
        assert (found["shifts"] is None) is (missing == "events")
        assert [one["desired"] for one in found["versions"]] == ["50%", "50%"]
        return
    assert [one["desired"] for one in found["versions"]] == [None, None]
    code, said, told = turnout(halves, reader, "explain", "wisdom")
    assert (code, said) == (3, "")
    assert re.fullmatch(rf"Error: get .*{missing}.* is forbidden: .*\n", told)


class Screen:
    """What a program writes on a terminal of ours."""

    def __init__(self, master: int) -> None:
        self._master = master
        self.text = ""
        self._reading = threading.Thread(target=self._read, daemon=True)
        self._reading.start()

    @property
    def frame(self) -> str:
        """The last whole one."""
        frames = self.text.split("\x1b[J")
        return frames[-2] if len(frames) > 1 else ""

    def _read(self) -> None:
        while True:
            try:
                self.text += os.read(self._master, 65536).decode(errors="replace")
            except OSError:  # the program has closed it
                return


@contextmanager
def live(
    site: Site, user: Credentials | Proxied, **environ: str
) -> Iterator[tuple[subprocess.Popen[bytes], Screen]]:
    """`turnout status wisdom -w` on a terminal of 100 columns."""
    master, slave = pty.openpty()
    process = subprocess.Popen(
        [TURNOUT, "status", "wisdom", "-w", "--namespace", site.namespace],
        stdout=slave,
        stderr=slave,
        stdin=slave,
        env={
            **os.environ,
            "KUBECONFIG": str(user.kubeconfig),
            "TERM": "xterm",
            "COLUMNS": "100",
            "LINES": "40",
            **environ,
        },
    )
    os.close(slave)
    try:
        yield process, Screen(master)
    finally:
        process.kill()
        process.wait()
        os.close(master)


def test_a_live_status_follows_the_rollout_until_ctrl_c(halves: Site) -> None:
    with live(halves, halves.control_plane.admin) as (process, screen):
        wait_until(lambda: "split: wisdom-0 50% / wisdom-1 50%" in screen.frame, what="it is shown")
        assert "\x1b[32mTrue" in screen.frame
        assert turnout(halves, halves.control_plane.admin, "weights", "wisdom", "20/80")[0] == 0
        wait_until(lambda: "split: wisdom-0 20% / wisdom-1 80%" in screen.frame, what="it follows")
        assert screen.frame.startswith("\x1b["), "a frame goes over the last one"
        process.send_signal(signal.SIGINT)
        assert process.wait(10) == 130
    assert "Traceback" not in screen.text


def test_a_live_status_without_colours(halves: Site) -> None:
    with live(halves, halves.control_plane.admin, NO_COLOR="1") as (_, screen):
        wait_until(lambda: "split: wisdom-0 50%" in screen.frame, what="it is shown")
        assert "\x1b[32m" not in screen.text


def test_a_live_status_tells_of_a_lost_connection_and_goes_on(halves: Site, tmp_path: Path) -> None:
    proxied = Proxied(halves.control_plane, halves.control_plane.admin, tmp_path)
    try:
        with live(halves, proxied) as (_, screen):
            wait_until(lambda: "split: wisdom-0 50%" in screen.frame, what="it is shown")
            wait_until(lambda: any("watch=1" in one for one in proxied.proxy.seen), what="it watches")
            proxied.refuse()
            wait_until(lambda: "the connection is lost" in screen.frame, what="it is told")
            assert "split: wisdom-0 50%" in screen.frame, "what was known stays"
            assert turnout(halves, halves.control_plane.admin, "weights", "wisdom", "20/80")[0] == 0
            proxied.accept()
            wait_until(lambda: "split: wisdom-0 20%" in screen.frame, timeout=40, what="it goes on")
            wait_until(lambda: "the connection is lost" not in screen.frame, what="that is over")
            assert "WARNING" not in screen.text, "the log would break the picture"
    finally:
        proxied.close()
