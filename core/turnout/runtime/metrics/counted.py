"""The metrics of a process: what is counted as it happens, and the gauges of the controller of the moment.

Counters go on when a controller that has lost its lease is replaced by the next; gauges are the next one's.
"""

import asyncio
import platform
from collections import Counter
from collections.abc import Callable, Iterator

from prometheus_client import CollectorRegistry, Histogram, ProcessCollector, generate_latest
from prometheus_client import Counter as Counting
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from turnout import __version__
from turnout.plugin import Kind
from turnout.runtime.controller import Controller
from turnout.runtime.keys import DrainKey, Key, PolicyKey, SharedKey
from turnout.runtime.lease import Lease
from turnout.runtime.metrics.definitions import Definition, Rows
from turnout.runtime.metrics.state import GAUGES, OF_POLICY, served
from turnout.runtime.observer import Observer

SECONDS = (0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
"""Buckets of the histograms."""

RECONCILES = Definition(
    "turnout_reconcile_duration_seconds",
    "histogram",
    ("of",),
    "Time of reconciles, calls of the API server included; of: policy, weights, shared or drain.",
)
ERRORS = Definition(
    "turnout_reconcile_errors_total",
    "counter",
    ("of", "reason"),
    "Reconciles that could not do what was to be done, by a condition's or the API server's reason.",
)
RETRIES = Definition(
    "turnout_reconcile_retries_total", "counter", ("of",), "Reconciles that are repeated with backoff."
)
CALLS = Definition(
    "turnout_api_requests_total",
    "counter",
    ("verb", "resource", "code"),
    "Calls of the API server; verb: as in RBAC, or discover; code: HTTP's, or none without an answer.",
)
CALL_SECONDS = Definition(
    "turnout_api_request_duration_seconds",
    "histogram",
    ("verb", "resource"),
    "Time until the head of the API server's answer.",
)
WATCHES = Definition(
    "turnout_watch_restarts_total",
    "counter",
    ("resource", "cause"),
    "Watches that were begun anew; cause: Ended (about once a minute, as asked for), Expired, Unreachable, "
    "Forbidden, CRDMissing, Fault.",
)
RELEASES = Definition(
    "turnout_drains_total",
    "counter",
    ("result",),
    "Deleted versions that were let go; result: drained, or timed_out, when calls may have failed.",
)
FAILURES = Definition(
    "turnout_plugin_failures_total",
    "counter",
    ("plugin", "cause"),
    "Calls of a plugin that brought no answer; cause: TimedOut or Raised.",
)
WORK = Definition(
    "turnout_leadership_gained_total",
    "counter",
    (),
    "Times that this process has begun to write: as the leader, or with its start where there is no lease.",
)
SHIFTS = Definition("turnout_shifts_total", "counter", OF_POLICY, "Shifts of a policy's calls.")
LEADER = Definition(
    "turnout_leader", "gauge", ("lease",), "1: this process holds the lease and writes; 0: it stands by."
)
BUILD = Definition("turnout_build_info", "gauge", ("version", "python"), "1, with what runs.")

COUNTED = (RECONCILES, ERRORS, RETRIES, CALLS, CALL_SECONDS, WATCHES, RELEASES, FAILURES, WORK)
READ = (SHIFTS, LEADER, BUILD)
DEFINITIONS = (*(gauge.definition for gauge in GAUGES), *READ, *COUNTED)

RESULTS = {False: "drained", True: "timed_out"}


class Metrics(Observer):
    """`controller`: whose gauges are shown; None before there is one. `lease`: where several share one."""

    def __init__(self) -> None:
        self.controller: Controller | None = None
        self.lease: Lease | None = None
        self._shifts: Counter[PolicyKey] = Counter()
        self._registry = CollectorRegistry()
        self._registry.register(_State(self._read))
        self._counters = {one: _counter(one, self._registry) for one in COUNTED if one.type == "counter"}
        self._times = {one: _histogram(one, self._registry) for one in COUNTED if one.type == "histogram"}
        for result in RESULTS.values():
            self._counters[RELEASES].labels(result)
        ProcessCollector(registry=self._registry)

    async def text(self) -> bytes:
        """All of them in Prometheus' text format. The controller has its turn after each metric."""
        parts = []
        for family in self._registry.collect():
            family.samples = [one for one in family.samples if not one.name.endswith("_created")]
            parts.append(generate_latest(_One(family)))
            await asyncio.sleep(0)
        return b"".join(parts)

    # what controllers tell

    def called(self, verb: str, kind: Kind, status: int, seconds: float) -> None:
        self._counters[CALLS].labels(verb, str(kind), str(status or "none")).inc()
        self._times[CALL_SECONDS].labels(verb, str(kind)).observe(seconds)

    def reconciled(self, key: Key, seconds: float) -> None:
        self._times[RECONCILES].labels(_of(key)).observe(seconds)

    def failed(self, key: Key, reason: str) -> None:
        self._counters[ERRORS].labels(_of(key), reason).inc()

    def retried(self, key: Key) -> None:
        self._counters[RETRIES].labels(_of(key)).inc()

    def began_to_work(self) -> None:
        self._counters[WORK].inc()

    def shifted(self, key: PolicyKey) -> None:
        self._shifts[key] += 1

    def watch_ended(self, kind: Kind, how: str) -> None:
        self._counters[WATCHES].labels(str(kind), how).inc()

    def released(self, *, timed_out: bool) -> None:
        self._counters[RELEASES].labels(RESULTS[timed_out]).inc()

    def plugin_failed(self, plugin: str, how: str) -> None:
        self._counters[FAILURES].labels(plugin, how).inc()

    # what is read when somebody asks

    def _read(self) -> Iterator[Metric]:
        yield _family(BUILD, [((__version__, platform.python_version()), 1.0)])
        if self.lease:
            leads = self.lease.remaining() > 0 and self.controller is not None and self.controller.working
            yield _family(LEADER, [((self.lease.name,), float(leads))])
        if self.controller is None:
            return
        for gauge in GAUGES:
            yield _family(gauge.definition, gauge.read(self.controller))
        yield _family(SHIFTS, self._shifts_of(self.controller))

    def _shifts_of(self, controller: Controller) -> Rows:
        keys = [key for key, _ in served(controller)]
        if controller.working and controller.context.unseen is not None:
            self._shifts = Counter({key: self._shifts[key] for key in keys})
        return (((key.namespace, key.name), float(self._shifts[key])) for key in keys)


class _State(Collector):
    """Metrics that are made when they are asked for."""

    def __init__(self, read: Callable[[], Iterator[Metric]]) -> None:
        self._read = read

    def describe(self) -> list[Metric]:
        return []

    def collect(self) -> Iterator[Metric]:
        return self._read()


class _One(Collector):
    """A metric alone, so that one is written at a time."""

    def __init__(self, metric: Metric) -> None:
        self._metric = metric

    def collect(self) -> list[Metric]:
        return [self._metric]


def _counter(definition: Definition, registry: CollectorRegistry) -> Counting:
    return Counting(definition.name, definition.help, definition.labels, registry=registry)


def _histogram(definition: Definition, registry: CollectorRegistry) -> Histogram:
    return Histogram(definition.name, definition.help, definition.labels, registry=registry, buckets=SECONDS)


def _family(definition: Definition, rows: Rows) -> Metric:
    make = CounterMetricFamily if definition.type == "counter" else GaugeMetricFamily
    made = make(definition.name, definition.help, labels=definition.labels)
    for labels, value in rows:
        made.add_metric(labels, value)
    return made


def _of(key: Key) -> str:
    match key:
        case PolicyKey():
            return "policy"
        case SharedKey():
            return "shared"
        case DrainKey():
            return "drain"
        case _:
            return "weights"
