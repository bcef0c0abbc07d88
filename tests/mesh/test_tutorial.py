"""The tutorial under constant load: not one call fails, and each goes where the routes say."""

import time
from collections import Counter
from collections.abc import Callable, Sequence
from itertools import pairwise

import pytest

from tests.cluster.controller import Process
from tests.mesh.calls import ask
from tests.mesh.load import Load, failed, split, version_of
from tests.mesh.routes_watch import GRACE, RoutesWatch, astray
from tests.mesh.site import LOAD_SECONDS, PROPAGATION, MeshSite
from tests.mesh.statistics import expected_split
from tests.support import wait_until

LONGEST_PAUSE = 1.0
"""Seconds between the beginnings of two calls: less than the proxies are given, so that none is missed."""
MEASURED = 3.0
"""Seconds of each phase in which calls are counted: about a thousand."""


class Rollout:
    """The tutorial's steps in a site, with what befalls the controller on the way."""

    def __init__(self, site: MeshSite, load: Load, routes: RoutesWatch, controller: "Controller") -> None:
        self.site = site
        self._load = load
        self._routes = routes
        self._controller = controller

    def do(self, expected: dict[str, int], *parts: Callable[[], object]) -> None:
        """Take a step, and hold the traffic that comes of it against the shares expected of it."""
        self._controller.befall(parts)
        self.site.until_in_force(expected)
        wait_until(lambda: self._routes.now == expected, what="the same is seen")
        expected_split(self._counted, expected)

    def _counted(self) -> Counter[str]:
        """Who answers for some seconds from now on."""
        time.sleep(2 * GRACE)  # the proxy's workers follow
        began = time.monotonic()
        time.sleep(MEASURED)
        calls = self._load.calls(began, began + MEASURED - 0.2)
        assert not failed(calls)
        assert {call.stream for call in calls} == {True, False}
        return split(call for call in calls if not call.stream)

    def gone(self, name: str) -> None:
        """Wait until a version is no longer there, without anybody's help."""
        wait_until(lambda: not self.site.get("inferenceservice", name), timeout=30, what=f"{name} is gone")

    def taken_over(self) -> None:
        """Wait until the routes are those of the policy as it is now: none of an earlier one's."""
        wait_until(lambda: self.site.condition("wisdom", "Routed")[0] == "True", timeout=30, what="routed")
        policy = self.site.get("routingpolicy", "wisdom")
        for route in policy["status"]["routes"]:
            metadata = self.site.get(route["kind"].lower(), route["name"])["metadata"]
            owners = {owner["uid"] for owner in metadata.get("ownerReferences", ())}
            assert owners == {policy["metadata"]["uid"]}, route


class Controller:
    """The controller, and how it fares at each step."""

    def __init__(self, site: MeshSite, trouble: str) -> None:
        self._site = site
        self._trouble = trouble
        self._process: Process = site.start("--log-format=json")

    def befall(self, parts: Sequence[Callable[[], object]]) -> None:
        """Take the parts of a step.

        Meanwhile it is killed before the first, or at once after the first (so that it misses what comes
        of that), or a moment after the last; it is started again a second after the step.
        """
        for number, part in enumerate(parts):
            if number == 0 and self._trouble == "before":
                self._process.kill()
            part()
            if number == 0 and self._trouble == "during":
                self._process.kill()
        if self._trouble == "after":
            time.sleep(0.1)
            self._process.kill()
        if self._trouble != "none":
            time.sleep(1.0)
            self._process = self._site.start("--log-format=json")


def model_of(site: MeshSite, version: str) -> str:
    """The model that a version answers with."""
    names = {answer.model_name for answer in ask(site.address, site.authority(), 20)}
    return next(name for name in names if version_of(name) == version)


@pytest.mark.parametrize(
    ("router", "trouble"),
    [
        ("istio", "none"),
        ("istio", "before"),
        ("istio", "during"),
        ("istio", "after"),
        ("gateway-api", "none"),
        ("gateway-api", "during"),
        ("envoy", "none"),
        ("envoy", "during"),
    ],
)
def test_the_tutorial_loses_no_call(site: MeshSite, trouble: str) -> None:
    """Straight through, and with the controller killed at each step and started again."""
    site.kubectl("apply", "-f", "-", document=site.tutorial("1-primary.yaml"))
    site.until_ready("wisdom-0")
    controller = Controller(site, trouble)
    initialize = site.template("2-initialize-values.yaml")
    controller.befall([lambda: site.kubectl("apply", "-f", "-", document=initialize)])
    site.until_in_force({"wisdom-0": 100})
    before = model_of(site, "wisdom-0")
    load, routes = Load(site.address, site.authority()), RoutesWatch(site.shares_in_force)
    with routes, load:
        rollout = Rollout(site, load, routes, controller)
        apply = ("apply", "-f", "-")

        def deploy() -> None:
            site.kubectl(*apply, document=site.tutorial("3-candidate.yaml"))

        def loaded() -> None:
            site.until_ready("wisdom-1")

        def shift() -> None:
            site.kubectl(*apply, document=site.template("4-modify-weights-values.yaml"))

        def replace() -> None:
            promoted = site.tutorial("5-promoted-primary.yaml").replace("mnist-svm", "mnist-svm-new")
            site.kubectl("replace", "-f", "-", document=promoted)

        def reloaded() -> None:
            time.sleep(LOAD_SECONDS)

        def delete() -> None:
            site.kubectl("delete", "inferenceservice", "wisdom-1", "--wait=false")

        def force() -> None:
            at_once = ("--force", "--grace-period=0", "--wait=false")
            site.kubectl("delete", "inferenceservice", "wisdom-1", *at_once)

        def orphan() -> None:
            site.kubectl("delete", "routingpolicy", "wisdom", "--cascade=orphan")

        def recreate() -> None:
            site.kubectl(*apply, document=initialize)

        weighted, alone = {"wisdom-0": 20, "wisdom-1": 80}, {"wisdom-0": 100}
        rollout.do({"wisdom-0": 50, "wisdom-1": 50}, deploy, loaded)
        rollout.do(weighted, shift)
        rollout.do(weighted, orphan, recreate)
        rollout.taken_over()
        rollout.do(weighted, replace, reloaded)
        rollout.do(alone, delete)
        rollout.gone("wisdom-1")
        rollout.do(weighted, deploy, loaded)
        rollout.do(alone, force)
        rollout.gone("wisdom-1")
        rollout.do(alone, deploy, loaded, force)
        rollout.gone("wisdom-1")
        rollout.do(alone, deploy, force)
        rollout.gone("wisdom-1")
        time.sleep(PROPAGATION)
    assert model_of(site, "wisdom-0") != before, "the primary has not reloaded"
    calls = load.calls()
    assert not failed(calls)
    assert not astray(calls, routes)
    began = sorted(call.began for call in calls)
    assert max(later - earlier for earlier, later in pairwise(began)) < LONGEST_PAUSE
