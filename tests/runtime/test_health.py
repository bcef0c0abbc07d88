"""When a controller counts as ready, and when as alive."""

import pytest

from tests.runtime.harness import Bed, refuse
from turnout.names import ROUTING_POLICY
from turnout.plugin import Kind
from turnout.runtime.health import SILENT, Readiness, alive, readiness
from turnout.testing.rollout import Running
from turnout_istio.virtual_service import VIRTUAL_SERVICE

POLICIES = "routingpolicies.turnout.dev in models"
ROUTES = f"{VIRTUAL_SERVICE} in models"


def found(bed: Bed, running: Running) -> Readiness:
    async def ask() -> Readiness:
        return readiness(running.controller)

    return bed.run(ask())


@pytest.fixture
def running(bed: Bed) -> Running:
    """A controller that has written the routes of a policy."""
    bed.version("wisdom-0")
    bed.policy()
    running = bed.start()
    bed.until(lambda: bed.split() == "wisdom-0 100%")
    bed.settle()
    return running


def test_one_that_has_read_everything_is_ready(bed: Bed, running: Running) -> None:
    assert found(bed, running) == Readiness()


def test_before_anything_is_read_it_is_not_ready(bed: Bed) -> None:
    assert readiness(None).problems == ("the controller is starting",)
    running = bed.start()
    assert not found(bed, running).ready
    bed.settle()
    assert found(bed, running).ready


def test_an_api_server_that_is_gone_is_told_at_once_and_so_is_its_return(bed: Bed, running: Running) -> None:
    running.connection.alive = False
    bed.cluster.end_watches(broken=True)
    bed.sleep(5)
    problems = found(bed, running).problems
    assert f"{POLICIES}: Unreachable" in problems
    assert f"{ROUTES}: Unreachable" in problems
    running.connection.alive = True
    bed.sleep(15)
    assert found(bed, running).ready


def test_an_api_server_that_stalls_is_told_once_watches_are_overdue(bed: Bed, running: Running) -> None:
    bed.cluster.freeze()
    bed.sleep(10)
    assert found(bed, running).ready
    bed.until(lambda: not readiness(running.controller).ready, within=2 * SILENT)
    bed.cluster.thaw()
    bed.until(lambda: readiness(running.controller).ready)


def test_a_watch_without_a_word_is_not_alive(bed: Bed, running: Running) -> None:
    silent = [watch for watch in running.controller.own_watches if watch.kind == ROUTING_POLICY]
    silent[0].reflector._heard -= SILENT + 1
    assert any(one.startswith(f"{POLICIES}: nothing heard for 10") for one in found(bed, running).problems)


@pytest.mark.parametrize(
    ("kind", "ready"), [(ROUTING_POLICY, False), (VIRTUAL_SERVICE, True)], ids=["policies", "routes"]
)
def test_a_kind_that_may_not_be_read_concerns_all_only_where_all_need_it(
    bed: Bed, kind: Kind, ready: bool
) -> None:
    bed.cluster.on_request = refuse(kind=kind)
    bed.version("wisdom-0")
    bed.policy()
    running = bed.start()
    bed.sleep(3)
    said = found(bed, running)
    assert said.ready is ready
    assert (said.warnings if ready else said.problems) == (f"{kind} in models: Forbidden",)


def test_one_that_ends_by_a_fault_is_not_alive(bed: Bed, running: Running) -> None:
    assert alive(running.controller)

    async def fail() -> None:
        raise RuntimeError("a fault")

    async def spoil() -> None:
        running.controller._spawn(fail())
        with pytest.raises(RuntimeError):
            await running.task

    bed.run(spoil())
    assert not alive(running.controller)
    bed.forget(running)


def test_one_that_is_stopped_has_not_failed(bed: Bed, running: Running) -> None:
    bed.stop()
    assert alive(running.controller)
