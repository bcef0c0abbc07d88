"""What the work queue hands out: a key only, so that each reconcile looks at the whole of what is there."""

from dataclasses import dataclass

from turnout.plugin import Ref


@dataclass(frozen=True, slots=True)
class PolicyKey:
    """A routing policy: its versions, its routes, its status."""

    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}"


@dataclass(frozen=True, slots=True)
class WeightsKey:
    """Traffic weights: whether they count, and their owner."""

    namespace: str
    name: str


@dataclass(frozen=True, slots=True)
class SharedKey:
    """An object that several policies render."""

    ref: Ref


@dataclass(frozen=True, slots=True)
class DrainKey:
    """A version's object that bears our finalizer."""

    ref: Ref


Key = PolicyKey | WeightsKey | SharedKey | DrainKey


def shown(key: Key) -> str:
    """A key, for people."""
    return str(key.ref) if isinstance(key, SharedKey | DrainKey) else f"{key.namespace}/{key.name}"


def fields(key: Key) -> dict[str, str]:
    """What a line of the log about a key says besides its message."""
    match key:
        case SharedKey(ref):
            return {"route": str(ref)}
        case DrainKey(ref):
            return {"version": str(ref)}
        case _:
            return {"policy": f"{key.namespace}/{key.name}"}
