"""The metrics of a controller to which everything has happened that is counted."""

import asyncio
from collections.abc import Iterator
from datetime import timedelta

import pytest

from tests.runtime.harness import Bed, isvc, loses, refuse
from tests.runtime.scraped import Scraped, Watched
from tests.toys.around import ToyGate
from tests.toys.naughty import Hangs
from turnout.plugin import GateAnswer, Ref
from turnout.runtime.client import Client
from turnout.runtime.lease import LEASE, Lease
from turnout.testing.fastloop import FastLoop
from turnout_istio.virtual_service import VIRTUAL_SERVICE


@pytest.fixture(scope="session")
def scraped() -> Iterator[Scraped]:
    gate, hangs = ToyGate(), Hangs()
    with asyncio.Runner(loop_factory=FastLoop) as runner:
        bed = Bed(runner, gate, hangs)
        try:
            yield _happened(bed, gate, hangs)
        finally:
            hangs.release.set()
            bed.close()


def _happened(bed: Bed, gate: ToyGate, hangs: Hangs) -> Scraped:
    watched = Watched(bed)
    for name in ("wisdom-0", "wisdom-1"):
        bed.version(name)
    bed.policy()
    bed.policy("copied", trafficStrategy="mirror", config={"istio": {"marker": True}})
    for name in ("copied-0", "copied-1"):
        bed.version(name)
    watched.start(settings={"plugins": {"toy-gate": {}}})
    client = Client(bed.connection, on_call=watched.metrics.called)
    watched.metrics.lease = Lease(client, Ref(LEASE, "models", "turnout"), "one")
    bed.until(lambda: bed.split() == "wisdom-0 50% / wisdom-1 50%")
    bed.cluster.on_response = loses("virtualservices")
    bed.weights(wisdom_0=40, wisdom_1=60)  # which is lost once, and then repeated
    bed.until(lambda: bed.split() == "wisdom-0 40% / wisdom-1 60%")
    bed.cluster.on_request = refuse(verb="apply", kind=VIRTUAL_SERVICE)
    bed.weights(wisdom_0=30, wisdom_1=70)
    bed.until(lambda: bed.condition("Routed") == ("False", "Forbidden"))
    bed.cluster.on_request = None
    bed.cluster.end_watches(VIRTUAL_SERVICE, broken=True)
    gate.says = GateAnswer(False, "not now", timedelta(seconds=600))
    bed.weights(wisdom_0=20, wisdom_1=80)
    bed.until(lambda: bed.condition("Routed")[1] == "Gated")
    bed.policy("stuck", trafficStrategy=hangs.name)
    bed.version("stuck-0")
    bed.until(lambda: bed.condition("Routed", "stuck")[1] == "PluginFailed")
    bed.delete(isvc("copied-1"))
    bed.sleep(2)
    return watched.scrape()
