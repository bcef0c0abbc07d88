"""Every environment with every strategy and every router: a rollout by the controller, and real calls.

What cannot work is told with what would do: the policy is refused where it says so itself, and a version is left
out where only its object does. docs/combinations.md has the same table.
"""

import threading
import time
from collections.abc import Callable, Iterator
from itertools import product

import pytest

from tests.cluster.controller import Object
from tests.mesh.copies import settled
from tests.mesh.environments import ENVIRONMENTS, VARIANTS, Versions
from tests.mesh.site import MeshSite
from tests.mesh.statistics import expected_split
from tests.support import wait_until
from tests.support.combinations import KNATIVE

CALLS = 600
PRIMARY, CANDIDATE = "wisdom-0", "wisdom-1"
WEIGHTS: dict[str, tuple[Object, Object]] = {
    "blue-green": ({"weight": 30}, {"weight": 70}),
    "canary": ({}, {}),
    "mirror": ({}, {"weight": 40}),
}
"""What a policy says of both versions, by strategy."""
ROUTERS = ("envoy", "gateway-api", "istio")
REFUSED = {
    ("kserve-modelmesh", "mirror", "gateway-api"): "mirror-headers",
    (KNATIVE, "blue-green", "gateway-api"): "authority-per-share",
    **{(KNATIVE, "mirror", router): "mirror-authority" for router in ROUTERS},
}
"""What is lacking, by environment, strategy and router. Of KServe's modes only the objects tell."""
ALLOWED = [cell for cell in product(ENVIRONMENTS, WEIGHTS, ROUTERS) if cell not in REFUSED]
FURTHER = [(variant, "blue-green", "istio") for variant in VARIANTS]


@pytest.fixture
def versions(bare_site: MeshSite, environment: str) -> Iterator[Versions]:
    with (ENVIRONMENTS | VARIANTS)[environment](bare_site) as made:
        yield made


class Steady:
    """Calls the model all the time, from a thread of its own, while it is a context; no call may fail."""

    def __init__(self, versions: Versions) -> None:
        self._versions = versions
        self._stop = threading.Event()
        self._calls = 0
        self._failure: Exception | None = None
        self._thread = threading.Thread(target=self._run, name="steady", daemon=True)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *exception: object) -> None:
        self._stop.set()
        self._thread.join(30)
        assert self._failure is None, f"after {self._calls} calls: {self._failure!r}"
        assert self._calls > 20

    def _run(self) -> None:
        while self._failure is None and not self._stop.wait(0.02):
            try:
                self._calls += self._versions.ask(5).total()
            except Exception as error:  # noqa: BLE001 - whatever it is, the call has failed
                self._failure = error


def declare(versions: Versions, strategy: str) -> None:
    named = zip((PRIMARY, CANDIDATE), WEIGHTS[strategy], strict=True)
    specs = ({"name": name, **said} for name, said in named)
    versions.site.apply_policy(strategy, *specs, **{versions.environment: versions.options})


def answered(versions: Versions, name: str, **headers: str) -> bool:
    """Whether all calls are answered by one version."""
    try:
        return set(versions.ask(10, **headers)) == {name}
    except Exception:  # noqa: BLE001 - no routes are there yet
        return False


def split(versions: Versions) -> None:
    """Calls are split as the weights say."""
    wait_until(lambda: len(versions.ask(20)) == 2, timeout=20, what="both versions answer")
    expected_split(lambda: versions.ask(CALLS), {PRIMARY: 30, CANDIDATE: 70})


def matched(versions: Versions) -> None:
    """Calls with the header go to the candidate, and no others."""
    wait_until(lambda: answered(versions, CANDIDATE, traffic="test"), timeout=20, what="it takes its calls")
    assert versions.ask(50, traffic="test") == {CANDIDATE: 50}
    assert versions.ask(50, traffic="tester") == {PRIMARY: 50}
    assert versions.ask(50) == {PRIMARY: 50}


def copied(versions: Versions) -> None:
    """The primary answers every call, and the candidate gets copies of some."""

    def copies() -> bool:
        return versions.ask(20) == {PRIMARY: 20} and versions.received()[CANDIDATE] > 0

    def counted() -> dict[str, int]:
        before = settled(versions.received)
        assert versions.ask(CALLS) == {PRIMARY: CALLS}
        wait_until(lambda: (versions.received() - before)[PRIMARY] >= CALLS, what="all have come")
        return dict(settled(versions.received) - before)

    wait_until(copies, timeout=20, what="copies reach the candidate")
    expected_split(counted, {PRIMARY: 100, CANDIDATE: 40}, of=CALLS)


HOLDS: dict[str, Callable[[Versions], None]] = {"blue-green": split, "canary": matched, "mirror": copied}
"""What is so while both versions are ready, by strategy."""


@pytest.mark.parametrize(("environment", "strategy", "router"), [*ALLOWED, *FURTHER])
def test_a_rollout(versions: Versions, strategy: str) -> None:
    """A candidate comes, is ready, is deleted and waits for the routes to leave it. No call fails."""
    site = versions.site
    versions.deploy(PRIMARY)
    versions.becomes_ready(PRIMARY)
    site.start()
    declare(versions, strategy)
    wait_until(lambda: answered(versions, PRIMARY), timeout=30, what="the primary answers")
    with Steady(versions):
        versions.deploy(CANDIDATE)
        wait_until(lambda: versions.protected(CANDIDATE), timeout=20, what="the controller has seen it")
        assert versions.ask(20, traffic="test") == {PRIMARY: 20}
        versions.becomes_ready(CANDIDATE)
        wait_until(lambda: site.condition("wisdom", "Ready") == ("True", "Ready"), timeout=20, what="ready")
    HOLDS[strategy](versions)
    with Steady(versions):
        time.sleep(0.5)
        versions.delete(CANDIDATE)
        wait_until(lambda: versions.gone(CANDIDATE), timeout=30, what="it is released")
        before = versions.received()[CANDIDATE]
        assert versions.ask(50, traffic="test") == {PRIMARY: 50}
    assert versions.received()[CANDIDATE] == before


def instead(environment: str, strategy: str, router: str) -> str:
    """What is offered for a combination that cannot work."""
    routers = ", ".join(one for one in ROUTERS if (environment, strategy, one) in ALLOWED)
    if routers:
        return f"routers that can: {routers}"
    strategies = ", ".join(one for one in WEIGHTS if (environment, one, router) in ALLOWED)
    return f"routers that can: none that may be used; strategies that would do: {strategies}"


@pytest.mark.parametrize(("environment", "strategy", "router"), REFUSED)
def test_what_cannot_work_is_told_with_what_would_do(
    versions: Versions, environment: str, strategy: str, router: str
) -> None:
    """A refused policy writes nothing. Beside a version that is left out the primary answers every call."""
    site = versions.site
    for name in (PRIMARY, CANDIDATE):
        versions.deploy(name)
        versions.becomes_ready(name)
    declare(versions, strategy)
    site.start()
    if environment == KNATIVE:
        wait_until(lambda: answered(versions, PRIMARY), timeout=30, what="the primary answers")
        wait_until(lambda: site.condition("wisdom", "Ready") == ("True", "Ready"), timeout=20, what="ready")
        assert versions.ask(50, traffic="test") == {PRIMARY: 50}
        assert versions.received()[CANDIDATE] == 0
        candidate = site.get("routingpolicy", "wisdom")["status"]["versions"][1]
        assert (candidate["ready"], candidate["reason"]) == ("False", "Unsupported")
        told = candidate["message"]
    else:
        refused = ("False", "Unsupported")
        wait_until(lambda: site.condition("wisdom", "Accepted") == refused, timeout=20, what="refused")
        for kind in ("virtualservices", "grpcroutes", "httproutes"):
            assert site.names(kind) == []
        told = site.message("wisdom", "Accepted")
    assert f"{router} cannot carry {REFUSED[environment, strategy, router]}" in told
    assert told.endswith(instead(environment, strategy, router))
