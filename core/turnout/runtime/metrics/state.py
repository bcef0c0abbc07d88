"""The gauges: read from what a controller knows when somebody asks, so that they cost its work nothing.

What is said of policies comes from the controller that works. One that stands by says nothing of them, or
each would be counted several times.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from turnout.decision.shares import mirrored, shares
from turnout.plugin import RoutePlan
from turnout.plugin.reading import mapping
from turnout.runtime.controller import Controller
from turnout.runtime.keys import Key, PolicyKey
from turnout.runtime.metrics.definitions import Definition, Rows
from turnout.runtime.queue import WorkQueue
from turnout.runtime.store import Document

OF_POLICY = ("namespace", "policy")
OF_VERSION = (*OF_POLICY, "version")
OF_WATCH = ("resource", "watched_namespace")
CONDITIONS = ("Accepted", "Routed", "Ready")


@dataclass(frozen=True, slots=True)
class Gauge:
    """A gauge, and how to read it. `read` is given a controller that runs."""

    definition: Definition
    read: Callable[[Controller], Rows]


def served(controller: Controller) -> Iterator[tuple[PolicyKey, Document]]:
    """The policies that a controller works on."""
    if not controller.working:
        return
    for name, policy in controller.context.store.policies.items():
        if controller.context.serves(policy) and not policy.deleting:
            yield PolicyKey(*name), policy


def _policies(controller: Controller) -> Rows:
    found: Counter[tuple[str, str, str]] = Counter()
    for _, policy in served(controller):
        for kind, said in _conditions(policy).items():
            found[kind, str(said.get("status")), str(said.get("reason"))] += 1
    return found.items()


def _condition(controller: Controller) -> Rows:
    for key, policy in served(controller):
        said = _conditions(policy)
        for kind in CONDITIONS:
            true = mapping(said.get(kind)).get("status") == "True"
            yield (key.namespace, key.name, kind), float(true)


def _suspended(controller: Controller) -> Rows:
    for key, policy in served(controller):
        yield (key.namespace, key.name), float(mapping(policy.content.get("spec")).get("suspend") is True)


def _ready(controller: Controller) -> Rows:
    for key, policy in served(controller):
        for version in _versions(policy):
            ready = version.get("ready") == "True"
            yield (key.namespace, key.name, str(version.get("name"))), float(ready)


Shares = Callable[[RoutePlan | None], Mapping[str, float]]


def _of_versions(shares_of: Shares, plan_of: Callable[[Controller, PolicyKey], RoutePlan | None]) -> Any:
    """Reads a share of every version, 0 for those that a plan gives none."""

    def read(controller: Controller) -> Rows:
        for key, policy in served(controller):
            plan = plan_of(controller, key)
            if plan is None:
                continue
            given = shares_of(plan)
            for name in dict.fromkeys((*(str(one.get("name")) for one in _versions(policy)), *given)):
                yield (key.namespace, key.name, name), given.get(name, 0.0) / 100

    return read


def _decided(controller: Controller, key: PolicyKey) -> RoutePlan | None:
    return controller.context.decided.get(key)


def _applied(controller: Controller, key: PolicyKey) -> RoutePlan | None:
    return controller.context.in_force.plan(key)


def _gates(controller: Controller) -> Rows:
    return (((gate,), float(count)) for gate, count in controller.context.gates.shut().items())


def _quarantined(controller: Controller) -> Rows:
    return (((plugin,), 1.0) for plugin in controller.context.guard.quarantined())


def _drains(controller: Controller) -> Rows:
    yield (), float(len(controller.drains.under_way()))


def _oldest_drain(controller: Controller) -> Rows:
    yield (), max(controller.drains.under_way(), default=0.0)


def _queues(controller: Controller) -> Iterator[tuple[str, WorkQueue[Key]]]:
    """Those that somebody works on."""
    return iter(controller.queues.items() if controller.working else ())


def _depth(controller: Controller) -> Rows:
    return (((name,), float(len(queue))) for name, queue in _queues(controller))


def _delayed(controller: Controller) -> Rows:
    return (((name,), float(queue.delayed)) for name, queue in _queues(controller))


def _age(controller: Controller) -> Rows:
    most = controller.worked_for  # what came while it stood by waits for it since it works
    return (((name,), min(most, queue.oldest_age())) for name, queue in _queues(controller))


def _up(controller: Controller) -> Rows:
    for watch in controller.watches:
        up = watch.cache.filled and watch.cache.problem is None
        yield (str(watch.kind), watch.namespace or ""), float(up)


def _silence(controller: Controller) -> Rows:
    for watch in controller.watches:
        yield (str(watch.kind), watch.namespace or ""), watch.reflector.silence()


def _conditions(policy: Document) -> Mapping[str, Mapping[str, Any]]:
    listed = policy.status.get("conditions")
    return {str(one.get("type")): one for one in (listed if isinstance(listed, list) else ())}


def _versions(policy: Document) -> list[Mapping[str, Any]]:
    listed = policy.status.get("versions")
    return listed if isinstance(listed, list) else []


def _gauge(name: str, labels: tuple[str, ...], told: str, read: Callable[[Controller], Rows]) -> Gauge:
    return Gauge(Definition(name, "gauge", labels, told), read)


GAUGES = (
    _gauge(
        "turnout_version_desired_share_ratio",
        OF_VERSION,
        "The share of the calls that match no other rule (0 to 1) that was decided for a version.",
        _of_versions(shares, _decided),
    ),
    _gauge(
        "turnout_version_applied_share_ratio",
        OF_VERSION,
        "The share of the calls that match no other rule (0 to 1) that the routes give a version.",
        _of_versions(shares, _applied),
    ),
    _gauge(
        "turnout_version_desired_mirror_ratio",
        OF_VERSION,
        "The part of the calls (0 to 1) of which it was decided that a version gets copies.",
        _of_versions(mirrored, _decided),
    ),
    _gauge(
        "turnout_version_applied_mirror_ratio",
        OF_VERSION,
        "The part of the calls (0 to 1) of which a version gets copies by the routes in the cluster.",
        _of_versions(mirrored, _applied),
    ),
    _gauge("turnout_version_ready", OF_VERSION, "1: the version is ready; 0: it is not, or unknown.", _ready),
    _gauge(
        "turnout_policies",
        ("condition", "status", "reason"),
        "Policies whose condition has this status and reason.",
        _policies,
    ),
    _gauge(
        "turnout_policy_condition",
        (*OF_POLICY, "condition"),
        "1: the policy's condition (Accepted, Routed or Ready) is True; 0: it is not.",
        _condition,
    ),
    _gauge("turnout_policy_suspended", OF_POLICY, "1: the policy's routes are left as they are.", _suspended),
    _gauge("turnout_gate_waiting_shifts", ("gate",), "Shifts that wait because the gate is closed.", _gates),
    _gauge(
        "turnout_plugin_quarantined",
        ("plugin",),
        "1: the plugin took too long, and is not called for a while.",
        _quarantined,
    ),
    _gauge(
        "turnout_drains_in_progress", (), "Deleted versions that are held until nothing calls them.", _drains
    ),
    _gauge(
        "turnout_drain_oldest_seconds",
        (),
        "For how long the first deleted of the versions that are held has been so.",
        _oldest_drain,
    ),
    _gauge(
        "turnout_queue_depth",
        ("queue",),
        "Keys that wait for a worker, where one leads.",
        _depth,
    ),
    _gauge("turnout_queue_delayed", ("queue",), "Keys that wait for their time.", _delayed),
    _gauge(
        "turnout_queue_oldest_age_seconds",
        ("queue",),
        "For how long the first key in line has waited for a worker.",
        _age,
    ),
    _gauge(
        "turnout_watch_up",
        OF_WATCH,
        "1: all objects of the kind have been read, and are followed; an empty namespace: in all.",
        _up,
    ),
    _gauge(
        "turnout_watch_silence_seconds",
        OF_WATCH,
        "Since the API server last said anything on the watch: where nothing happens, up to 90 s.",
        _silence,
    ),
)
