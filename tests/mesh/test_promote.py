"""`turnout promote` under constant load: not one call fails, and each goes where the routes say."""

import os
import signal
import subprocess
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from tests.cluster.controller import TURNOUT
from tests.cluster.versions import Workload
from tests.mesh.environments import Deployments
from tests.mesh.load import Load, failed
from tests.mesh.routes_watch import RoutesWatch, astray
from tests.mesh.site import MeshSite
from tests.mesh.test_combinations import Steady
from tests.mesh.test_tutorial import LONGEST_PAUSE, model_of
from tests.support import wait_until

STEPS = tuple(f"{number}/6" for number in range(1, 7))
BACK = "back:"
NEVER = "--timeout=20s"
"""For a primary that never gets ready."""


class Promotion:
    """`turnout promote`, as often as it is interrupted and called again."""

    def __init__(self, site: MeshSite, directory: Path, *arguments: str) -> None:
        settings = directory / "promote-settings.yaml"
        settings.write_text(site.settings, encoding="utf-8")
        self.told: list[str] = []
        self._command = [
            *(str(TURNOUT), "promote", "wisdom", "--namespace", site.namespace),
            *("--settings", str(settings), *arguments),
        ]
        self._environment = {**os.environ, "KUBECONFIG": str(site.control_plane.admin.kubeconfig)}

    def until(self, step: str, how: signal.Signals = signal.SIGKILL) -> None:
        """Run it, and interrupt it as soon as it says that it is at this step."""
        with self._start() as process:
            for line in self._lines(process):
                if line.startswith(step):
                    process.send_signal(how)
                    break
            process.communicate(timeout=60)

    def run(self) -> tuple[int, str]:
        """Run it to its end. The exit code, and what it says on stdout."""
        with self._start() as process:
            for _ in self._lines(process):
                pass
            said, _ = process.communicate(timeout=120)
        return process.returncode, said

    def lines(self) -> Iterator[str]:
        """Run it to its end, with what it tells meanwhile."""
        with self._start() as process:
            yield from self._lines(process)
            process.communicate(timeout=120)
        assert process.returncode == 0, self.told

    def _start(self) -> subprocess.Popen[str]:
        pipe = subprocess.PIPE
        return subprocess.Popen(self._command, stdout=pipe, stderr=pipe, text=True, env=self._environment)

    def _lines(self, process: subprocess.Popen[str]) -> Iterator[str]:
        assert process.stderr
        for line in process.stderr:
            self.told.append(line)
            yield line


@pytest.fixture
def halves(site: MeshSite) -> MeshSite:
    """Two versions that share the calls by halves; the candidate has another model."""
    site.deploy("wisdom-0")
    document = site.tutorial("3-candidate.yaml").replace("mnist-svm", "mnist-svm-new")
    site.kubectl("apply", "-f", "-", document=document)
    site.until_ready("wisdom-1")
    site.start()
    site.declare("blue-green", {"name": "wisdom-0"}, {"name": "wisdom-1"})
    site.until_in_force({"wisdom-0": 50, "wisdom-1": 50})
    return site


def lost_nothing(load: Load, routes: RoutesWatch) -> None:
    calls = load.calls()
    assert len(calls) > 1000
    assert not failed(calls)
    assert not astray(calls, routes)
    began = sorted(call.began for call in calls)
    assert max(later - earlier for earlier, later in pairwise(began)) < LONGEST_PAUSE


@pytest.mark.parametrize("interrupted", [(), STEPS], ids=["straight through", "interrupted at each step"])
@pytest.mark.parametrize("router", ["istio", "gateway-api", "envoy"])
def test_a_promotion_loses_no_call(halves: MeshSite, interrupted: tuple[str, ...], tmp_path: Path) -> None:
    site, promotion = halves, Promotion(halves, tmp_path)
    before = model_of(site, "wisdom-0")
    load, routes = Load(site.address, site.authority()), RoutesWatch(site.shares_in_force)
    with routes, load:
        for number, step in enumerate(interrupted):
            promotion.until(step, signal.SIGINT if number % 2 else signal.SIGKILL)
        code, said = promotion.run()
        assert code == 0, promotion.told
        assert said.endswith("promoted: wisdom-0 is now what wisdom-1 was, v1; in force: wisdom-0 100%\n")
        assert not site.get("inferenceservice", "wisdom-1")
        assert not site.get("trafficweights", "wisdom")
        site.until_in_force({"wisdom-0": 100})
        after = model_of(site, "wisdom-0")
    assert after != before, "the primary has not reloaded"
    lost_nothing(load, routes)


@pytest.mark.parametrize(
    "interrupted", [(), (*STEPS[:4], BACK, BACK)], ids=["straight through", "interrupted at each step"]
)
def test_a_promotion_that_is_taken_back_loses_no_call(
    halves: MeshSite, interrupted: tuple[str, ...], tmp_path: Path
) -> None:
    """The new model of the primary never loads."""
    site, promotion = halves, Promotion(halves, tmp_path, NEVER)
    before = model_of(site, "wisdom-0")
    site.never_loads("wisdom-0")
    load, routes = Load(site.address, site.authority()), RoutesWatch(site.shares_in_force)
    with routes, load:
        for number, step in enumerate(interrupted):
            promotion.until(step, signal.SIGINT if number % 2 else signal.SIGKILL)
        code, said = promotion.run()
        assert (code, said) == (7, ""), promotion.told
        site.until_in_force({"wisdom-0": 50, "wisdom-1": 50})
        assert model_of(site, "wisdom-0") == before
    assert promotion.told[-1].startswith("Error: not promoted: wisdom-0 is not ready within 20 s: ")
    assert site.get("inferenceservice", "wisdom-1")
    assert not site.get("trafficweights", "wisdom")
    lost_nothing(load, routes)


@pytest.mark.parametrize("interrupted", [False, True], ids=["straight through", "interrupted at each step"])
def test_a_deployment_is_asked_nothing_while_it_is_replaced(
    bare_site: MeshSite, interrupted: bool, tmp_path: Path
) -> None:
    """However its pods come and go meanwhile."""
    site = bare_site
    with Deployments(site) as versions:
        for name in ("wisdom-0", "wisdom-1"):
            versions.deploy(name)
        site.kubectl("set", "env", "deployment/wisdom-1", "MODEL=new")
        site.start()
        site.declare("blue-green", {"name": "wisdom-0"}, {"name": "wisdom-1"})
        for name in ("wisdom-0", "wisdom-1"):
            wait_until(lambda name=name: versions.protected(name), what=f"{name} is protected")  # type: ignore[misc]
            versions.becomes_ready(name)
        shares = "wisdom-0 50% / wisdom-1 50%"
        wait_until(lambda: site.get("routingpolicy", "wisdom")["status"]["split"] == shares, what=shares)
        promotion = Promotion(site, tmp_path)
        received, replaced, shifted = versions.servers["wisdom-0"].received, 0, 0
        with Steady(versions):
            if interrupted:
                for step in STEPS[:4]:
                    promotion.until(step)
            for line in promotion.lines():
                if line.startswith(("3/6 replace", "4/6")) and not replaced:
                    replaced = len(received)
                    assert replaced
                if line.startswith("4/6"):
                    Workload(site, "Deployment", "wisdom-0").roll_out()
                if line.startswith("5/6") and not shifted:
                    shifted = len(received)
            assert versions.gone("wisdom-1")
            wait_until(lambda: len(received) > shifted, what="the primary is asked again")
        assert shifted == replaced
    (container,) = site.get("deployment", "wisdom-0")["spec"]["template"]["spec"]["containers"]
    assert container["env"] == [{"name": "MODEL", "value": "new"}]
