"""All that the controller remembers of the cluster, in a form in which every look-up is a dict access."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar

from turnout.decision.objects import Entry
from turnout.names import LABEL_POLICY, LABEL_SHARED
from turnout.plugin import Kind, Ref
from turnout.runtime.keys import PolicyKey

Name = tuple[str, str]
"""Namespace and name."""


class Versioned(Protocol):
    """Something kept of an object."""

    @property
    def uid(self) -> str: ...

    @property
    def resource_version(self) -> str: ...


T = TypeVar("T", bound=Versioned)


@dataclass(frozen=True, slots=True)
class Document:
    """An object of turnout's own kinds, whole. Two are equal when they ask for the same."""

    uid: str
    generation: int
    created: str
    deleting: bool
    instance: str
    owners: tuple[str, ...]
    marks: bytes
    """Labels and annotations in canonical JSON: the administrator's checks read them."""
    said: bytes
    """The status in canonical JSON: it is ours to say, and put right when someone else changes it."""
    resource_version: str = field(compare=False)
    content: Mapping[str, Any] = field(compare=False)

    @property
    def status(self) -> Mapping[str, Any]:
        status = self.content.get("status")
        return status if isinstance(status, Mapping) else {}


class Shelf(Generic[T]):
    """What is kept of the objects of one kind."""

    def __init__(self) -> None:
        self._kept: dict[Name, T] = {}

    def get(self, name: Name) -> T | None:
        """What is known of an object; None if it does not exist."""
        return self._kept.get(name)

    def put(self, name: Name, value: T | None) -> bool:
        """Keep an object, or forget it. True if that changes any decision.

        An older state of the same object than the one that is known is dropped: the answer to a write
        is here before its event is. Since Kubernetes 1.35 resourceVersions may be compared.
        """
        known = self._kept.get(name)
        if value is None:
            return self._kept.pop(name, None) is not None
        if known and known.uid == value.uid and older(value.resource_version, known.resource_version):
            return False
        self._kept[name] = value
        return known != value

    def items(self, namespace: str | None = None) -> list[tuple[Name, T]]:
        """Every object in a namespace, or in all of them."""
        return [(name, value) for name, value in self._kept.items() if namespace in (None, name[0])]

    def names(self) -> list[Name]:
        """Where every object is."""
        return list(self._kept)


class Entries(Shelf[Entry]):
    """The objects of one kind, with those that carry a policy's routes at hand."""

    def __init__(
        self,
        kind: Kind,
        routes: defaultdict[PolicyKey, set[Ref]],
        supports: defaultdict[PolicyKey, set[Ref]],
        shared: defaultdict[str, set[Ref]],
    ) -> None:
        super().__init__()
        self._kind = kind
        self._routes = routes
        self._supports = supports
        self._shared = shared

    def put(self, name: Name, value: Entry | None) -> bool:
        before, changed = self.get(name), super().put(name, value)
        after = self.get(name)
        if before is not after:
            self._index(name, before, discard=True)
            self._index(name, after, discard=False)
        return changed

    def _index(self, name: Name, entry: Entry | None, *, discard: bool) -> None:
        if entry and entry.written and LABEL_SHARED in entry.written.labels:
            shared = self._shared[name[0]]
            (shared.discard if discard else shared.add)(Ref(self._kind, *name))
        policy = entry.written.labels.get(LABEL_POLICY) if entry and entry.written else None
        if policy and entry and entry.written:
            by_policy = self._supports if entry.written.plan is None else self._routes
            refs = by_policy[PolicyKey(name[0], policy)]
            (refs.discard if discard else refs.add)(Ref(self._kind, *name))


class Store:
    """Policies and weights as documents, all other objects as entries."""

    def __init__(self) -> None:
        self.policies: Shelf[Document] = Shelf()
        self.weights: Shelf[Document] = Shelf()
        self._entries: dict[Kind, Entries] = {}
        self._routes: defaultdict[PolicyKey, set[Ref]] = defaultdict(set)
        self._supports: defaultdict[PolicyKey, set[Ref]] = defaultdict(set)
        self._shared: defaultdict[str, set[Ref]] = defaultdict(set)

    def entries(self, kind: Kind) -> Entries:
        """What is kept of the objects of a kind."""
        if kind not in self._entries:
            self._entries[kind] = Entries(kind, self._routes, self._supports, self._shared)
        return self._entries[kind]

    def look(self, ref: Ref) -> Entry | None:
        """What is known of an object; None if it does not exist."""
        return self.entries(ref.kind).get((ref.namespace, ref.name))

    def put(self, ref: Ref, entry: Entry | None) -> bool:
        """Remember the answer to a write. True if that changes any decision."""
        return self.entries(ref.kind).put((ref.namespace, ref.name), entry)

    def routes(self, key: PolicyKey) -> tuple[Ref, ...]:
        """The objects that say to be routes of a policy, in the order of their names."""
        return tuple(sorted(self._routes.get(key, ()), key=str))

    def written_for(self, key: PolicyKey) -> set[Ref]:
        """The objects that say to be a policy's own: its routes, and what they need besides."""
        return self._routes.get(key, set()) | self._supports.get(key, set())

    def owned_with_others(self, key: PolicyKey, uid: str) -> list[Ref]:
        """The shared objects that list a policy among their owners."""
        return [
            ref
            for ref in self._shared.get(key.namespace, ())
            if (entry := self.look(ref)) and entry.written and entry.written.owned_by(uid)
        ]


def older(one: str, other: str) -> bool:
    """Whether a resourceVersion comes before another."""
    return one.isdigit() and other.isdigit() and int(one) < int(other)


class Index:
    """Which policies an object matters to, and which objects matter to a policy."""

    def __init__(self) -> None:
        self._policies: defaultdict[Ref, set[PolicyKey]] = defaultdict(set)
        self._refs: dict[PolicyKey, frozenset[Ref]] = {}

    def replace(self, key: PolicyKey, refs: Iterable[Ref]) -> frozenset[Ref]:
        """Replace what matters to a policy. Returns what no longer does."""
        before, after = self._refs.get(key, frozenset()), frozenset(refs)
        for ref in after - before:
            self._policies[ref].add(key)
        for ref in before - after:
            self._policies[ref].discard(key)
            if not self._policies[ref]:
                del self._policies[ref]
        if after:
            self._refs[key] = after
        else:
            self._refs.pop(key, None)
        return before - after

    def policies(self, ref: Ref) -> frozenset[PolicyKey]:
        """The policies that an object matters to."""
        return frozenset(self._policies.get(ref, ()))

    def using(self, kind: Kind) -> frozenset[PolicyKey]:
        """The policies to which any object of a kind matters."""
        return frozenset(key for key, refs in self._refs.items() if any(ref.kind == kind for ref in refs))

    def refs(self, key: PolicyKey) -> frozenset[Ref]:
        """The objects that matter to a policy."""
        return self._refs.get(key, frozenset())
