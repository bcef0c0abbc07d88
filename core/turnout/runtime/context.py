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
from turnout.runtime.guard import Guard
from turnout.runtime.keys import DrainKey, Key, PolicyKey
from turnout.runtime.queue import WorkQueue
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


@dataclass(frozen=True, slots=True)
class InForce:
    """What a policy's routes say, and when the last write of them was accepted.

    `written`: on the monotonic clock; None for a write before this process began, and `Written` of
    the routes tells. `propagation`: seconds until proxies follow. `opaque`: there are routes, and what
    they say cannot be read; they may lead anywhere.
    """

    plan: RoutePlan | None = None
    written: float | None = None
    propagation: float = 0.0
    opaque: bool = False

    @property
    def uids(self) -> frozenset[str]:
        """The versions to which calls may be sent."""
        return frozenset(version.uid for version in self.plan.versions()) if self.plan else frozenset()

    def since_written(self, now: float) -> float | None:
        """Seconds since this process wrote the routes; None if it did not."""
        return None if self.written is None else now - self.written

    def routes_to(self, uid: str) -> bool:
        """Whether calls may still be sent to the version of that uid."""
        return self.opaque or uid in self.uids


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
    instance: str = ""
    namespaces: frozenset[str] | None = None
    """Where this controller sees policies; None: everywhere."""
    index: Index = field(default_factory=Index)
    claims: Claims = field(default_factory=Claims)
    in_force: dict[PolicyKey, InForce] = field(default_factory=dict)
    protections: Contention = field(default_factory=Contention)
    unwritten: dict[Ref, Verdict] = field(default_factory=dict)
    """Shared objects that cannot be written, and why."""
    waiting: dict[PolicyKey, frozenset[Need]] = field(default_factory=dict)
    """Policies that wait for caches, and for which."""
    unseen: set[PolicyKey] | None = None
    """Policies that were there at start and have not been looked at; None until they are known."""
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
