"""What the reconcilers share: the world as known, and the ways to act on it."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Protocol

from turnout.decision.assess import Assessor
from turnout.plugin import Kind, Plugin, Ref, RoutePlan
from turnout.reasons import Reason
from turnout.runtime.apply import Writer
from turnout.runtime.claims import Claims
from turnout.runtime.clock import Clock
from turnout.runtime.contention import Contention
from turnout.runtime.events import Recorder
from turnout.runtime.gates import Gates
from turnout.runtime.guard import Guard
from turnout.runtime.hosts import Hosts
from turnout.runtime.in_force import RoutesInForce
from turnout.runtime.keys import DrainKey, Key, PolicyKey
from turnout.runtime.observer import Observer
from turnout.runtime.queue import WorkQueue
from turnout.runtime.shifts import Shifts
from turnout.runtime.store import Document, Index, Store
from turnout.status import Verdict

Need = tuple[Kind, str]
"""A kind in a namespace."""


class Retry(Exception):  # noqa: N818 - control flow
    """Come again soon: nothing is wrong with the key."""


@dataclass(frozen=True, slots=True)
class Obstacle:
    """Why a kind cannot be relied on yet, as a condition's reason and message.

    `filling`: it is being read for the first time, which is nothing to report.
    """

    reason: Reason
    message: str
    filling: bool = False


class Kinds(Protocol):
    """The caches of the kinds that plugins need."""

    def need(self, plugin: Plugin[Any]) -> None:
        """Follow the kinds of a plugin from now on."""
        ...

    def obstacle(self, needs: Iterable[Need]) -> Obstacle | None:
        """What keeps a decision from relying on kinds in namespaces, if anything does."""
        ...


@dataclass(slots=True)
class Context:
    """One for each controller. `instance`: policies with this label are served, others only known."""

    assessor: Assessor
    writer: Writer
    recorder: Recorder
    guard: Guard
    clock: Clock
    queue: WorkQueue[Key]
    kinds: Kinds
    store: Store
    in_force: RoutesInForce
    gates: Gates
    shifts: Shifts
    observer: Observer
    instance: str = ""
    lease: str = ""
    """Namespace and name of the Lease by which this controller leads, if it has one."""
    namespaces: frozenset[str] | None = None
    """Where this controller sees policies; None: everywhere."""
    index: Index = field(default_factory=Index)
    claims: Claims = field(default_factory=Claims)
    hosts: Hosts = field(default_factory=Hosts)
    protections: Contention = field(default_factory=Contention)
    unwritten: dict[Ref, Verdict] = field(default_factory=dict)
    """Shared objects that cannot be written, and why."""
    decided: dict[PolicyKey, RoutePlan] = field(default_factory=dict)
    """What was last decided for policies, whether or not it could be written."""
    waiting: dict[PolicyKey, frozenset[Need]] = field(default_factory=dict)
    """Policies that wait for caches, and for which."""
    unseen: set[PolicyKey] | None = None
    """Policies that were there at start and have not been looked at; None until they are known."""
    foreign: set[PolicyKey] = field(default_factory=set)
    """Policies that were another instance's when they were last seen. It may still drain their versions."""
    leaving: dict[Ref, set[PolicyKey]] = field(default_factory=dict)
    """Policies that no longer name a version, while proxies may still send it their calls."""

    @property
    def settled(self) -> bool:
        """Whether every policy that was there at start has been looked at once.

        Before that nobody can tell who else wants a shared object, or that nobody needs a finalizer.
        """
        return self.unseen is not None and not self.unseen

    def looked_at(self, key: PolicyKey) -> None:
        """Note that a policy has been looked at, or is gone."""
        if self.unseen is not None:
            self.unseen.discard(key)

    def obstacle(self, key: PolicyKey, needs: frozenset[Need]) -> Obstacle | None:
        """What keeps a policy from relying on kinds. It is reconciled again when that changes."""
        self.waiting.pop(key, None)
        obstacle = self.kinds.obstacle(needs)
        if obstacle:
            self.waiting[key] = needs
        return obstacle

    def leave(self, ref: Ref, key: PolicyKey) -> None:
        """Note that a policy no longer names an object, whose finalizer may then have to go."""
        self.leaving.setdefault(ref, set()).add(key)
        self.queue.add(DrainKey(ref))

    def serves(self, policy: Document) -> bool:
        """Whether this controller decides the policy."""
        return policy.instance == self.instance

    def policy(self, key: PolicyKey) -> Document | None:
        """A policy that is not being deleted."""
        policy = self.store.policies.get((key.namespace, key.name))
        return None if policy is None or policy.deleting else policy
